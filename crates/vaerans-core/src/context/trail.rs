//! A row of one channel while its symbols become known from left to right.

use super::classes::Context;
use super::model::{ChannelWeights, WEST2};
use super::rows::Seen;

pub struct Trail<'a> {
    /// Weights of the two symbols left of one, the farther first.
    scale_taps: [i32; 2],
    mean_taps: [i32; 2],
    /// What is not zero, the first `count` places.
    seen: &'a mut [Seen],
    count: usize,
    before2: Seen,
    before1: Seen,
}

impl<'a> Trail<'a> {
    /// `seen` has a place for every column.
    pub fn new(weights: &ChannelWeights, seen: &'a mut [Seen]) -> Self {
        Self {
            scale_taps: [WEST2, WEST2 + 1].map(|tap| i32::from(weights.scale_taps[tap])),
            mean_taps: [WEST2, WEST2 + 1].map(|tap| i32::from(weights.mean_taps[tap])),
            seen,
            count: 0,
            before2: Seen::default(),
            before1: Seen::default(),
        }
    }

    /// The context of the next symbol, of which all other sums are known.
    #[inline(always)]
    pub fn context(&self, mut scale: i32, mut mean: i32) -> Context {
        // Most symbols and their neighbours are zero: a branch that is foreseen costs less than the sums, which would
        // have to wait for the symbol before.
        if self.before1.value != 0 || self.before2.value != 0 {
            scale += self.scale_taps[0] * i32::from(self.before2.magnitude());
            scale += self.scale_taps[1] * i32::from(self.before1.magnitude());
            mean += self.mean_taps[0] * i32::from(self.before2.value);
            mean += self.mean_taps[1] * i32::from(self.before1.value);
        }
        Context::of(scale, mean)
    }

    /// Takes note of the symbol of column `x`.
    #[inline(always)]
    pub fn note(&mut self, x: usize, symbol: i16) {
        self.before2 = self.before1;
        self.before1 = Seen::default();
        if symbol != 0 {
            self.before1 = Seen::new(x, symbol);
            if let Some(place) = self.seen.get_mut(self.count) {
                *place = self.before1;
            }
            self.count += 1;
        }
    }

    /// Symbols that were not zero.
    pub fn count(&self) -> usize {
        self.count
    }
}
