//! Scale and mean sums of one row of one channel.
//!
//! A sum is over terms: a weight times a row of samples. Rows with few samples that are not zero are added sample by
//! sample, others block by block with the sums in registers. Integer sums do not depend on the order.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use scalar::add_blocks;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use simd128::add_blocks;

use super::adaptation::Factor;
use super::model::{Place, RateModel, ABOVE1, ABOVE2, OWN_TAPS, WEST2};
use super::row_net::Hidden;
use super::rows::{Rows, Seen, PAD};
use crate::memory::zeros;
use crate::Error;

/// A row with at most one sample in this many that is not zero is added sample by sample. Of a row above of the channel
/// itself, where a sample adds to its five neighbours at once, all that have a list are.
const SPARSE_SHARE: usize = 8;

/// Sums that a sample's taps reach, from two columns left of it on, in whole vectors.
const REACH: usize = 8;

/// A row that is added block by block: where its first column is in the backing slice, and its weight.
pub type DenseTerm = (usize, i16);

/// Sums of a row, from `PAD` columns left of it on; what is outside of the row nobody reads.
pub struct Sums {
    scale: Vec<i32>,
    mean: Vec<i32>,
    scale_terms: Vec<DenseTerm>,
    mean_terms: Vec<DenseTerm>,
    /// What the model's network makes of what is around, if it has one.
    hidden: Option<Hidden>,
}

impl Sums {
    pub fn new(model: &RateModel<'_>, rows: &Rows) -> Result<Self, Error> {
        let padded = rows.padded_width() + 2 * PAD;
        Ok(Self {
            scale: zeros(padded)?,
            mean: zeros(padded)?,
            scale_terms: Vec::new(),
            mean_terms: Vec::new(),
            hidden: model.net.as_ref().map(|_| Hidden::new(rows)).transpose()?,
        })
    }

    /// To be called when `rows` has entered a row and before its first channel is summed.
    pub fn enter(&mut self, model: &RateModel<'_>, rows: &Rows) {
        if let (Some(hidden), Some(net)) = (&mut self.hidden, &model.net) {
            hidden.enter(net, rows);
        }
    }

    /// Sums all but what the row itself adds. Needs the rows above of `channel`, and of earlier channels this row and
    /// its ring. Channels are to rise. Scales are multiplied by `factor`.
    pub fn fill(&mut self, model: &RateModel<'_>, rows: &Rows, channel: usize, factor: Factor) {
        self.add_sparse(model, rows, channel);
        self.add_dense(rows);
        if let (Some(hidden), Some(at)) = (&mut self.hidden, &model.net) {
            hidden.advance(at.net, rows, channel);
            hidden.sharpen(at.net, channel, &mut self.scale[PAD..]);
        }
        factor.apply(&mut self.scale[PAD..]);
    }

    /// Adds what the row itself adds, when it is known.
    pub fn add_west(&mut self, model: &RateModel<'_>, rows: &Rows, channel: usize, factor: Factor) {
        self.scale_terms.clear();
        self.mean_terms.clear();
        let weights = &model.channels[channel];
        for (tap, offset) in [(WEST2, -2), (WEST2 + 1, -1)] {
            let from = Row::new(rows, channel, 0, offset);
            self.add_scale(&from, factor.weight(weights.scale_taps[tap]));
            self.add_mean(&from, weights.mean_taps[tap]);
        }
        self.add_dense(rows);
    }

    /// Begins the sums with what has few samples and takes note of the rest.
    fn add_sparse(&mut self, model: &RateModel<'_>, rows: &Rows, channel: usize) {
        let weights = &model.channels[channel];
        self.scale.fill(model.bases[channel]);
        self.mean.fill(0);
        self.scale_terms.clear();
        self.mean_terms.clear();
        let scale_taps = Taps::new(&weights.scale_taps);
        let mean_taps = Taps::new(&weights.mean_taps);
        self.add_own(rows, channel, 2, &scale_taps.above2, &mean_taps.above2);
        self.add_own(rows, channel, 1, &scale_taps.above1, &mean_taps.above1);
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
    }

    fn add_dense(&mut self, rows: &Rows) {
        let inside = PAD..PAD + rows.padded_width();
        let scale = &mut self.scale[inside.clone()];
        add_blocks(scale, rows.magnitudes(), &self.scale_terms);
        add_blocks(&mut self.mean[inside], rows.values(), &self.mean_terms);
    }

    /// From column 0 on.
    pub fn scale(&self) -> &[i32] {
        &self.scale[PAD..]
    }

    /// Puts other sums into a column.
    pub fn set(&mut self, column: usize, scale: i32, mean: i32) {
        self.scale[PAD + column] = scale;
        self.mean[PAD + column] = mean;
    }

    /// From column 0 on.
    pub fn mean(&self) -> &[i32] {
        &self.mean[PAD..]
    }

    /// Adds a row above of the channel itself.
    fn add_own(
        &mut self,
        rows: &Rows,
        channel: usize,
        up: usize,
        scale_taps: &[i16; REACH],
        mean_taps: &[i16; REACH],
    ) {
        let Some(seen) = rows.seen(channel, up) else {
            let first = rows.start(channel, up) + 2;
            for (back, (&scale, &mean)) in scale_taps.iter().zip(mean_taps).enumerate() {
                let push = |terms: &mut Vec<DenseTerm>, weight| {
                    if weight != 0 {
                        terms.push((first - back, weight));
                    }
                };
                push(&mut self.scale_terms, scale);
                push(&mut self.mean_terms, mean);
            }
            return;
        };
        for seen in seen {
            let first = usize::from(seen.column) + PAD - 2;
            add_reach(&mut self.scale[first..], scale_taps, seen.magnitude());
            add_reach(&mut self.mean[first..], mean_taps, seen.value);
        }
    }

    fn add_scale(&mut self, from: &Row<'_>, weight: i16) {
        match from.seen {
            _ if weight == 0 => {}
            Some(seen) => add_seen(&mut self.scale, seen, from.offset, weight, Seen::magnitude),
            None => self.scale_terms.push((from.start, weight)),
        }
    }

    fn add_mean(&mut self, from: &Row<'_>, weight: i16) {
        match from.seen {
            _ if weight == 0 => {}
            Some(seen) => add_seen(&mut self.mean, seen, from.offset, weight, |seen| seen.value),
            None => self.mean_terms.push((from.start, weight)),
        }
    }
}

/// A row as a term reads it: what is `offset` columns to the right of the sum's column.
struct Row<'a> {
    /// What is not zero, if it is to be added sample by sample.
    seen: Option<&'a [Seen]>,
    offset: isize,
    start: usize,
}

impl<'a> Row<'a> {
    fn new(rows: &'a Rows, channel: usize, up: usize, offset: isize) -> Self {
        let is_sparse = |seen: &&[Seen]| seen.len() * SPARSE_SHARE <= rows.width();
        Self {
            seen: rows.seen(channel, up).filter(is_sparse),
            offset,
            start: rows.start(channel, up).wrapping_add_signed(offset),
        }
    }
}

#[inline(always)]
fn add_seen(
    sums: &mut [i32],
    seen: &[Seen],
    offset: isize,
    weight: i16,
    sample: impl Fn(Seen) -> i16,
) {
    for &seen in seen {
        let column = (PAD + usize::from(seen.column)).wrapping_add_signed(-offset);
        if let Some(sum) = sums.get_mut(column) {
            *sum += i32::from(weight) * i32::from(sample(seen));
        }
    }
}

/// The taps on the rows above, turned round: by the sum's column, from two left of the sample on.
struct Taps {
    above1: [i16; REACH],
    above2: [i16; REACH],
}

impl Taps {
    fn new(taps: &[i16; OWN_TAPS]) -> Self {
        let mut own = Self {
            above1: [0; REACH],
            above2: [0; REACH],
        };
        let (above2, rest) = taps.split_at(ABOVE2.len());
        for (&tap, offset) in above2.iter().zip(ABOVE2) {
            own.above2[(2 - offset) as usize] = tap;
        }
        for (&tap, offset) in rest.iter().zip(ABOVE1) {
            own.above1[(2 - offset) as usize] = tap;
        }
        own
    }
}

#[inline(always)]
fn add_reach(sums: &mut [i32], taps: &[i16; REACH], sample: i16) {
    if let Some(sums) = sums.first_chunk_mut::<REACH>() {
        for (sum, &tap) in sums.iter_mut().zip(taps) {
            *sum += i32::from(tap) * i32::from(sample);
        }
    }
}
