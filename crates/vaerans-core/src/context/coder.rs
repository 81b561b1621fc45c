//! Bands of symbols to streams and back.
//!
//! A stream: the states of 1 or 4 lanes (4 bytes each), then 16-bit words, little-endian. They
//! hold, grid by grid from the coarsest, in this order: for bands of at least `FLAGGED_AREA` samples an alive flag for every
//! channel, by lane 0; then row by row the symbols of the living channels, column x by lane
//! x mod lanes. The words end, and every state is back at its start, exactly after the last symbol.

use super::classes::Context;
use super::contexts::Contexts;
use super::found::Found;
use super::grid::{self, rows_of, Band, Coarse, Grid};
use super::model::{ContextModel, RateModel};
use super::predict::Sums;
use super::residual::{self, SYMBOL_BITS_MAX};
use super::tables::TableSet;
use super::trail::Trail;
use crate::rans::{EncodeInterval, State, WordReader, WordWriter, SCALE, STATE_BYTES};
use crate::Error;

/// Smaller bands have no alive flags: they would cost more than the zeros they save.
const FLAGGED_AREA: usize = 1024;
/// Bands of at least this many symbols have four lanes, others one.
const FOUR_LANES_FROM: usize = 1 << 16;

/// Bytes that no encoding of a band exceeds, or `None` when that does not fit. `sizes` has the
/// width and height of every grid.
pub fn encode_bound(model: &ContextModel, sizes: &[(usize, usize)]) -> Option<usize> {
    let grids = model.grids().iter().zip(sizes);
    grids
        .into_iter()
        .try_fold(4 * STATE_BYTES, |sum, (grid, &(width, height))| {
            let symbols = grid.channels().checked_mul(width)?.checked_mul(height)?;
            let bytes = symbols.checked_mul(SYMBOL_BITS_MAX / 8)?;
            bytes.checked_add(2 * grid.channels())?.checked_add(sum)
        })
}

/// Symbols of all grids.
fn count_symbols<S>(models: &[RateModel<'_>], grids: &[Grid<S>]) -> usize {
    let counts = models.iter().zip(grids);
    counts
        .map(|(model, grid)| model.channels.len() * grid.band.area())
        .sum()
}

/// Codes a band of every grid of the model into the front of `destination` and returns the
/// stream's length in bytes. `rate`, 0 to 4095, has to be the decoder's.
pub fn encode(
    model: &ContextModel,
    rate: u32,
    grids: &[Grid<&[i16]>],
    destination: &mut [u8],
) -> Result<usize, Error> {
    grid::check(model, grids, |samples| samples.len())?;
    let models = model.at_rate(rate)?;
    if count_symbols(&models, grids) >= FOUR_LANES_FROM {
        encode_grids::<4>(&models, grids, destination)
    } else {
        encode_grids::<1>(&models, grids, destination)
    }
}

fn encode_grids<const LANES: usize>(
    models: &[RateModel<'_>],
    grids: &[Grid<&[i16]>],
    destination: &mut [u8],
) -> Result<usize, Error> {
    let capacity_bytes = destination.len();
    let mut words = WordWriter::new(destination);
    let mut states = [State::START; LANES];
    // Backwards, as rANS wants it: all that a context reads is known to the encoder.
    for (index, (model, &grid)) in models.iter().zip(grids).enumerate().rev() {
        let before = index.checked_sub(1).map(|coarse| grids[coarse]);
        put_grid(&mut states, &mut words, model, grid, before)?;
    }
    for state in states.iter().rev() {
        words.put_bytes(state.to_bytes());
    }
    let start = words
        .finish()
        .ok_or(Error::OutputTooSmall { capacity_bytes })?;
    destination.copy_within(start.., 0);
    Ok(capacity_bytes - start)
}

fn put_grid<const LANES: usize>(
    states: &mut [State; LANES],
    words: &mut WordWriter<'_>,
    model: &RateModel<'_>,
    grid: Grid<&[i16]>,
    before: Option<Grid<&[i16]>>,
) -> Result<(), Error> {
    let channels = model.channels.len();
    let living = living_channels(grid.samples, grid.band, channels);
    Found::new(model, grid, before, &living)?.put(states, words, grid, &living);
    if grid.band.area() >= FLAGGED_AREA {
        for channel in (0..channels).rev() {
            let alive = living.binary_search(&channel).is_ok();
            let (start, size) = flag_interval(model.chances[channel], alive);
            states[0].put(&EncodeInterval::new(start, size), words);
        }
    }
    Ok(())
}

/// Channels that are coded: all of a small band, of others those with a symbol that is not zero.
pub(super) fn living_channels(source: &[i16], band: Band, channels: usize) -> Vec<usize> {
    let has_symbols = |&channel: &usize| {
        let plane = &source[channel * band.plane_stride..][..band.area()];
        band.area() < FLAGGED_AREA || plane.iter().any(|&symbol| symbol != 0)
    };
    (0..channels).filter(has_symbols).collect()
}

/// Start and size of an alive flag's interval; a dead channel's lies first.
fn flag_interval(chance: u32, alive: bool) -> (u32, u32) {
    let dead = (256 - chance) * (SCALE / 256);
    if alive {
        (dead, SCALE - dead)
    } else {
        (0, dead)
    }
}

/// Decodes what `encode` made of bands of these shapes at this rate. Any bytes end in symbols or in
/// an error; working memory depends on the bands' widths and the model only.
pub fn decode(
    model: &ContextModel,
    rate: u32,
    source: &[u8],
    grids: &mut [Grid<&mut [i16]>],
) -> Result<(), Error> {
    grid::check(model, grids, |samples| samples.len())?;
    let models = model.at_rate(rate)?;
    if count_symbols(&models, grids) >= FOUR_LANES_FROM {
        decode_grids::<4>(&models, source, grids)
    } else {
        decode_grids::<1>(&models, source, grids)
    }
}

fn decode_grids<const LANES: usize>(
    models: &[RateModel<'_>],
    source: &[u8],
    grids: &mut [Grid<&mut [i16]>],
) -> Result<(), Error> {
    let (heads, tail) = source
        .split_at_checked(LANES * STATE_BYTES)
        .ok_or(Error::Corrupt {
            what: "the coder's states",
        })?;
    let mut states = [State::START; LANES];
    for (state, head) in states.iter_mut().zip(heads.chunks_exact(STATE_BYTES)) {
        *state = State::from_bytes([head[0], head[1], head[2], head[3]]);
    }
    let mut words = WordReader::new(tail);
    let mut before: Option<Grid<&[i16]>> = None;
    for (model, Grid { band, samples }) in models.iter().zip(grids) {
        take_grid(&mut states, &mut words, model, samples, *band, before)?;
        before = Some(Grid {
            band: *band,
            samples,
        });
    }
    if words.is_finished() && states.iter().all(|state| state.is_start()) {
        Ok(())
    } else {
        Err(Error::Corrupt {
            what: "a stream that ends with its last symbol",
        })
    }
}

fn take_grid<const LANES: usize>(
    states: &mut [State; LANES],
    words: &mut WordReader<'_>,
    model: &RateModel<'_>,
    destination: &mut [i16],
    band: Band,
    before: Option<Grid<&[i16]>>,
) -> Result<(), Error> {
    let channels = model.channels.len();
    let mut living = Vec::with_capacity(channels);
    for channel in 0..channels {
        let mut alive = true;
        if band.area() >= FLAGGED_AREA {
            let chance = model.chances[channel];
            alive = states[0].slot() >= flag_interval(chance, true).0;
            let (start, size) = flag_interval(chance, alive);
            states[0].take(start, size, words);
        }
        if alive {
            living.push(channel);
        } else {
            destination[channel * band.plane_stride..][..band.area()].fill(0);
        }
    }

    let mut rows = rows_of(model, band)?;
    let mut coarse = Coarse::new(model, band, before)?;
    let mut contexts = Contexts::new(model, &rows)?;
    for row in 0..band.height {
        rows.enter(row);
        if let Some(coarse) = &mut coarse {
            coarse.store(&mut rows, channels, row);
        }
        contexts.enter(&rows);
        for &channel in &living {
            let trail = contexts.begin(&rows, channel);
            let symbols = &mut destination[band.row(channel, row)];
            if contexts.learns() {
                take_learning_row(states, words, model.tables, trail, &mut contexts, symbols)?;
            } else {
                take_row(states, words, model.tables, trail, contexts.sums(), symbols)?;
            }
            rows.store(channel, symbols);
            rows.sum_ring(channel);
            contexts.end(&rows, symbols);
        }
        if words.is_overread() {
            break;
        }
    }
    Ok(())
}

fn take_row<const LANES: usize>(
    states: &mut [State; LANES],
    words: &mut WordReader<'_>,
    tables: &TableSet,
    mut trail: Trail,
    sums: &Sums,
    symbols: &mut [i16],
) -> Result<(), Error> {
    let length = symbols.len();
    let (groups, tail) = symbols.as_chunks_mut::<LANES>();
    let (scales, scale_tail) = sums.scale()[..length].as_chunks::<LANES>();
    let (means, mean_tail) = sums.mean()[..length].as_chunks::<LANES>();
    for (symbols, (scales, means)) in groups.iter_mut().zip(scales.iter().zip(means)) {
        for lane in 0..LANES {
            let context = trail.context(scales[lane], means[lane]);
            symbols[lane] = take(&mut states[lane], words, tables, context)?;
            trail.note(symbols[lane]);
        }
    }
    for (lane, symbol) in tail.iter_mut().enumerate() {
        let context = trail.context(scale_tail[lane], mean_tail[lane]);
        *symbol = take(&mut states[lane], words, tables, context)?;
        trail.note(*symbol);
    }
    Ok(())
}

/// The same of a channel that learns.
fn take_learning_row<const LANES: usize>(
    states: &mut [State; LANES],
    words: &mut WordReader<'_>,
    tables: &TableSet,
    mut trail: Trail,
    contexts: &mut Contexts<'_>,
    symbols: &mut [i16],
) -> Result<(), Error> {
    for (column, symbol) in symbols.iter_mut().enumerate() {
        let context = contexts.next(&trail, column);
        *symbol = take(&mut states[column % LANES], words, tables, context)?;
        contexts.note(&mut trail, column, *symbol);
    }
    Ok(())
}

/// Not a closure, of which the compiler would make a call for every symbol: that is a tenth of the time.
#[inline(always)]
fn take(
    state: &mut State,
    words: &mut WordReader<'_>,
    tables: &TableSet,
    context: Context,
) -> Result<i16, Error> {
    let zero = tables.base_frequency(context);
    if state.slot() < zero {
        state.take(0, zero, words);
        Ok(context.base as i16)
    } else {
        residual::take(state, words, tables, context)
    }
}
