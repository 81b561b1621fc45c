//! Four neighbouring samples at once, as an array.

pub type Quad = [f32; 4];

#[inline(always)]
pub fn load(samples: &[f32; 4]) -> Quad {
    *samples
}

#[inline(always)]
pub fn store(samples: &mut [f32; 4], values: Quad) {
    *samples = values;
}

#[inline(always)]
pub fn splat(value: f32) -> Quad {
    [value; 4]
}

#[inline(always)]
pub fn add(a: Quad, b: Quad) -> Quad {
    std::array::from_fn(|i| a[i] + b[i])
}

#[inline(always)]
pub fn mul(a: Quad, b: Quad) -> Quad {
    std::array::from_fn(|i| a[i] * b[i])
}

/// Samples 0, 2, 4, 6 of eight.
#[inline(always)]
pub fn evens(a: Quad, b: Quad) -> Quad {
    [a[0], a[2], b[0], b[2]]
}

/// Samples 1, 3, 5, 7 of eight.
#[inline(always)]
pub fn odds(a: Quad, b: Quad) -> Quad {
    [a[1], a[3], b[1], b[3]]
}

/// The right neighbours of `a`, when `b` comes after it.
#[inline(always)]
pub fn right_of(a: Quad, b: Quad) -> Quad {
    [a[1], a[2], a[3], b[0]]
}

/// The left neighbours of `b`, when `a` comes before it.
#[inline(always)]
pub fn left_of(a: Quad, b: Quad) -> Quad {
    [a[3], b[0], b[1], b[2]]
}

/// The first four samples of `even` and `odd` put together again.
#[inline(always)]
pub fn interleave_first(even: Quad, odd: Quad) -> Quad {
    [even[0], odd[0], even[1], odd[1]]
}

/// The last four.
#[inline(always)]
pub fn interleave_last(even: Quad, odd: Quad) -> Quad {
    [even[2], odd[2], even[3], odd[3]]
}

/// The first sample four times.
#[inline(always)]
pub fn first(a: Quad) -> Quad {
    [a[0]; 4]
}

/// The last one.
#[inline(always)]
pub fn last(a: Quad) -> Quad {
    [a[3]; 4]
}
