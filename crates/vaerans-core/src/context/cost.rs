//! What symbols cost, for those who look at a file and want to see where its bits went.

use super::coder::living_channels;
use super::contexts::Contexts;
use super::grid::{self, rows_of, Band, Coarse, Grid};
use super::model::{ContextModel, RateModel};
use super::residual;
use crate::error::check_count;
use crate::Error;

/// Writes the bits of every symbol that `encode` would code at this rate, in the places of the symbols themselves, grid
/// by grid. Dead channels cost nothing; flags and the coder's states are left out.
pub fn cost(
    model: &ContextModel,
    rate: u32,
    grids: &[Grid<&[i16]>],
    bits: &mut [&mut [f32]],
) -> Result<(), Error> {
    grid::check(model, grids, |samples| samples.len())?;
    check_count("grids of bits", grids.len(), bits.len())?;
    let mut before = None;
    for ((model, &grid), bits) in model.at_rate(rate)?.iter().zip(grids).zip(bits) {
        grid.band.check(model.channels.len(), bits.len())?;
        cost_of_grid(model, grid.samples, grid.band, before, bits)?;
        before = Some(grid);
    }
    Ok(())
}

fn cost_of_grid(
    model: &RateModel<'_>,
    source: &[i16],
    band: Band,
    before: Option<Grid<&[i16]>>,
    bits: &mut [f32],
) -> Result<(), Error> {
    let channels = model.channels.len();
    let living = living_channels(source, band, channels);
    for channel in 0..channels {
        bits[channel * band.plane_stride..][..band.area()].fill(0.0);
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
            let symbols = &source[band.row(channel, row)];
            rows.store(channel, symbols);
            rows.sum_ring(channel);
            contexts.know(&rows, channel, symbols);
            let places = bits[band.row(channel, row)].iter_mut().zip(symbols);
            for ((place, &symbol), context) in places.zip(contexts.of_known()) {
                *place = residual::bits(model.tables.of(context), context, symbol) as f32;
            }
        }
    }
    Ok(())
}
