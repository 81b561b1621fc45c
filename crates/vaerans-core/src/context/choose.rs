//! Quantisation for rate: symbols chosen by what they cost this coder, not by nearness alone. An encoder's business; what
//! comes out is coded like any other symbols.
//!
//! A band is gone through as a decoder would, so every context is the one that the symbol will have. Where the nearest
//! symbol is not the one that the context expects, the symbol next to it on the expected side is weighed against it:
//! squared error in steps, plus `lambda` for a bit.

use super::classes::Context;
use super::contexts::Contexts;
use super::grid::{self, rows_of, Band, Coarse, Grid};
use super::model::{ContextModel, RateModel};
use super::residual;
use super::tables::TableSet;
use crate::error::check_count;
use crate::log2::log2;
use crate::quantise::round_to_symbol;
use crate::rans::SCALE_BITS;
use crate::Error;

/// Squared steps for a bit: more would make nearly every symbol the expected one.
pub const LAMBDA_MAX: f32 = 1.0;

/// Chooses the symbols of a band of every grid; the grids' values lie as the symbols will. `gains`, one a channel, all
/// grids' in turn, turn a value into steps; `lambda` is 0 (the nearest symbol) to `LAMBDA_MAX`. `rate` and bands have to
/// be those of the encoder.
pub fn choose(
    model: &ContextModel,
    rate: u32,
    grids: &[Grid<&[f32]>],
    gains: &[f32],
    lambda: f32,
    destinations: &mut [&mut [i16]],
) -> Result<(), Error> {
    grid::check(model, grids, |samples| samples.len())?;
    check_count("grids of symbols", grids.len(), destinations.len())?;
    let channels = model.grids().iter().map(|grid| grid.channels()).sum();
    check_count("gains", channels, gains.len())?;
    if !(0.0..=LAMBDA_MAX).contains(&lambda) {
        return Err(Error::OutOfRange {
            what: "a lambda from 0 to 1",
        });
    }
    let mut gains = gains;
    let mut before = None;
    for ((model, &Grid { band, samples }), symbols) in
        model.at_rate(rate)?.iter().zip(grids).zip(destinations)
    {
        band.check(model.channels.len(), symbols.len())?;
        let (own, others) = gains.split_at(model.channels.len());
        gains = others;
        choose_grid(model, samples, own, lambda, band, before, symbols)?;
        before = Some(Grid {
            band,
            samples: &**symbols,
        });
    }
    Ok(())
}

fn choose_grid(
    model: &RateModel<'_>,
    source: &[f32],
    gains: &[f32],
    lambda: f32,
    band: Band,
    before: Option<Grid<&[i16]>>,
    destination: &mut [i16],
) -> Result<(), Error> {
    let balance = Balance::new(model, lambda);
    let mut rows = rows_of(model, band)?;
    let mut coarse = Coarse::new(model, band, before)?;
    let mut contexts = Contexts::new(model, &rows)?;
    for row in 0..band.height {
        rows.enter(row);
        if let Some(coarse) = &mut coarse {
            coarse.store(&mut rows, gains.len(), row);
        }
        contexts.enter(&rows);
        for (channel, &gain) in gains.iter().enumerate() {
            let mut trail = contexts.begin(&rows, channel);
            let place = band.row(channel, row);
            let symbols = &mut destination[place.clone()];
            for (column, (symbol, &value)) in symbols.iter_mut().zip(&source[place]).enumerate() {
                *symbol = balance.weigh(contexts.next(&trail, column), value * gain);
                contexts.note(&mut trail, column, *symbol);
            }
            rows.store(channel, symbols);
            rows.sum_ring(channel);
            contexts.end(&rows, symbols);
        }
    }
    Ok(())
}

/// Weighs errors against bits.
struct Balance<'a> {
    tables: &'a TableSet,
    /// Bits of every interval of every table.
    bits: Vec<f32>,
    /// Where a table's bits begin.
    starts: Vec<usize>,
    lambda: f32,
}

impl<'a> Balance<'a> {
    fn new(model: &RateModel<'a>, lambda: f32) -> Self {
        let mut bits = Vec::new();
        let mut starts = Vec::new();
        for table in model.tables.tables() {
            starts.push(bits.len());
            bits.extend((0..=table.escape()).map(|index| {
                let (_, size) = table.interval(index);
                // Integers of 20 bits, so that the float is the same everywhere.
                let units = (u64::from(SCALE_BITS) << 16) - log2(u64::from(size));
                units as f32 / 65536.0
            }));
        }
        Self {
            tables: model.tables,
            bits,
            starts,
            lambda,
        }
    }

    /// The better one of the symbol nearest to `exact`, in steps, and its neighbour on the side of the context's base.
    #[inline(always)]
    fn weigh(&self, context: Context, exact: f32) -> i16 {
        let nearest = round_to_symbol(exact);
        let towards = (context.base - i32::from(nearest)).signum() as i16;
        if towards == 0 {
            return nearest;
        }
        let other = nearest + towards;
        let weight = |symbol: i16| {
            let error = exact - f32::from(symbol);
            error * error + self.lambda * self.cost(context, symbol)
        };
        if weight(other) < weight(nearest) {
            other
        } else {
            nearest
        }
    }

    fn cost(&self, context: Context, symbol: i16) -> f32 {
        let table = self.tables.of(context);
        let (index, _) = context.index_of(symbol);
        let cell = self.bits[self.starts[context.table()] + index.min(table.escape())];
        cell + residual::raw_bits(table, context, index) as f32
    }
}
