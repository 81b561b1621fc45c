//! Scale and mean sums of one row of one channel, all but what its own row adds.

use super::model::{ChannelWeights, Link, Place, RateModel, ValueLink, ABOVE1, ABOVE2, WEST2};
use super::rows::{zeros, RowView, Rows, PAD};
use crate::Error;

/// Sums of a row; columns beyond the width hold sums that nobody reads.
pub struct Sums {
    pub scale: Vec<i32>,
    pub mean: Vec<i32>,
}

impl Sums {
    pub fn new(rows: &Rows) -> Result<Self, Error> {
        let padded = rows.padded_width();
        Ok(Self {
            scale: zeros(padded)?,
            mean: zeros(padded)?,
        })
    }

    /// Needs the rows above of `channel`, and of earlier channels this row and its ring.
    pub fn fill(&mut self, model: &RateModel<'_>, rows: &Rows, channel: usize, row: usize) {
        let weights = &model.channels[channel];
        self.scale.fill(model.bases[channel]);
        self.mean.fill(0);
        self.add_above(weights, rows, channel, row);
        for &Link { channel, weight } in &weights.magnitude_links {
            let view = rows.view(usize::from(channel), row);
            if view.nonzero {
                add_row(&mut self.scale, view.magnitudes, 0, weight);
            }
        }
        for &ValueLink { place, link } in &weights.value_links {
            let (up, offset) = match place {
                Place::Here => (0, 0),
                Place::West => (0, -1),
                Place::East => (0, 1),
                Place::Above => (1, 0),
            };
            let view = rows.view(usize::from(link.channel), row - up);
            if view.nonzero {
                add_row(&mut self.mean, view.values, offset, link.weight);
            }
        }
        for &Link { channel, weight } in &weights.ring_links {
            if let Some(ring) = rows.ring(usize::from(channel)) {
                add_row(&mut self.scale, ring, 0, weight);
            }
        }
    }

    /// Adds what the row itself adds: only the encoder knows it beforehand.
    pub fn add_west(&mut self, weights: &ChannelWeights, view: RowView<'_>) {
        for (tap, offset) in [(WEST2, -2), (WEST2 + 1, -1)] {
            add_row(
                &mut self.scale,
                view.magnitudes,
                offset,
                weights.scale_taps[tap],
            );
            add_row(&mut self.mean, view.values, offset, weights.mean_taps[tap]);
        }
    }

    fn add_above(&mut self, weights: &ChannelWeights, rows: &Rows, channel: usize, row: usize) {
        let offsets = ABOVE2
            .iter()
            .map(|&x| (2, x))
            .chain(ABOVE1.iter().map(|&x| (1, x)));
        for (tap, (up, offset)) in offsets.enumerate().take(WEST2) {
            let view = rows.view(channel, row - up);
            if view.nonzero {
                add_row(
                    &mut self.scale,
                    view.magnitudes,
                    offset,
                    weights.scale_taps[tap],
                );
                add_row(&mut self.mean, view.values, offset, weights.mean_taps[tap]);
            }
        }
    }
}

fn add_row(sums: &mut [i32], row: &[i16], offset: isize, weight: i16) {
    if weight == 0 {
        return;
    }
    let row = &row[PAD.wrapping_add_signed(offset)..];
    for (sum, &value) in sums.iter_mut().zip(row) {
        *sum += i32::from(weight) * i32::from(value);
    }
}
