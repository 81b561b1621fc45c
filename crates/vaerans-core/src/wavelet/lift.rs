//! Lifting along one signal, each step of a sample in one go: predict its high value, update its low one, weight both.

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

/// `value + factor * (own [+ other])`.
#[inline(always)]
pub fn lift<F: Filter>(value: f32, factor: f32, own: f32, other: f32) -> f32 {
    let sum = if F::BOTH_SIDES { own + other } else { own };
    value + factor * sum
}

/// What the low and the high values of one pass are multiplied by.
#[derive(Clone, Copy)]
pub struct Weights {
    pub low: f32,
    pub high: f32,
}

impl Weights {
    /// Those of the way back.
    pub fn inverse(self) -> Self {
        Weights {
            low: 1.0 / self.low,
            high: 1.0 / self.high,
        }
    }
}

/// The first `count` samples of `plane`, at least 2, that lie `step` apart.
pub struct Signal<'a> {
    pub plane: &'a mut [f32],
    pub step: usize,
    pub count: usize,
}

impl Signal<'_> {
    fn at(&mut self, index: usize) -> &mut f32 {
        &mut self.plane[index * self.step]
    }

    /// Evens to the front as low values, odds behind them as high ones. `scratch` holds the latter meanwhile: a low
    /// value is written only where an even one was read, a high value not.
    pub fn split<F: Filter>(mut self, weights: Weights, scratch: &mut [f32]) {
        let highs = &mut scratch[..self.count / 2];
        let mut even = *self.at(0);
        let mut before = 0.0;
        for (i, slot) in highs.iter_mut().enumerate() {
            let odd = *self.at(2 * i + 1);
            let next = match 2 * i + 2 {
                index if index < self.count => *self.at(index),
                _ => even,
            };
            let high = lift::<F>(odd, F::PREDICT, even, next);
            let left = if i == 0 { high } else { before };
            *self.at(i) = lift::<F>(even, F::UPDATE, high, left) * weights.low;
            *slot = high * weights.high;
            before = high;
            even = next;
        }
        let low_count = self.count.div_ceil(2);
        if low_count > highs.len() {
            if F::BOTH_SIDES {
                even = lift::<F>(even, F::UPDATE, before, before);
            }
            *self.at(low_count - 1) = even * weights.low;
        }
        for (i, high) in highs.iter().enumerate() {
            *self.at(low_count + i) = *high;
        }
    }

    /// Takes [`Signal::split`] back with the inverse of its weights, which come first. Here the low values wait in `scratch`; the samples that are written never reach the
    /// high ones still to be read.
    pub fn merge<F: Filter>(mut self, weights: Weights, scratch: &mut [f32]) {
        let (low_count, high_count) = (self.count.div_ceil(2), self.count / 2);
        let lows = &mut scratch[..low_count];
        for (i, low) in lows.iter_mut().enumerate() {
            *low = *self.at(i) * weights.low;
        }
        let (mut even, mut before) = (0.0, 0.0);
        for (i, &low) in lows.iter().enumerate() {
            let high = match i {
                i if i < high_count => *self.at(low_count + i) * weights.high,
                _ => before,
            };
            let left = if i == 0 { high } else { before };
            // A last even one without an odd one: Haar leaves it as it is.
            let next = if i < high_count || F::BOTH_SIDES {
                lift::<F>(low, -F::UPDATE, high, left)
            } else {
                low
            };
            if i > 0 {
                *self.at(2 * i - 1) = lift::<F>(before, -F::PREDICT, even, next);
            }
            *self.at(2 * i) = next;
            before = high;
            even = next;
        }
        if low_count == high_count {
            *self.at(self.count - 1) = lift::<F>(before, -F::PREDICT, even, even);
        }
    }
}
