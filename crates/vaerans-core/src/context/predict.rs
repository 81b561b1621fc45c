//! Scale and mean sums of one row of one channel.
//!
//! A sum is over terms: a weight times a row of samples. Rows with few samples that are not zero are added sample by
//! sample, others block by block with the sums in registers. Integer sums do not depend on the order.

use super::model::{ChannelWeights, Place, RateModel, ABOVE1, ABOVE2, WEST2};
use super::rows::{zeros, Rows, Seen, BLOCK};
use crate::Error;

/// A row with at most one sample in this many that is not zero is added sample by sample.
const SPARSE_SHARE: usize = 8;

/// A row that is added block by block: where its first column is in the backing slice, and its weight.
type DenseTerm = (usize, i16);

/// Sums of a row; columns beyond the width hold sums that nobody reads.
pub struct Sums {
    pub scale: Vec<i32>,
    pub mean: Vec<i32>,
    scale_terms: Vec<DenseTerm>,
    mean_terms: Vec<DenseTerm>,
}

impl Sums {
    pub fn new(rows: &Rows) -> Result<Self, Error> {
        let padded = rows.padded_width();
        Ok(Self {
            scale: zeros(padded)?,
            mean: zeros(padded)?,
            scale_terms: Vec::new(),
            mean_terms: Vec::new(),
        })
    }

    /// Sums all but what the row itself adds. Needs the rows above of `channel`, and of earlier channels this row and
    /// its ring.
    pub fn fill(&mut self, model: &RateModel<'_>, rows: &Rows, channel: usize) {
        let weights = &model.channels[channel];
        self.scale.fill(model.bases[channel]);
        self.mean.fill(0);
        self.scale_terms.clear();
        self.mean_terms.clear();
        let above2 = ABOVE2.iter().map(|&offset| (2, offset));
        let above1 = ABOVE1.iter().map(|&offset| (1, offset));
        for (tap, (up, offset)) in above2.chain(above1).enumerate() {
            let from = Row::new(rows, channel, up, offset);
            self.add_scale(&from, weights.scale_taps[tap]);
            self.add_mean(&from, weights.mean_taps[tap]);
        }
        for link in &weights.magnitude_links {
            let from = Row::new(rows, usize::from(link.channel), 0, 0);
            self.add_scale(&from, link.weight);
        }
        for value in &weights.value_links {
            let (up, offset) = match value.place {
                Place::Here => (0, 0),
                Place::West => (0, -1),
                Place::East => (0, 1),
                Place::Above => (1, 0),
            };
            let from = Row::new(rows, usize::from(value.link.channel), up, offset);
            self.add_mean(&from, value.link.weight);
        }
        for link in &weights.ring_links {
            if let Some(start) = rows.ring_start(usize::from(link.channel)) {
                self.scale_terms.push((start, link.weight));
            }
        }
        add_blocks(&mut self.scale, rows.magnitudes(), &self.scale_terms);
        add_blocks(&mut self.mean, rows.values(), &self.mean_terms);
    }

    /// Adds what the row itself adds: only the encoder knows it beforehand.
    pub fn add_west(&mut self, weights: &ChannelWeights, rows: &Rows, channel: usize) {
        for (tap, offset) in [(WEST2, -2), (WEST2 + 1, -1)] {
            for &seen in rows.seen(channel, 0) {
                let column = usize::from(seen.column).wrapping_add_signed(-offset);
                if column < rows.width() {
                    self.scale[column] +=
                        i32::from(weights.scale_taps[tap]) * i32::from(seen.magnitude());
                    self.mean[column] += i32::from(weights.mean_taps[tap]) * i32::from(seen.value);
                }
            }
        }
    }

    fn add_scale(&mut self, from: &Row<'_>, weight: i16) {
        if weight == 0 || from.seen.is_empty() {
        } else if from.sparse {
            add_seen(&mut self.scale, from, weight, Seen::magnitude);
        } else {
            self.scale_terms.push((from.start, weight));
        }
    }

    fn add_mean(&mut self, from: &Row<'_>, weight: i16) {
        if weight == 0 || from.seen.is_empty() {
        } else if from.sparse {
            add_seen(&mut self.mean, from, weight, |seen| seen.value);
        } else {
            self.mean_terms.push((from.start, weight));
        }
    }
}

/// A row as a term reads it: what is `offset` columns to the right of the sum's column.
struct Row<'a> {
    seen: &'a [Seen],
    offset: isize,
    start: usize,
    sparse: bool,
}

impl<'a> Row<'a> {
    fn new(rows: &'a Rows, channel: usize, up: usize, offset: isize) -> Self {
        let seen = rows.seen(channel, up);
        Self {
            seen,
            offset,
            start: rows.start(channel, up).wrapping_add_signed(offset),
            sparse: seen.len() * SPARSE_SHARE <= rows.width(),
        }
    }
}

#[inline(always)]
fn add_seen(sums: &mut [i32], from: &Row<'_>, weight: i16, sample: impl Fn(Seen) -> i16) {
    for &seen in from.seen {
        let column = usize::from(seen.column).wrapping_add_signed(-from.offset);
        // Columns left of 0 wrap to beyond the end; those in the padding are read by nobody.
        if let Some(sum) = sums.get_mut(column) {
            *sum += i32::from(weight) * i32::from(sample(seen));
        }
    }
}

fn add_blocks(sums: &mut [i32], samples: &[i16], terms: &[DenseTerm]) {
    if terms.is_empty() {
        return;
    }
    for (index, block) in sums.chunks_exact_mut(BLOCK).enumerate() {
        let mut totals = [0i32; BLOCK];
        totals.copy_from_slice(block);
        for &(start, weight) in terms {
            let row = &samples[start + index * BLOCK..][..BLOCK];
            for (total, &sample) in totals.iter_mut().zip(row) {
                *total += i32::from(weight) * i32::from(sample);
            }
        }
        block.copy_from_slice(&totals);
    }
}
