//! A row of one channel while its symbols become known from left to right.

use super::classes::Context;
use super::model::{ChannelWeights, WEST2};
use super::rows::{limited, magnitude};

/// The two symbols before the next one, and their weights.
pub struct Trail {
    /// Of the farther one first.
    scale_taps: [i32; 2],
    mean_taps: [i32; 2],
    before2: i16,
    before1: i16,
}

impl Trail {
    pub fn new(weights: &ChannelWeights) -> Self {
        Self {
            scale_taps: [WEST2, WEST2 + 1].map(|tap| i32::from(weights.scale_taps[tap])),
            mean_taps: [WEST2, WEST2 + 1].map(|tap| i32::from(weights.mean_taps[tap])),
            before2: 0,
            before1: 0,
        }
    }

    /// The context of the next symbol, of which all other sums are known.
    #[inline(always)]
    pub fn context(&self, mut scale: i32, mut mean: i32) -> Context {
        // Most symbols and their neighbours are zero: a branch that is foreseen costs less than the sums, which would
        // have to wait for the symbol before.
        if self.before1 != 0 || self.before2 != 0 {
            scale += self.scale_taps[0] * i32::from(magnitude(self.before2));
            scale += self.scale_taps[1] * i32::from(magnitude(self.before1));
            mean += self.mean_taps[0] * i32::from(self.before2);
            mean += self.mean_taps[1] * i32::from(self.before1);
        }
        Context::of(scale, mean)
    }

    /// Takes note of the symbol.
    #[inline(always)]
    pub fn note(&mut self, symbol: i16) {
        self.before2 = self.before1;
        self.before1 = limited(symbol);
    }
}
