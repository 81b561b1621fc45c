//! Every symbol of a picture in the coder's order, with its context.

use super::super::classes::Context;
use super::super::contexts::Contexts;
use super::super::model::{GridModel, RateModel};
use super::super::residual;
use super::super::rows::Rows;
use crate::Error;

/// Calls `visit` with the channel, context and value of each symbol of `symbols`, [channel][height][width], after which
/// come the planes of the coarser grid, if any, brought to the same size. Channels that are all zero are left out at every
/// size, as the coder does it for bands above 1,023 samples: small pictures stand for parts of large ones here. Where it is
/// `only` one channel that counts, the others' contexts are not found.
pub fn walk(
    model: &RateModel<'_>,
    symbols: &[i16],
    (width, height): (usize, usize),
    only: Option<usize>,
    mut visit: impl FnMut(usize, Context, i16),
) -> Result<(), Error> {
    let area = width * height;
    let is_living = |&channel: &usize| symbols[channel * area..][..area].iter().any(|&s| s != 0);
    let living: Vec<usize> = (0..model.channels.len()).filter(is_living).collect();
    let channels = model.channels.len();
    let mut rows = Rows::new(channels + model.coarse_channels, width)?;
    let mut contexts = Contexts::new(model, &rows)?;
    for row in 0..height {
        rows.enter(row);
        let line_of = |channel: usize| &symbols[channel * area + row * width..][..width];
        for coarse in channels..channels + model.coarse_channels {
            rows.store(coarse, line_of(coarse));
        }
        contexts.enter(&rows);
        for &channel in &living {
            let line = line_of(channel);
            rows.store(channel, line);
            rows.sum_ring(channel);
            if only.is_some_and(|only| only != channel) {
                continue;
            }
            contexts.know(&rows, channel, line);
            for (&symbol, context) in line.iter().zip(contexts.of_known()) {
                visit(channel, context, symbol);
            }
        }
    }
    Ok(())
}

/// The model's own cross-entropy: bits of each channel's symbols, without flags, states and lengths. `symbols` as `walk`
/// takes them.
pub fn code_lengths(
    model: &GridModel,
    rate: u32,
    symbols: &[i16],
    size: (usize, usize),
) -> Result<Vec<f64>, Error> {
    let model = model.at_rate(rate)?;
    let mut bits = vec![0.0; model.channels.len()];
    walk(&model, symbols, size, None, |channel, context, symbol| {
        bits[channel] += residual::bits(model.tables.of(context), context, symbol);
    })?;
    Ok(bits)
}

/// The same of one channel, by a model at its rate.
pub fn code_length_of(
    model: &RateModel<'_>,
    symbols: &[i16],
    size: (usize, usize),
    channel: usize,
) -> Result<f64, Error> {
    let mut bits = 0.0;
    let only = Some(channel);
    walk(model, symbols, size, only, |_, context, symbol| {
        bits += residual::bits(model.tables.of(context), context, symbol);
    })?;
    Ok(bits)
}
