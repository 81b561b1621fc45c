//! What symbols cost, for those who look at a file and want to see where its bits went.

use super::adaptation::Adaptation;
use super::classes::Context;
use super::coder::living_channels;
use super::grid::{self, rows_of, Band, Coarse, Grid};
use super::learner::Learners;
use super::model::{ContextModel, RateModel};
use super::predict::Sums;
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
    let mut sums = Sums::new(model, &rows)?;
    let mut learners = Learners::new(model, band.width)?;
    let mut adaptation = Adaptation::new(model, band.width)?;
    for row in 0..band.height {
        rows.enter(row);
        if let Some(coarse) = &mut coarse {
            coarse.store(&mut rows, channels, row);
        }
        sums.enter(model, &rows);
        for &channel in &living {
            let symbols = &source[band.row(channel, row)];
            rows.store(channel, symbols);
            let factor = adaptation.factor(channel);
            sums.fill(model, &rows, channel, factor);
            sums.add_west(model, &rows, channel, factor);
            if let Some(place) = learners.place(channel) {
                learners.refine_row(place, &mut sums, symbols);
            }
            adaptation.note(channel, &sums, symbols);
            let places = &mut bits[band.row(channel, row)];
            for (x, (place, &symbol)) in places.iter_mut().zip(symbols).enumerate() {
                let context = Context::of(sums.scale()[x], sums.mean()[x]);
                *place = residual::bits(model.tables.of(context), context, symbol) as f32;
            }
            rows.sum_ring(channel);
        }
    }
    Ok(())
}
