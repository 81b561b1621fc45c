//! Backward adaptation: how large the symbols of each channel are in this band, beside what the model makes of them.
//!
//! Behind a row every symbol of it tells whether more or less scale would have made it cheaper: the slope of its code length
//! over the scale class, by the model's own tables. Summed over a row and divided by the curvature that the tables expect of all
//! rows so far (their Fisher information), that is a step of the natural gradient (Amari, Natural Gradient Works Efficiently in
//! Learning, 1998): a channel's scale sums are multiplied accordingly from its next row on. Rows far above count less
//! and less. Encoder and decoder see the same symbols; integers only.

use super::classes::{node_of, Context, LEAST_SCALE, SCALE_SUM_MAX, WHOLE_CLASSES};
use super::intervals::{FRACTIONS, RESIDUALS};
use super::model::RateModel;
use super::residual;
use super::tables::{cell_of_index, Table, TableSet};
use crate::log2::{exp2_negative, log2};
use crate::memory::zeros;
use crate::rans::SCALE_BITS;
use crate::Error;

/// Bits below one of a factor, which is 1/4 to just below 4.
const FACTOR_BITS: u32 = 8;
const FACTOR_MAX: i32 = (4 << FACTOR_BITS) - 1;
/// Bits below one of code lengths, slopes and information.
const LENGTH_BITS: u32 = 16;
/// Bits below one of a shift, in scale classes of a quarter of an octave.
const SHIFT_BITS: u32 = 8;
/// Two octaves.
const SHIFT_MAX: i64 = 8 << SHIFT_BITS;
/// Factors lie a quarter of a class apart.
const STEP_BITS: u32 = SHIFT_BITS - 2;
/// Steps of two octaves.
const OCTAVES2_STEPS: i32 = 32;
/// Information that stands for the model itself, in bits by a class squared.
const PRIOR: i64 = 3 << LENGTH_BITS;
/// Of the information of the rows before, one part in 2^this is forgotten with each row.
const FORGET_BITS: u32 = 3;
/// ln 2, with `LENGTH_BITS`.
const LN_2: i64 = 45_426;

/// The channels of a band while it is gone through, row by row.
pub struct Adaptation {
    /// By place in the list of intervals: slope of the code length over the scale class. Empty for models that do not adapt.
    slopes: Vec<i32>,
    /// By node: information of a symbol.
    information: Vec<i32>,
    channels: Vec<Channel>,
}

#[derive(Clone, Copy, Default)]
struct Channel {
    /// Classes that its scales are to be moved by.
    shift: i64,
    information: i64,
}

/// What scale sums are multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor(i32);

impl Factor {
    pub const ONE: Self = Self(1 << FACTOR_BITS);

    /// Of whole steps.
    fn of_steps(steps: i32) -> Self {
        // 2^-24 units of 2^(steps / 16 - 2), which is at most one.
        let power = exp2_negative(((OCTAVES2_STEPS - steps) * 16) as u32);
        Self(((power >> (24 - 2 - FACTOR_BITS)) as i32).min(FACTOR_MAX))
    }

    /// Multiplies scale sums.
    pub fn apply(self, scale: &mut [i32]) {
        if self != Self::ONE {
            for scale in scale {
                *scale = (((*scale).min(SCALE_SUM_MAX) * self.0) >> FACTOR_BITS).max(LEAST_SCALE);
            }
        }
    }

    /// A weight of what is added to the sums afterwards.
    pub fn weight(self, weight: i16) -> i16 {
        ((i32::from(weight) * self.0) >> FACTOR_BITS).min(i32::from(i16::MAX)) as i16
    }
}

impl Adaptation {
    pub fn new(model: &RateModel<'_>) -> Result<Self, Error> {
        let (slopes, information) = if model.adapts {
            of_tables(model.tables)?
        } else {
            (Vec::new(), Vec::new())
        };
        Ok(Self {
            slopes,
            information,
            channels: zeros(model.channels.len())?,
        })
    }

    /// Whether rows have to be noted.
    pub fn is_on(&self) -> bool {
        !self.slopes.is_empty()
    }

    /// What the scale sums of a channel's next row are multiplied by.
    pub fn factor(&self, channel: usize) -> Factor {
        let step = 1 << STEP_BITS;
        match (self.channels[channel].shift + step / 2) >> STEP_BITS {
            0 => Factor::ONE,
            steps => Factor::of_steps(steps as i32),
        }
    }

    /// Takes note of a channel's row by its symbols' places in the list of intervals.
    pub fn note(&mut self, channel: usize, places: &[u16]) {
        if !self.is_on() {
            return;
        }
        let (mut slope, mut information) = (0i64, 0i64);
        for &place in places {
            let place = usize::from(place);
            // Symbols of the widest classes say nothing.
            if let (Some(&of_symbol), Some(&of_node)) = (
                self.slopes.get(place),
                self.information.get(place / RESIDUALS),
            ) {
                slope += i64::from(of_symbol);
                information += i64::from(of_node);
            }
        }
        let channel = &mut self.channels[channel];
        channel.information += information - (channel.information >> FORGET_BITS);
        let step = (slope << SHIFT_BITS) / (channel.information + PRIOR);
        channel.shift = (channel.shift - step).clamp(-SHIFT_MAX, SHIFT_MAX);
    }
}

/// Slopes by place and information by node of all nodes whose cells are single symbols.
fn of_tables(tables: &TableSet) -> Result<(Vec<i32>, Vec<i32>), Error> {
    let lengths = Lengths::new(tables);
    let nodes = WHOLE_CLASSES * FRACTIONS;
    let mut slopes: Vec<i32> = zeros(nodes * RESIDUALS)?;
    let mut information: Vec<i32> = zeros(nodes)?;
    let lists = slopes.as_chunks_mut::<RESIDUALS>().0.iter_mut();
    for (node, (slopes, information)) in lists.zip(&mut information).enumerate() {
        let (class, fraction) = (node / FRACTIONS, node % FRACTIONS);
        let (low, high) = (class.saturating_sub(1), class + 1);
        for (place, slope) in slopes.iter_mut().enumerate() {
            let residual = residual_of(place);
            let rise = lengths.of(high, fraction, residual) - lengths.of(low, fraction, residual);
            *slope = (rise / (high - low) as i64) as i32;
        }
        let shares = shares(tables, Context { node, base: 0 });
        // What the tables themselves expect is no reason to move.
        let weighted = slopes
            .iter()
            .zip(shares)
            .map(|(&slope, share)| i64::from(slope) * share);
        let mean = (weighted.sum::<i64>() >> SCALE_BITS) as i32;
        slopes.iter_mut().for_each(|slope| *slope -= mean);
        let squares = slopes.iter().zip(shares).map(|(&slope, share)| {
            let slope = i64::from(slope >> (LENGTH_BITS / 4));
            slope * slope * share
        });
        let mean_square = squares.sum::<i64>() >> (LENGTH_BITS / 2 + SCALE_BITS);
        *information = ((mean_square * LN_2) >> LENGTH_BITS) as i32;
    }
    Ok((slopes, information))
}

/// Of a place in a node's list.
fn residual_of(place: usize) -> i16 {
    place as i16 - RESIDUALS as i16 / 2
}

/// Probabilities in 2^-`SCALE_BITS` of a node's residuals by its table; what is beyond the list, of its ends.
fn shares(tables: &TableSet, context: Context) -> [i64; RESIDUALS] {
    let table = tables.of(context);
    let mut shares = [0; RESIDUALS];
    let mut add = |residual: i32, share: i64| {
        let half = RESIDUALS as i32 / 2;
        shares[(residual.clamp(-half, half - 1) + half) as usize] += share;
    };
    for index in 0..table.escape() {
        add(
            context.turned(cell_of_index(index)),
            i64::from(table.interval(index).1),
        );
    }
    // Escapes are beyond the table's reach on either side.
    let (escaped, beyond) = (
        i64::from(table.interval(table.escape()).1),
        table.escape() as i32 / 2 + 1,
    );
    add(beyond, escaped / 2);
    add(-beyond, escaped - escaped / 2);
    shares
}

/// Code lengths of residuals, with `LENGTH_BITS`.
struct Lengths<'a> {
    tables: &'a TableSet,
    /// Of every interval of every table.
    of_intervals: Vec<Vec<i64>>,
}

impl<'a> Lengths<'a> {
    fn new(tables: &'a TableSet) -> Self {
        let of_table = |table: &Table| {
            let of_interval = |index| {
                let size = u64::from(table.interval(index).1);
                (i64::from(SCALE_BITS) << LENGTH_BITS) - log2(size) as i64
            };
            (0..=table.escape()).map(of_interval).collect()
        };
        Self {
            tables,
            of_intervals: tables.tables().iter().map(of_table).collect(),
        }
    }

    fn of(&self, class: usize, fraction: usize, residual: i16) -> i64 {
        let context = Context {
            node: node_of(class, fraction),
            base: 0,
        };
        let table = self.tables.of(context);
        let (index, _) = context.index_of(residual);
        let raw_bits = i64::from(residual::raw_bits(table, context, index));
        self.of_intervals[context.table()][index.min(table.escape())] + (raw_bits << LENGTH_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::classes::TABLES;
    use super::*;
    use crate::rans::SCALE;

    /// The higher the class, the farther its table reaches and the less falls on its first cells.
    fn tables() -> TableSet {
        let table = |index: usize| {
            let class = index as u32 / 8;
            let mut frequencies: Vec<u32> = (0..2 * (class / 6) + 1)
                .map(|cell| 40 + 8 * class.saturating_sub(cell))
                .collect();
            frequencies.push(20 + index as u32);
            frequencies[0] += SCALE - frequencies.iter().sum::<u32>();
            Table::new(&frequencies).expect("they sum to the scale")
        };
        TableSet::new((0..TABLES).map(table).collect())
    }

    #[test]
    fn slopes_are_those_of_the_bits_and_their_means_are_zero() {
        let tables = tables();
        let (slopes, information) = of_tables(&tables).expect("there is memory");
        for (node, (slopes, &information)) in slopes
            .as_chunks::<RESIDUALS>()
            .0
            .iter()
            .zip(&information)
            .enumerate()
        {
            let (class, fraction) = (node / FRACTIONS, node % FRACTIONS);
            let (low, high) = (class.saturating_sub(1), class + 1);
            let bits = |class: usize, place: usize| {
                let context = Context {
                    node: node_of(class, fraction),
                    base: 0,
                };
                residual::bits(tables.of(context), context, residual_of(place))
            };
            let exact: [f64; RESIDUALS] = std::array::from_fn(|place| {
                (bits(high, place) - bits(low, place)) / (high - low) as f64
            });
            let shares = shares(&tables, Context { node, base: 0 })
                .map(|share| share as f64 / f64::from(SCALE));
            assert_eq!(shares.iter().sum::<f64>(), 1.0);
            let mean: f64 = exact
                .iter()
                .zip(shares)
                .map(|(slope, share)| slope * share)
                .sum();
            let square: f64 = exact
                .iter()
                .zip(shares)
                .map(|(slope, share)| (slope - mean).powi(2) * share)
                .sum();
            for (slope, exact) in slopes.iter().zip(exact) {
                assert!(
                    (f64::from(*slope) / 65536.0 - (exact - mean)).abs() < 2e-4,
                    "node {node}"
                );
            }
            let found = f64::from(information) / 65536.0;
            assert!(
                (found - square * std::f64::consts::LN_2).abs() < 1e-3 + 0.01 * found,
                "node {node}: {found}"
            );
        }
    }

    #[test]
    fn factors_rise_from_a_quarter_to_four_by_sixteenths_of_an_octave() {
        for steps in -OCTAVES2_STEPS..=OCTAVES2_STEPS {
            let exact = 256.0 * (f64::from(steps) / 16.0).exp2();
            let Factor(factor) = Factor::of_steps(steps);
            assert!(
                (f64::from(factor) - exact).abs() <= 1.0,
                "{steps}: {factor} for {exact}"
            );
        }
        assert_eq!(Factor::of_steps(0), Factor::ONE);
    }
}
