//! What symbols cost, for those who look at a file and want to see where its bits went.

use super::classes::Context;
use super::coder::{living_channels, Band};
use super::model::ContextModel;
use super::predict::Sums;
use super::residual;
use super::rows::Rows;
use crate::Error;

/// Writes the bits of every symbol that `encode` would code at this rate, in the places of the symbols themselves.
/// Dead channels cost nothing; flags and the coder's states are left out.
pub fn cost(
    model: &ContextModel,
    rate: u32,
    source: &[i16],
    band: Band,
    bits: &mut [f32],
) -> Result<(), Error> {
    let channels = model.channels();
    band.check(channels, source.len())?;
    band.check(channels, bits.len())?;
    let model = model.at_rate(rate)?;
    let living = living_channels(source, band, channels);
    for channel in 0..channels {
        bits[channel * band.plane_stride..][..band.area()].fill(0.0);
    }
    let mut rows = Rows::new(channels, band.width)?;
    let mut sums = Sums::new(&rows)?;
    for row in 0..band.height {
        rows.enter(row);
        for &channel in &living {
            let symbols = &source[band.row(channel, row)];
            rows.store(channel, 0, symbols);
            sums.fill(&model, &rows, channel);
            sums.add_west(&model.channels[channel], &rows, channel);
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
