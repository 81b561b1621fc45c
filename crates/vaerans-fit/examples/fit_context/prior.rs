//! A prior's arrays as numbers one after the other, as in the files that training exports.

use vaerans_core::context::fit::weights::{FloatWeights, Prior};

/// What a model file may hold.
const CHANNELS_MAX: usize = 256;
const KNOTS_MAX: usize = 64;

/// What the lengths of a prior's arrays follow from.
#[derive(Clone, Copy)]
pub struct PriorShape {
    pub channels: usize,
    pub knots: usize,
    /// Of the coarser grid; 0 where there is none.
    pub coarse_channels: usize,
}

impl PriorShape {
    /// Numbers of all arrays together, or `None` for sizes that no model has.
    pub fn length(self) -> Option<usize> {
        let is_possible = (1..=CHANNELS_MAX).contains(&self.channels)
            && (2..=KNOTS_MAX).contains(&self.knots)
            // A list of links to all of them has its length in a byte.
            && self.coarse_channels < CHANNELS_MAX;
        is_possible.then(|| self.lengths().iter().sum())
    }

    /// In the order of `Prior`.
    fn lengths(self) -> [usize; 8] {
        let (n, knots, coarse) = (self.channels, self.knots, self.coarse_channels);
        [knots, 25, 25, n, n, n, coarse, coarse].map(|count| count * n)
    }

    /// The weights that the arrays say, or `None` where there are not as many numbers as they have.
    pub fn weights(self, numbers: &[f32]) -> Option<Vec<FloatWeights>> {
        if self.length() != Some(numbers.len()) {
            return None;
        }
        let mut left = numbers;
        let [log_bases, same, mean_same, here, ring, mean_here, up, mean_up] =
            self.lengths().map(|length| {
                let (array, after) = left.split_at(length);
                left = after;
                array
            });
        let prior = Prior {
            channels: self.channels,
            knots: self.knots,
            log_bases,
            same,
            mean_same,
            here,
            ring,
            mean_here,
            up,
            mean_up,
        };
        Some(prior.to_weights())
    }
}
