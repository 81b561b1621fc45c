//! Where the samples of a band lie, grid by grid, and what a finer grid sees of the one before it.

use super::model::{ContextModel, RateModel};
use super::rows::Rows;
use super::SIDE_MAX;
use crate::error::check_count;
use crate::memory::zeros;
use crate::Error;

/// Where a band lies: `height` rows of `width` symbols in every channel, channels
/// `plane_stride` symbols apart.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    pub plane_stride: usize,
    pub width: usize,
    pub height: usize,
}

/// One latent grid of a band. Grids come coarse to fine, and a finer one has a whole number of places to a side of every
/// cell of the coarser.
#[derive(Debug, Clone, Copy)]
pub struct Grid<S> {
    pub band: Band,
    /// Every channel's.
    pub samples: S,
}

impl Band {
    pub(super) fn row(&self, channel: usize, row: usize) -> std::ops::Range<usize> {
        let start = channel * self.plane_stride + row * self.width;
        start..start + self.width
    }

    pub(super) fn area(&self) -> usize {
        self.width * self.height
    }

    pub(super) fn check(&self, channels: usize, length: usize) -> Result<(), Error> {
        let sides = 1..=SIDE_MAX;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Err(Error::OutOfRange {
                what: "a band of 1 to 32768 symbols a side",
            });
        }
        let needed = (channels - 1)
            .checked_mul(self.plane_stride)
            .and_then(|first| first.checked_add(self.area()))
            .filter(|_| self.plane_stride >= self.area())
            .unwrap_or(usize::MAX);
        if length < needed {
            return Err(Error::Shape {
                what: "symbols in all planes",
                expected: needed,
                got: length,
            });
        }
        Ok(())
    }
}

/// Refuses grids that are not those of the model, lie outside of their samples, or do not lie over one another.
pub fn check<S>(
    model: &ContextModel,
    grids: &[Grid<S>],
    length: impl Fn(&S) -> usize,
) -> Result<(), Error> {
    check_count("latent grids", model.grids().len(), grids.len())?;
    for (model, grid) in model.grids().iter().zip(grids) {
        grid.band.check(model.channels(), length(&grid.samples))?;
    }
    for pair in grids.windows(2) {
        let (coarse, fine) = (pair[0].band, pair[1].band);
        let ratio = fine.width / coarse.width;
        if ratio == 0 || (ratio * coarse.width, ratio * coarse.height) != (fine.width, fine.height)
        {
            return Err(Error::OutOfRange {
                what: "a fine grid with whole squares of places in the cells of the coarse one",
            });
        }
    }
    Ok(())
}

/// Rows for coding a grid.
pub fn rows_of(model: &RateModel<'_>, band: Band) -> Result<Rows, Error> {
    Rows::new(model.channels.len() + model.coarse_channels, band.width)
}

/// The coarser grid as the rows of the finer one see it.
pub struct Coarse<'a> {
    grid: Grid<&'a [i16]>,
    channels: usize,
    /// Places to a side of a cell.
    ratio: usize,
    /// A row of the finer grid's width.
    line: Vec<i16>,
}

impl<'a> Coarse<'a> {
    /// `grid` is the one before the grid of `model` and `band`, if that has one.
    pub fn new(
        model: &RateModel<'_>,
        band: Band,
        grid: Option<Grid<&'a [i16]>>,
    ) -> Result<Option<Self>, Error> {
        let Some(grid) = grid else { return Ok(None) };
        Ok(Some(Self {
            grid,
            channels: model.coarse_channels,
            ratio: band.width / grid.band.width,
            line: zeros(band.width)?,
        }))
    }

    /// Stores the cells that `row`, which `rows` has entered, lies in, as channels after the grid's own.
    pub fn store(&mut self, rows: &mut Rows, own_channels: usize, row: usize) {
        for channel in 0..self.channels {
            let cells = &self.grid.samples[self.grid.band.row(channel, row / self.ratio)];
            for (places, &cell) in self.line.chunks_exact_mut(self.ratio).zip(cells) {
                places.fill(cell);
            }
            rows.store(own_channels + channel, &self.line);
        }
    }
}
