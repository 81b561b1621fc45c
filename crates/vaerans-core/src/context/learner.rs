//! Prediction that learns while it codes, for the few channels that are pictures themselves: the means of the cells, in which
//! most bits of a low rate are.
//!
//! To the mean that the model expects it adds a weighted sum of how its neighbours differ from that mean, and of the slopes of the
//! learning channels before it. The weights begin at zero and take a step of normalised least mean squares behind every symbol
//! (Nagumo and Noda, A Learning Method for System Identification, 1967), as lossless coders of sound and pictures do. How
//! far the predictions around were off sharpens the scale. Integers only; encoder and decoder learn the same.

use super::classes::{FRACTION_BITS, LEAST_SCALE, SCALE_SUM_MAX};
use super::model::RateModel;
use super::predict::Sums;
use super::rows::limited;
use crate::memory::zeros;
use crate::Error;

/// Rows up and columns right of a channel's own neighbours.
const OWN: [(usize, isize); 10] = [
    (0, -1),
    (0, -2),
    (1, 0),
    (1, -1),
    (1, 1),
    (1, -2),
    (1, 2),
    (2, 0),
    (2, -1),
    (2, 1),
];
/// Those of a learning channel before it, whose row is known whole.
const ACROSS: [(usize, isize); 5] = [(0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];
/// Those whose errors sharpen the scale, and what they count, in eighths.
const ERRORS: [(usize, isize, i64); 6] = [
    (0, -1, 2),
    (1, 0, 2),
    (1, -1, 1),
    (1, 1, 1),
    (0, -2, 1),
    (2, 0, 1),
];
/// Rows that are looked at: this one and two above.
const ROWS: usize = 3;

/// Bits below one of differences and errors, in symbols.
const DIFFERENCE_BITS: u32 = 6;
/// From sums to differences.
const DROPPED_BITS: u32 = FRACTION_BITS - DIFFERENCE_BITS;
/// Bits below one of the weights, and their ends: -4 to 4.
const WEIGHT_BITS: u32 = 20;
const WEIGHT_MAX: i64 = 4 << WEIGHT_BITS;
/// Step of least mean squares, in 1024ths.
const STEP: i64 = 102;
const STEP_BITS: u32 = 10;
/// Squared scales that count as differences that were seen, so that few neighbours teach little.
const DAMPING: i64 = 10;
/// Scales below three tenths of a symbol count as that.
const SCALE_MIN: i32 = 4915;
/// Errors teach no more than those of three scales.
const TAUGHT_SCALES: i64 = 3;
/// Bits below one of an error beside its scale, and the largest.
const RATIO_BITS: u32 = 8;
const RATIO_MAX: i64 = 6 << RATIO_BITS;
/// Of a neighbour that there is not: one that leaves the scale as it is.
const RATIO_OUTSIDE: i64 = 427;
/// What the scale is multiplied by without any error, and what a ratio adds, in 256ths.
const FACTOR_LEAST: i64 = 128;
const FACTOR_RISE: i64 = 77;
const FACTOR_BITS: u32 = 8;
/// Means stay within this, so that they round to -32767..=32767.
const MEAN_MAX: i64 = 32766 << FRACTION_BITS;

/// The learning channels of a band while it is gone through.
pub struct Learners {
    /// By channel: its place among `channels`.
    places: Vec<Option<usize>>,
    channels: Vec<Learner>,
    width: usize,
}

struct Learner {
    /// Own neighbours, then those of each learning channel before it.
    weights: Vec<i64>,
    /// What they were multiplied by at the place that was predicted last.
    differences: Vec<i64>,
    /// That place's prediction, with `FRACTION_BITS`, and its scale, with `DIFFERENCE_BITS`.
    mean: i64,
    scale: i64,
    row: usize,
    /// [row % 3][column]
    values: Vec<i16>,
    /// [row % 3][column], of the predictions beside their scales, with `RATIO_BITS`.
    ratios: Vec<i16>,
    /// Scales of this row's places, with `DIFFERENCE_BITS`.
    scales: Vec<i32>,
}

impl Learners {
    pub fn new(model: &RateModel<'_>, width: usize) -> Result<Self, Error> {
        let mut learners = Self {
            places: vec![None; model.channels.len()],
            channels: Vec::with_capacity(model.learning.len()),
            width,
        };
        for (place, &channel) in model.learning.iter().enumerate() {
            let seen = OWN.len() + place * ACROSS.len();
            let mut learner = Learner {
                weights: vec![0; seen],
                differences: vec![0; seen],
                mean: 0,
                scale: 0,
                row: 0,
                values: zeros(ROWS * width)?,
                ratios: zeros(ROWS * width)?,
                scales: zeros(width)?,
            };
            // A channel without any symbols is never begun.
            learner.scales.fill(SCALE_MIN >> DROPPED_BITS);
            learners.places[usize::from(channel)] = Some(place);
            learners.channels.push(learner);
        }
        Ok(learners)
    }

    /// Place of a channel that learns, which is to be told row by row.
    pub fn place(&self, channel: usize) -> Option<usize> {
        self.places[channel]
    }

    /// To be called behind the last symbol of a row.
    pub fn end_row(&mut self, place: usize) {
        self.channels[place].row += 1;
    }

    /// Refines the sums of a whole row that is known, and learns from it.
    pub fn refine_row(&mut self, place: usize, sums: &mut Sums, symbols: &[i16]) {
        for (column, &symbol) in symbols.iter().enumerate() {
            let (scale, mean) = (sums.scale()[column], sums.mean()[column]);
            let (scale, mean) = self.refine(place, column, scale, mean);
            sums.set(column, scale, mean);
            self.learn(place, column, symbol);
        }
        self.end_row(place);
    }

    /// Scale and mean sums of a place, of which everything before it is known.
    pub fn refine(&mut self, place: usize, column: usize, scale: i32, mean: i32) -> (i32, i32) {
        let (before, from) = self.channels.split_at_mut(place);
        let learner = &mut from[0];
        let at = |up, offset| neighbour(self.width, learner.row, column, up, offset);
        let scale_kept = scale.clamp(SCALE_MIN, SCALE_SUM_MAX) >> DROPPED_BITS;
        learner.scales[column] = scale_kept;
        learner.scale = i64::from(scale_kept);

        let mut differences = learner.differences.iter_mut();
        for ((up, offset), difference) in OWN.into_iter().zip(&mut differences) {
            let of = |index| (i64::from(learner.values[index]) << FRACTION_BITS) - i64::from(mean);
            *difference = at(up, offset).map_or(0, of) >> DROPPED_BITS;
        }
        for other in before {
            // Half as much as where a scale stands for a scale.
            let ratio = (learner.scale << RATIO_BITS) / i64::from(other.scales[column]);
            let row = learner.row;
            let here = i64::from(other.values[(row % ROWS) * self.width + column]);
            for ((up, offset), difference) in ACROSS.into_iter().zip(&mut differences) {
                let slope = neighbour(self.width, row, column, up, offset)
                    .map_or(0, |index| here - i64::from(other.values[index]));
                *difference = (slope * ratio) >> (RATIO_BITS - DIFFERENCE_BITS + 1);
            }
        }
        let products = learner.weights.iter().zip(&learner.differences);
        let sum: i64 = products
            .map(|(weight, difference)| weight * difference)
            .sum();
        let added = sum >> (WEIGHT_BITS + DIFFERENCE_BITS - FRACTION_BITS);
        learner.mean = (i64::from(mean) + added).clamp(-MEAN_MAX, MEAN_MAX);

        let ratios = ERRORS.map(|(up, offset, weight)| {
            let ratio = at(up, offset).map_or(RATIO_OUTSIDE, |index| learner.ratios[index].into());
            weight * ratio
        });
        let factor =
            FACTOR_LEAST + ((FACTOR_RISE * (ratios.iter().sum::<i64>() >> 3)) >> RATIO_BITS);
        let refined = (i64::from(scale.min(SCALE_SUM_MAX)) * factor) >> FACTOR_BITS;
        let refined = refined.clamp(LEAST_SCALE.into(), SCALE_SUM_MAX.into());
        (refined as i32, learner.mean as i32)
    }

    /// Learns from the symbol at the place that was refined last.
    pub fn learn(&mut self, place: usize, column: usize, symbol: i16) {
        let learner = &mut self.channels[place];
        let own = (learner.row % ROWS) * self.width + column;
        let value = limited(symbol);
        learner.values[own] = value;
        let error = ((i64::from(value) << FRACTION_BITS) - learner.mean) >> DROPPED_BITS;
        let ratio = (error.abs() << RATIO_BITS) / learner.scale;
        learner.ratios[own] = ratio.min(RATIO_MAX) as i16;

        let most = TAUGHT_SCALES * learner.scale;
        let squares: i64 = learner.differences.iter().map(|d| d * d).sum();
        let norm = DAMPING * learner.scale * learner.scale + squares;
        let step = ((error.clamp(-most, most) * STEP) << WEIGHT_BITS) / norm;
        for (weight, difference) in learner.weights.iter_mut().zip(&learner.differences) {
            let change = (step * difference + (1 << (STEP_BITS - 1))) >> STEP_BITS;
            *weight = (*weight + change).clamp(-WEIGHT_MAX, WEIGHT_MAX);
        }
    }
}

/// Index of a neighbour in three rows, if it is inside.
#[inline(always)]
fn neighbour(width: usize, row: usize, column: usize, up: usize, offset: isize) -> Option<usize> {
    let column = column.checked_add_signed(offset)?;
    (column < width && up <= row).then(|| ((row - up) % ROWS) * width + column)
}
