//! Counts of residuals in every context, and tables from counts.

use super::super::classes::{cell_shift, scale_of_table, side_of_table, TABLES};
use super::super::model::RateModel;
use super::super::tables::{Table, TableSet, REACH_MAX};
use super::walk::walk;
use crate::Error;

/// Counted indices: every cell within reach, and all beyond.
const INDICES: usize = 2 * REACH_MAX + 2;
/// Weight, in symbols, of the Laplace shape that a table starts from.
const SEED_COUNT: f64 = 8.0;
/// A table reaches as far as this share of its symbols asks,
const TAIL_SHARE: f64 = 1.0 / 8192.0;
/// but only as far as about this many symbols have been seen.
const TAIL_COUNT: f64 = 4.0;
const TOTAL: f64 = 16384.0;

#[derive(Clone)]
pub struct Counts {
    /// [table][index]
    counts: Vec<[u64; INDICES]>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            counts: vec![[0; INDICES]; TABLES],
        }
    }
}

impl Counts {
    /// Counts the symbols of one picture, `[channel][height][width]`; channels that are all zero
    /// are left out, as the coder leaves them out.
    pub fn add_picture(
        &mut self,
        model: &RateModel<'_>,
        symbols: &[i16],
        size: (usize, usize),
    ) -> Result<(), Error> {
        walk(model, symbols, size, None, |_, context, symbol| {
            let (index, _) = context.index_of(symbol);
            self.counts[context.table()][index.min(INDICES - 1)] += 1;
        })
    }
}

/// Smoothed tables of what was counted.
pub fn fit_tables(counts: &Counts) -> TableSet {
    let tables = (0..TABLES).map(|table| {
        let mut weights = laplace_shape(table);
        for (weight, &count) in weights.iter_mut().zip(&counts.counts[table]) {
            *weight = *weight * SEED_COUNT + count as f64;
        }
        quantise(&weights)
    });
    TableSet::new(tables.collect())
}

/// Probabilities of a table's indices if residuals were Laplacian of the class's scale.
fn laplace_shape(table: usize) -> [f64; INDICES] {
    let width = f64::from(1 << cell_shift(table));
    let scale = scale_of_table(table) / width;
    let mean = side_of_table(table) / width;
    let below = |x: f64| {
        let tail = 0.5 * (-(x - mean).abs() / scale).exp();
        if x < mean {
            tail
        } else {
            1.0 - tail
        }
    };
    let mut shape = [0.0; INDICES];
    let reach = REACH_MAX as i32;
    for cell in -reach..=reach {
        let x = f64::from(cell);
        shape[2 * cell.unsigned_abs() as usize - usize::from(cell > 0)] =
            below(x + 0.5) - below(x - 0.5);
    }
    shape[INDICES - 1] = (1.0 - shape.iter().sum::<f64>()).max(0.0);
    shape
}

/// Frequencies of at least 1 that sum to 2^14, for the fewest cells that leave little beyond.
fn quantise(weights: &[f64; INDICES]) -> Table {
    let total: f64 = weights.iter().sum();
    let mut reach = REACH_MAX;
    let mut beyond = weights[INDICES - 1];
    while reach > 0 {
        let pair = weights[2 * reach - 1] + weights[2 * reach];
        if beyond + pair > (total * TAIL_SHARE).max(TAIL_COUNT) {
            break;
        }
        beyond += pair;
        reach -= 1;
    }
    let mut shares: Vec<f64> = weights[..2 * reach + 1].to_vec();
    shares.push(beyond);
    let mut frequencies: Vec<u32> = shares
        .iter()
        .map(|share| ((share / total * TOTAL).round() as u32).max(1))
        .collect();
    // The rounding's remainder goes, step by step, where it costs least.
    loop {
        let sum: u32 = frequencies.iter().sum();
        let up = match sum.cmp(&(TOTAL as u32)) {
            std::cmp::Ordering::Equal => break,
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
        };
        let cost = |index: usize| {
            let now = f64::from(frequencies[index]);
            let next = if up { now + 1.0 } else { now - 1.0 };
            if next < 1.0 {
                f64::INFINITY
            } else {
                shares[index] * (now / next).ln()
            }
        };
        let best = (0..frequencies.len()).min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
        let best = best.unwrap_or(0);
        frequencies[best] = if up {
            frequencies[best] + 1
        } else {
            frequencies[best] - 1
        };
    }
    Table::new(&frequencies).unwrap_or_else(|_| unreachable!("frequencies sum to the total"))
}
