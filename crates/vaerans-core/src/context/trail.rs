//! A row of one channel while its symbols become known from left to right.

use super::adaptation::Factor;
use super::classes::Context;
use super::model::{ChannelWeights, WEST2};
use super::rows::{limited, magnitude};

/// The two symbols before the next one, and their weights. Numbers of 32 bits: of pairs of 16 bits the compiler makes
/// vectors, in and out of which every symbol would have to wait.
pub struct Trail {
    /// Of the farther one first.
    scale_taps: [i32; 2],
    mean_taps: [i32; 2],
    before2: Before,
    before1: Before,
}

#[derive(Clone, Copy, Default)]
struct Before {
    value: i32,
    magnitude: i32,
}

impl Trail {
    /// `factor` is that of the row's scales.
    pub fn new(weights: &ChannelWeights, factor: Factor) -> Self {
        Self {
            scale_taps: [WEST2, WEST2 + 1]
                .map(|tap| i32::from(factor.weight(weights.scale_taps[tap]))),
            mean_taps: [WEST2, WEST2 + 1].map(|tap| i32::from(weights.mean_taps[tap])),
            before2: Before::default(),
            before1: Before::default(),
        }
    }

    /// The sums of the next symbol, of which all others are known.
    #[inline(always)]
    pub fn sums(&self, mut scale: i32, mut mean: i32) -> (i32, i32) {
        let (before2, before1) = (self.before2, self.before1);
        // Most symbols and their neighbours are zero: a branch that is foreseen costs less than the sums, which would
        // have to wait for the symbol before.
        if before1.value | before2.value != 0 {
            scale += self.scale_taps[0] * before2.magnitude;
            scale += self.scale_taps[1] * before1.magnitude;
            mean += self.mean_taps[0] * before2.value;
            mean += self.mean_taps[1] * before1.value;
        }
        (scale, mean)
    }

    /// The context of the next symbol.
    #[inline(always)]
    pub fn context(&self, scale: i32, mean: i32) -> Context {
        let (scale, mean) = self.sums(scale, mean);
        Context::of(scale, mean)
    }

    /// Takes note of the symbol.
    #[inline(always)]
    pub fn note(&mut self, symbol: i16) {
        self.before2 = self.before1;
        let value = limited(symbol);
        self.before1 = Before {
            value: i32::from(value),
            magnitude: i32::from(magnitude(value)),
        };
    }
}
