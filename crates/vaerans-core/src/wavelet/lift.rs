//! Lifting over neighbouring signals at once, each step of a sample in one go: predict its high value, update its low
//! one, weight both. What a step needs of the sample before stays in registers.

/// A pair of filters that lifts in two steps:
///
/// ```text
/// high = odd + PREDICT * (even [+ next even])
/// low = even + UPDATE * ([high before +] high)
/// ```
///
/// with what stands in brackets if `BOTH_SIDES`. At an edge the neighbour on the other side counts twice.
pub trait Filter {
    const PREDICT: f32;
    const UPDATE: f32;
    const BOTH_SIDES: bool;
}

pub struct Cdf53;

impl Filter for Cdf53 {
    const PREDICT: f32 = -0.5;
    const UPDATE: f32 = 0.25;
    const BOTH_SIDES: bool = true;
}

pub struct Haar;

impl Filter for Haar {
    const PREDICT: f32 = -1.0;
    const UPDATE: f32 = 0.5;
    const BOTH_SIDES: bool = false;
}

/// What the low and the high half of one pass are multiplied by: after lifting on the way there, before it on the way
/// back.
#[derive(Clone, Copy)]
pub struct Weights {
    pub low: f32,
    pub high: f32,
}

impl Weights {
    pub fn inverse(self) -> Self {
        Weights {
            low: 1.0 / self.low,
            high: 1.0 / self.high,
        }
    }
}

/// `value + factor * (own [+ other])`.
#[inline(always)]
pub fn lift<F: Filter>(value: f32, factor: f32, own: f32, other: f32) -> f32 {
    let sum = if F::BOTH_SIDES { own + other } else { own };
    value + factor * sum
}

/// `LANES` signals of `count` samples, at least 2: sample i of lane l is at `start + i * step + l`.
pub struct Signals<'a, const LANES: usize> {
    plane: &'a mut [f32],
    start: usize,
    step: usize,
    count: usize,
}

impl<'a> Signals<'a, 1> {
    pub fn of_row(row: &'a mut [f32]) -> Self {
        let count = row.len();
        Signals {
            plane: row,
            start: 0,
            step: 1,
            count,
        }
    }
}

impl<'a, const LANES: usize> Signals<'a, LANES> {
    /// `LANES` columns from column `x` on, `height` rows of a plane whose rows lie `stride` apart.
    pub fn of_columns(plane: &'a mut [f32], stride: usize, height: usize, x: usize) -> Self {
        Signals {
            plane,
            start: x,
            step: stride,
            count: height,
        }
    }

    #[inline(always)]
    fn load(&self, index: usize) -> [f32; LANES] {
        let at = self.start + index * self.step;
        let samples = &self.plane[at..at + LANES];
        std::array::from_fn(|lane| samples[lane])
    }

    #[inline(always)]
    fn store(&mut self, index: usize, samples: [f32; LANES]) {
        let at = self.start + index * self.step;
        self.plane[at..at + LANES].copy_from_slice(&samples);
    }

    /// Evens to the front as low values, odds behind them as high ones. `scratch` holds the latter meanwhile: a low
    /// value is written only where an even one was read, a high value not.
    #[inline(always)]
    pub fn split<F: Filter>(self, weights: Weights, scratch: &mut [f32]) {
        self.split_from::<F>(0, [0.0; LANES], weights, scratch);
    }

    /// [`Signals::split`] when the first `first` low values are in place and as many high ones in `scratch`; `before`
    /// is the last of those, not yet weighted.
    #[inline(always)]
    pub fn split_from<F: Filter>(
        mut self,
        first: usize,
        mut before: [f32; LANES],
        weights: Weights,
        scratch: &mut [f32],
    ) {
        let highs = &mut scratch.as_chunks_mut().0[..self.count / 2];
        let mut even = self.load(2 * first);
        for (i, slot) in highs.iter_mut().enumerate().skip(first) {
            let odd = self.load(2 * i + 1);
            let next = match 2 * i + 2 {
                index if index < self.count => self.load(index),
                _ => even,
            };
            let high: [f32; LANES] =
                std::array::from_fn(|l| lift::<F>(odd[l], F::PREDICT, even[l], next[l]));
            if i == 0 {
                before = high;
            }
            let low = std::array::from_fn(|l| {
                lift::<F>(even[l], F::UPDATE, high[l], before[l]) * weights.low
            });
            self.store(i, low);
            *slot = high.map(|high| high * weights.high);
            before = high;
            even = next;
        }
        let low_count = self.count.div_ceil(2);
        if low_count > highs.len() {
            if F::BOTH_SIDES {
                even = std::array::from_fn(|l| lift::<F>(even[l], F::UPDATE, before[l], before[l]));
            }
            self.store(low_count - 1, even.map(|low| low * weights.low));
        }
        for (i, high) in highs.iter().enumerate() {
            self.store(low_count + i, *high);
        }
    }

    /// Takes [`Signals::split`] back. Here the low values wait in `scratch`; those that are written never reach the high
    /// ones still to be read.
    #[inline(always)]
    pub fn merge<F: Filter>(self, weights: Weights, scratch: &mut [f32]) {
        let lows = &mut scratch.as_chunks_mut().0[..self.count.div_ceil(2)];
        for (i, low) in lows.iter_mut().enumerate() {
            *low = self.load(i).map(|low| low * weights.low);
        }
        self.merge_from::<F>(0, weights, scratch);
    }

    /// [`Signals::merge`] when the weighted low values are in `scratch` and the first `2 * first` samples in place.
    #[inline(always)]
    pub fn merge_from<F: Filter>(mut self, first: usize, weights: Weights, scratch: &[f32]) {
        let (low_count, high_count) = (self.count.div_ceil(2), self.count / 2);
        let lows = &scratch.as_chunks().0[..low_count];
        let high_at =
            |signals: &Self, i: usize| signals.load(low_count + i).map(|high| high * weights.high);
        let mut even = [0.0; LANES];
        let mut before = match first {
            0 => [0.0; LANES],
            _ => high_at(&self, first - 1),
        };
        for (i, low) in lows.iter().enumerate().skip(first) {
            let high = match i {
                i if i < high_count => high_at(&self, i),
                _ => before,
            };
            let left = if i == 0 { high } else { before };
            // A last even one without an odd one: Haar leaves it as it is.
            let next = if i < high_count || F::BOTH_SIDES {
                std::array::from_fn(|l| lift::<F>(low[l], -F::UPDATE, high[l], left[l]))
            } else {
                *low
            };
            if i > first {
                let odd =
                    std::array::from_fn(|l| lift::<F>(before[l], -F::PREDICT, even[l], next[l]));
                self.store(2 * i - 1, odd);
            }
            self.store(2 * i, next);
            before = high;
            even = next;
        }
        if low_count == high_count {
            let odd = std::array::from_fn(|l| lift::<F>(before[l], -F::PREDICT, even[l], even[l]));
            self.store(self.count - 1, odd);
        }
    }
}
