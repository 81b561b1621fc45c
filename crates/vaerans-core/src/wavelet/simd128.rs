//! The same as in `scalar`, one vector at a time: the compiler does not find the shuffles by itself.
#![allow(unsafe_code)] // Four neighbours whose vector is shuffled at once would be loaded and stored one by one.

use core::arch::wasm32::{
    f32x4_add, f32x4_mul, f32x4_splat, i32x4_shuffle, v128, v128_load, v128_store,
};

pub type Quad = v128;

#[inline(always)]
pub fn load(samples: &[f32; 4]) -> Quad {
    // SAFETY: reads the sixteen bytes that are borrowed, at any alignment.
    unsafe { v128_load(samples.as_ptr().cast()) }
}

#[inline(always)]
pub fn store(samples: &mut [f32; 4], values: Quad) {
    // SAFETY: writes the sixteen bytes that are borrowed, at any alignment.
    unsafe { v128_store(samples.as_mut_ptr().cast(), values) }
}

#[inline(always)]
pub fn splat(value: f32) -> Quad {
    f32x4_splat(value)
}

#[inline(always)]
pub fn add(a: Quad, b: Quad) -> Quad {
    f32x4_add(a, b)
}

#[inline(always)]
pub fn mul(a: Quad, b: Quad) -> Quad {
    f32x4_mul(a, b)
}

#[inline(always)]
pub fn evens(a: Quad, b: Quad) -> Quad {
    i32x4_shuffle::<0, 2, 4, 6>(a, b)
}

#[inline(always)]
pub fn odds(a: Quad, b: Quad) -> Quad {
    i32x4_shuffle::<1, 3, 5, 7>(a, b)
}

#[inline(always)]
pub fn right_of(a: Quad, b: Quad) -> Quad {
    i32x4_shuffle::<1, 2, 3, 4>(a, b)
}

#[inline(always)]
pub fn left_of(a: Quad, b: Quad) -> Quad {
    i32x4_shuffle::<3, 4, 5, 6>(a, b)
}

#[inline(always)]
pub fn interleave_first(even: Quad, odd: Quad) -> Quad {
    i32x4_shuffle::<0, 4, 1, 5>(even, odd)
}

#[inline(always)]
pub fn interleave_last(even: Quad, odd: Quad) -> Quad {
    i32x4_shuffle::<2, 6, 3, 7>(even, odd)
}

#[inline(always)]
pub fn first(a: Quad) -> Quad {
    i32x4_shuffle::<0, 0, 0, 0>(a, a)
}

#[inline(always)]
pub fn last(a: Quad) -> Quad {
    i32x4_shuffle::<3, 3, 3, 3>(a, a)
}
