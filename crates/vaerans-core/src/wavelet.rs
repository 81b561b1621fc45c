//! Two-dimensional wavelets on f32 planes by lifting, in place, any size down to 1x1.
//!
//! One level splits n samples into ceil(n/2) low and floor(n/2) high ones; the next level works on the low ones. After
//! the last level the subbands lie in Mallat layout: low in the first rows and columns, high behind them.
//!
//! Subbands are weighted so that one step size suits them all: low-low 2, mixed 1, high-high 1/2 per level (√2 and
//! 1/√2 where a side of 1 leaves one direction only). That makes Haar orthonormal and CDF 5/3 nearly so. Powers of two
//! cost no rounding: a plane of small integers comes back exactly, any other one up to the rounding of its sums.

use crate::error::{check_count, product};
use crate::image::Size;
use crate::Error;

/// Which pair of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// LeGall 5/3: high = odd - (left + right) / 2, low = even + (left + right) / 4 of the highs; edges mirrored.
    Cdf53,
    /// high = odd - even, low = even + high / 2; a last sample without a partner is low.
    Haar,
}

/// Levels run from 1 to this.
pub const LEVELS_MAX: u32 = 10;

/// Columns that the vertical pass takes at once: one cache line of f32.
const STRIP: usize = 16;

/// f32 elements of scratch for planes of this size: the larger of one row and 16 columns. Saturates.
pub fn scratch_length(size: Size) -> usize {
    size.width.max(size.height.saturating_mul(STRIP))
}

/// Transforms every plane of `data` ([planes][height][width]).
pub fn wavelet_forward(
    kind: Kind,
    data: &mut [f32],
    size: Size,
    levels: u32,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let area = check(data, size, levels, scratch)?;
    for plane in data.chunks_exact_mut(area) {
        let mut band = size;
        for _ in 0..levels {
            let (row_weights, column_weights) = weights(band);
            if band.width > 1 {
                for row in plane.chunks_exact_mut(size.width).take(band.height) {
                    split_row(kind, &mut row[..band.width], row_weights, scratch);
                }
            }
            if band.height > 1 {
                for x in (0..band.width).step_by(STRIP) {
                    let strip = Strip::new(plane, size.width, band, x);
                    strip.split(kind, column_weights, scratch);
                }
            }
            band = low_size(band);
        }
    }
    Ok(())
}

/// Takes [`wavelet_forward`] back; same arguments.
pub fn wavelet_inverse(
    kind: Kind,
    data: &mut [f32],
    size: Size,
    levels: u32,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let area = check(data, size, levels, scratch)?;
    let mut bands = [size; LEVELS_MAX as usize];
    for level in 1..levels as usize {
        bands[level] = low_size(bands[level - 1]);
    }
    for plane in data.chunks_exact_mut(area) {
        for &band in bands[..levels as usize].iter().rev() {
            let (row_weights, column_weights) = weights(band);
            if band.height > 1 {
                for x in (0..band.width).step_by(STRIP) {
                    let strip = Strip::new(plane, size.width, band, x);
                    strip.merge(kind, column_weights, scratch);
                }
            }
            if band.width > 1 {
                for row in plane.chunks_exact_mut(size.width).take(band.height) {
                    merge_row(kind, &mut row[..band.width], row_weights, scratch);
                }
            }
        }
    }
    Ok(())
}

fn check(data: &[f32], size: Size, levels: u32, scratch: &[f32]) -> Result<usize, Error> {
    let area = size.area()?;
    check_count(
        "whole planes of values",
        data.len() / area * area,
        data.len(),
    )?;
    if levels == 0 || levels > LEVELS_MAX {
        return Err(Error::OutOfRange {
            what: "1 to 10 wavelet levels",
        });
    }
    let needed = product("scratch values at most", size.height, STRIP)?.max(size.width);
    if scratch.len() < needed {
        return Err(Error::Shape {
            what: "scratch values",
            expected: needed,
            got: scratch.len(),
        });
    }
    Ok(area)
}

fn low_size(band: Size) -> Size {
    Size {
        width: band.width.div_ceil(2),
        height: band.height.div_ceil(2),
    }
}

/// What the low and the high half of one pass are multiplied by.
#[derive(Clone, Copy)]
struct Weights {
    low: f32,
    high: f32,
}

/// Weights of the row pass and of the column pass. Their products over two passes are 2, 1, 1, 1/2, and each is a power
/// of two by itself.
fn weights(band: Size) -> (Weights, Weights) {
    use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
    if band.width > 1 && band.height > 1 {
        let row = Weights {
            low: 1.0,
            high: 0.5,
        };
        let column = Weights {
            low: 2.0,
            high: 1.0,
        };
        return (row, column);
    }
    let only = Weights {
        low: SQRT_2,
        high: FRAC_1_SQRT_2,
    };
    (only, only)
}

fn scale(values: &mut [f32], weight: f32) {
    values.iter_mut().for_each(|value| *value *= weight);
}

fn split_row(kind: Kind, row: &mut [f32], weights: Weights, scratch: &mut [f32]) {
    let scratch = &mut scratch[..row.len()];
    let (low, high) = scratch.split_at_mut(row.len().div_ceil(2));
    let (pairs, last) = row.as_chunks::<2>();
    for (([even, odd], low), high) in pairs.iter().zip(low.iter_mut()).zip(high.iter_mut()) {
        *low = *even;
        *high = *odd;
    }
    if let ([even], Some(low)) = (last, low.last_mut()) {
        *low = *even;
    }
    lift(kind, low, high, 1, weights);
    row.copy_from_slice(scratch);
}

fn merge_row(kind: Kind, row: &mut [f32], weights: Weights, scratch: &mut [f32]) {
    let scratch = &mut scratch[..row.len()];
    scratch.copy_from_slice(row);
    let (low, high) = scratch.split_at_mut(row.len().div_ceil(2));
    unlift(kind, low, high, 1, weights);
    let (pairs, last) = row.as_chunks_mut::<2>();
    for (([even, odd], low), high) in pairs.iter_mut().zip(low.iter()).zip(high.iter()) {
        *even = *low;
        *odd = *high;
    }
    if let ([even], Some(low)) = (last, low.last()) {
        *even = *low;
    }
}

/// Up to 16 neighbouring columns of a band, worked on together as one vector a row. In scratch a row takes 16 values
/// even if the strip is narrower; the rest of it is never written back.
struct Strip<'a> {
    plane: &'a mut [f32],
    stride: usize,
    height: usize,
    x: usize,
    width: usize,
}

impl<'a> Strip<'a> {
    fn new(plane: &'a mut [f32], stride: usize, band: Size, x: usize) -> Self {
        Strip {
            plane,
            stride,
            height: band.height,
            x,
            width: STRIP.min(band.width - x),
        }
    }

    fn load(&self, y: usize, target: &mut [f32; STRIP]) {
        let row = &self.plane[y * self.stride + self.x..][..self.width];
        match row.as_chunks().0 {
            [whole] => *target = *whole,
            _ => target[..self.width].copy_from_slice(row),
        }
    }

    fn store(&mut self, y: usize, source: &[f32; STRIP]) {
        let row = &mut self.plane[y * self.stride + self.x..][..self.width];
        match row.as_chunks_mut().0 {
            [whole] => *whole = *source,
            _ => row.copy_from_slice(&source[..self.width]),
        }
    }

    /// The row that stands at `index` once evens lie before odds.
    fn interleaved(&self, index: usize) -> usize {
        let low_rows = self.height.div_ceil(2);
        if index < low_rows {
            2 * index
        } else {
            2 * (index - low_rows) + 1
        }
    }

    fn split(mut self, kind: Kind, weights: Weights, scratch: &mut [f32]) {
        let scratch = &mut scratch[..self.height * STRIP];
        for (index, target) in scratch.as_chunks_mut().0.iter_mut().enumerate() {
            self.load(self.interleaved(index), target);
        }
        let (low, high) = scratch.split_at_mut(self.height.div_ceil(2) * STRIP);
        lift(kind, low, high, STRIP, weights);
        for (y, source) in scratch.as_chunks().0.iter().enumerate() {
            self.store(y, source);
        }
    }

    fn merge(mut self, kind: Kind, weights: Weights, scratch: &mut [f32]) {
        let scratch = &mut scratch[..self.height * STRIP];
        for (y, target) in scratch.as_chunks_mut().0.iter_mut().enumerate() {
            self.load(y, target);
        }
        let (low, high) = scratch.split_at_mut(self.height.div_ceil(2) * STRIP);
        unlift(kind, low, high, STRIP, weights);
        for (index, source) in scratch.as_chunks().0.iter().enumerate() {
            self.store(self.interleaved(index), source);
        }
    }
}

/// One forward pass over `lanes` signals side by side: sample i of lane l is at `i * lanes + l`. `low` comes as the even
/// samples, `high` as the odd ones, of which there is at least one.
fn lift(kind: Kind, low: &mut [f32], high: &mut [f32], lanes: usize, weights: Weights) {
    match kind {
        Kind::Cdf53 => {
            add_neighbours(high, low, Side::Right, lanes, -0.5);
            add_neighbours(low, high, Side::Left, lanes, 0.25);
        }
        Kind::Haar => {
            add_scaled(high, low, -1.0);
            add_scaled(low, high, 0.5);
        }
    }
    scale(low, weights.low);
    scale(high, weights.high);
}

fn unlift(kind: Kind, low: &mut [f32], high: &mut [f32], lanes: usize, weights: Weights) {
    scale(low, 1.0 / weights.low);
    scale(high, 1.0 / weights.high);
    match kind {
        Kind::Cdf53 => {
            add_neighbours(low, high, Side::Left, lanes, -0.25);
            add_neighbours(high, low, Side::Right, lanes, 0.5);
        }
        Kind::Haar => {
            add_scaled(low, high, -0.5);
            add_scaled(high, low, 1.0);
        }
    }
}

fn add_scaled(target: &mut [f32], source: &[f32], weight: f32) {
    for (target, &source) in target.iter_mut().zip(source) {
        *target += weight * source;
    }
}

/// Whether sample i's neighbours in the other half are i and i+1 (`Right`), or i-1 and i (`Left`).
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// `target[i] += weight * (a + b)`, a and b its two neighbours; where one is missing the other counts twice (mirroring).
fn add_neighbours(target: &mut [f32], source: &[f32], side: Side, lanes: usize, weight: f32) {
    let without_left = match side {
        Side::Left => lanes,
        Side::Right => 0,
    };
    let (head, body) = target.split_at_mut(without_left);
    for (target, &only) in head.iter_mut().zip(source) {
        *target += weight * (only + only);
    }
    let pairs = source.len() - lanes;
    let (middle, tail) = body.split_at_mut(pairs.min(body.len()));
    for ((target, &a), &b) in middle.iter_mut().zip(source).zip(&source[lanes..]) {
        *target += weight * (a + b);
    }
    for (target, &only) in tail.iter_mut().zip(&source[pairs..]) {
        *target += weight * (only + only);
    }
}
