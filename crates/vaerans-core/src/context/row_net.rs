//! A small network that sharpens the linear sums by what is around.
//!
//! The linear sums of a channel know its own rows above and, around its place, channels before it. What the later channels had
//! in the rows above they do not see, nor that a place with many large symbols is busy in ways that do not add up. So for every
//! column the magnitudes of all channels in two rows above, five columns of each, go through two layers of units; from those
//! each channel takes a factor for its scale sum. All of that is known before the row's first symbol. In models that see the row
//! itself the channels are in groups, and what the groups before have there comes in between one group and the next, each of
//! which has a second layer of its own. Of the mean magnitudes say nothing.
//!
//! Integers only. The first layer's sums have 16 bits and saturate, so their order counts: channels rising, of each the farther
//! row first, columns rising; then group by group the row itself, channels and columns rising. `training/row_net.py` trains the weights.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::products;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::products;

use super::classes::{LEAST_SCALE, SCALE_SUM_MAX};
use super::input::Input;
use super::model::BAD_MODEL;
use super::predict::{add_blocks, DenseTerm};
use super::rows::{Rows, MAGNITUDE_LIMIT};
use crate::memory::zeros;
use crate::Error;

/// Units of the two layers.
const FIRST: usize = 64;
const SECOND: usize = 32;
/// Rows above that a unit sees.
const ROWS: usize = 2;
/// Columns of each, of which the one in the middle is its own.
const COLUMNS: usize = 5;
/// What a magnitude counts: near its root, in eighths.
const FEATURES: [i16; MAGNITUDE_LIMIT as usize + 1] = [
    0, 5, 8, 10, 12, 14, 16, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 35,
];
/// The first layer's weights are no larger, so that a weight times a feature has 16 bits.
const ENTER_MAX: i16 = i16::MAX / FEATURES[MAGNITUDE_LIMIT as usize];
/// A unit's value has `HIDDEN_BITS` bits below one and is at most this.
const HIDDEN_MAX: i16 = 4095;
const HIDDEN_BITS: u32 = 10;
/// Bits below one of the second layer's weights and of the output's.
const MIDDLE_BITS: u32 = 8;
const OUTPUT_BITS: u32 = 12;
/// Bits below one of a factor, and its ends: 1/16 to just below 4.
const FACTOR_BITS: u32 = 8;
const FACTOR_MIN: i32 = 16;
const FACTOR_MAX: i32 = 1023;

/// Weights that a sample of a row above adds at once: those of the units of five columns, from the leftmost on.
const REACH: usize = COLUMNS * FIRST;

#[derive(Debug, Clone)]
pub struct RowNet {
    /// [knot][unit]
    biases: Vec<[i16; FIRST]>,
    /// By channel; of the farther row first.
    enter: Vec<[[i16; REACH]; ROWS]>,
    /// By channel, of the row itself; empty where that is not seen.
    here: Vec<[i16; REACH]>,
    groups: Vec<Group>,
    /// By channel, of its factor's distance from one.
    leave_biases: Vec<i32>,
    leave: Vec<[i16; SECOND]>,
}

/// Channels that share a second layer.
#[derive(Debug, Clone)]
struct Group {
    /// The first of them; they go on up to the next group's.
    start: usize,
    biases: [i32; SECOND],
    /// [second][first]
    weights: [[i16; FIRST]; SECOND],
}

impl RowNet {
    /// In the file, where the row itself is seen: a count of groups u8 and the first channel u8 of each, rising from 0. Then,
    /// all i16: biases [knot][first], weights of the first layer [channel][row from above][column from the left][first], those
    /// of the row itself, if seen, [channel][column from the left][first], biases [group][second] and weights
    /// [group][second][first] of the second, biases and weights [channel][second] of the outputs.
    pub fn parse(
        input: &mut Input<'_>,
        channels: usize,
        knots: usize,
        sees_row: bool,
    ) -> Result<Self, Error> {
        let starts = if sees_row {
            let count = usize::from(input.take(1)?[0]);
            input.take(count)?
        } else {
            &[0]
        };
        let is_inside = |&start: &u8| usize::from(start) < channels;
        if starts.first() != Some(&0)
            || !starts.is_sorted_by(|a, b| a < b)
            || !starts.iter().all(is_inside)
        {
            return Err(BAD_MODEL);
        }
        let group = |&start: &u8| Group {
            start: usize::from(start),
            biases: [0; SECOND],
            weights: [[0; FIRST]; SECOND],
        };
        let mut net = Self {
            biases: Vec::with_capacity(knots),
            enter: Vec::with_capacity(channels),
            here: Vec::new(),
            groups: starts.iter().map(group).collect(),
            leave_biases: Vec::with_capacity(channels),
            leave: Vec::with_capacity(channels),
        };
        for _ in 0..knots {
            net.biases.push(input.numbers()?);
        }
        for _ in 0..channels {
            let mut rows = [[0; REACH]; ROWS];
            for reach in &mut rows {
                *reach = parse_reach(input)?;
            }
            net.enter.push(rows);
        }
        for _ in 0..if sees_row { channels } else { 0 } {
            net.here.push(parse_reach(input)?);
        }
        for group in &mut net.groups {
            group.biases = input.numbers::<SECOND>()?.map(i32::from);
        }
        for row in net.groups.iter_mut().flat_map(|group| &mut group.weights) {
            *row = input.numbers()?;
        }
        for _ in 0..channels {
            let [bias] = input.numbers()?;
            net.leave_biases.push(i32::from(bias));
        }
        for _ in 0..channels {
            net.leave.push(input.numbers()?);
        }
        net.check_sums()?;
        Ok(net)
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        if self.sees_row() {
            out.push(self.groups.len() as u8);
            out.extend(self.groups.iter().map(|group| group.start as u8));
        }
        let mut put = |numbers: &[i16]| out.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        self.biases.iter().for_each(|biases| put(biases));
        for reach in self.enter.iter().flatten().chain(&self.here) {
            reach.chunks_exact(FIRST).rev().for_each(&mut put);
        }
        for group in &self.groups {
            put(&group.biases.map(|bias| bias as i16));
        }
        let rows = self.groups.iter().flat_map(|group| &group.weights);
        rows.for_each(|row| put(row));
        self.leave_biases
            .iter()
            .for_each(|&bias| put(&[bias as i16]));
        self.leave.iter().for_each(|weights| put(weights));
    }

    /// Whether what was coded of a row says something of its later channels.
    pub fn sees_row(&self) -> bool {
        !self.here.is_empty()
    }

    /// Refuses weights whose products or sums could overflow.
    fn check_sums(&self) -> Result<(), Error> {
        let mut enter = self.enter.iter().flatten().chain(&self.here).flatten();
        if enter.any(|weight| weight.unsigned_abs() > ENTER_MAX as u16) {
            return Err(BAD_MODEL);
        }
        let most = |weights: &[i16], bias: i32, bias_bits: u32| {
            let sum: i64 = weights.iter().map(|&w| i64::from(w).abs()).sum();
            sum * i64::from(HIDDEN_MAX) + (i64::from(bias).abs() << bias_bits)
        };
        let groups = self.groups.iter();
        let middle = groups.flat_map(|group| group.weights.iter().zip(group.biases));
        let leaves = self.leave.iter().zip(&self.leave_biases);
        let sums = middle
            .map(|(row, bias)| most(row, bias, MIDDLE_BITS))
            .chain(leaves.map(|(weights, &bias)| most(weights, bias, HIDDEN_BITS)));
        if sums.into_iter().any(|sum| sum > i64::from(i32::MAX)) {
            return Err(BAD_MODEL);
        }
        Ok(())
    }

    /// The first layer's biases `above` of `step` between a knot and the next.
    pub fn biases(&self, knot: usize, above: i64, step: i64) -> [i16; FIRST] {
        let (low, high) = (&self.biases[knot], &self.biases[knot + 1]);
        std::array::from_fn(|unit| {
            let (low, high) = (i64::from(low[unit]), i64::from(high[unit]));
            (low + ((high - low) * above).div_euclid(step)) as i16
        })
    }
}

/// Weights of the units of five columns, in the file from the left on.
fn parse_reach(input: &mut Input<'_>) -> Result<[i16; REACH], Error> {
    let mut reach = [0; REACH];
    // What a unit sees on its left adds to the units on the right of it.
    for units in reach.chunks_exact_mut(FIRST).rev() {
        units.copy_from_slice(&input.numbers::<FIRST>()?);
    }
    Ok(reach)
}

/// The network at one rate.
pub struct RateNet<'a> {
    pub net: &'a RowNet,
    pub biases: [i16; FIRST],
}

/// What the network makes of what is around a row.
pub struct Hidden {
    /// [column, from two left of the row on][unit] of the first layer
    first: Vec<i16>,
    /// [unit of the second layer][column, in whole blocks]
    second: Vec<i16>,
    /// Sums of a channel's output, [column, in whole blocks].
    factors: Vec<i32>,
    terms: Vec<DenseTerm>,
    padded_width: usize,
    /// Group whose second layer this is.
    group: usize,
}

impl Hidden {
    pub fn new(rows: &Rows) -> Result<Self, Error> {
        let padded_width = rows.padded_width();
        Ok(Self {
            first: zeros((padded_width + COLUMNS) * FIRST)?,
            second: zeros(padded_width * SECOND)?,
            factors: zeros(padded_width)?,
            terms: Vec::with_capacity(SECOND),
            padded_width,
            group: 0,
        })
    }

    /// Looks at the rows above the one that `rows` has entered.
    pub fn enter(&mut self, at: &RateNet<'_>, rows: &Rows) {
        for units in self.first.as_chunks_mut().0 {
            *units = at.biases;
        }
        for (channel, weights) in at.net.enter.iter().enumerate() {
            for (up, weights) in (1..=ROWS).rev().zip(weights) {
                self.add_row(rows, channel, up, weights);
            }
        }
        self.group = 0;
        self.fill_second(&at.net.groups[0], rows.width());
    }

    /// Takes in what the groups before that of `channel` have in the row itself.
    pub fn advance(&mut self, net: &RowNet, rows: &Rows, channel: usize) {
        let mut is_behind = false;
        while let Some(next) = net.groups.get(self.group + 1) {
            if channel < next.start {
                break;
            }
            for earlier in net.groups[self.group].start..next.start {
                self.add_row(rows, earlier, 0, &net.here[earlier]);
            }
            self.group += 1;
            is_behind = true;
        }
        if is_behind {
            self.fill_second(&net.groups[self.group], rows.width());
        }
    }

    /// Adds a channel's row to the units that see it.
    fn add_row(&mut self, rows: &Rows, channel: usize, up: usize, weights: &[i16; REACH]) {
        if let Some(seen) = rows.seen(channel, up) {
            for seen in seen {
                self.scatter(usize::from(seen.column), seen.magnitude(), weights);
            }
            return;
        }
        let magnitudes = &rows.magnitudes()[rows.start(channel, up)..][..rows.width()];
        for (column, &magnitude) in magnitudes.iter().enumerate() {
            if magnitude != 0 {
                self.scatter(column, magnitude, weights);
            }
        }
    }

    /// Adds what a sample is to the units of the five columns around it.
    #[inline(always)]
    fn scatter(&mut self, column: usize, magnitude: i16, weights: &[i16; REACH]) {
        let feature = FEATURES[magnitude as usize];
        if let Some(units) = self.first[column * FIRST..].first_chunk_mut::<REACH>() {
            for (unit, &weight) in units.iter_mut().zip(weights) {
                *unit = unit.saturating_add(weight * feature);
            }
        }
    }

    fn fill_second(&mut self, group: &Group, width: usize) {
        let columns = self.first.as_chunks::<FIRST>().0[COLUMNS / 2..].iter();
        for (column, first) in columns.take(width).enumerate() {
            let first = first.map(|value| value.clamp(0, HIDDEN_MAX));
            let sums = products(&group.weights, &first);
            for (unit, (sum, bias)) in sums.into_iter().zip(group.biases).enumerate() {
                let sum = (bias << MIDDLE_BITS) + sum;
                let value = (sum >> MIDDLE_BITS).clamp(0, i32::from(HIDDEN_MAX));
                self.second[unit * self.padded_width + column] = value as i16;
            }
        }
    }

    /// Multiplies a channel's scale sums, from column 0 on, by what the network says.
    pub fn sharpen(&mut self, net: &RowNet, channel: usize, scale: &mut [i32]) {
        const SHIFT: u32 = HIDDEN_BITS + OUTPUT_BITS - FACTOR_BITS;
        self.factors.fill(net.leave_biases[channel] << HIDDEN_BITS);
        let starts = (0..SECOND).map(|unit| unit * self.padded_width);
        self.terms.clear();
        self.terms.extend(starts.zip(net.leave[channel]));
        add_blocks(&mut self.factors, &self.second, &self.terms);
        for (scale, &factor) in scale.iter_mut().zip(&self.factors) {
            let factor = ((1 << FACTOR_BITS) + (factor >> SHIFT)).clamp(FACTOR_MIN, FACTOR_MAX);
            *scale = (((*scale).min(SCALE_SUM_MAX) * factor) >> FACTOR_BITS).max(LEAST_SCALE);
        }
    }
}
