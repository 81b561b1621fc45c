//! Two-dimensional wavelets on f32 planes by lifting, in place, any size down to 1x1.
//!
//! One level splits n samples into ceil(n/2) low and floor(n/2) high ones; the next level works on the low ones. After
//! the last level the subbands lie in Mallat layout: low in the first rows and columns, high behind them.
//!
//! Subbands are weighted so that one step size suits them all: low-low 2, mixed 1, high-high 1/2 per level (√2 and
//! 1/√2 where a side of 1 leaves one direction only). That makes Haar orthonormal and CDF 5/3 nearly so. Powers of two
//! cost no rounding: a plane of small integers comes back exactly, any other one up to the rounding of its sums.

mod lift;
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    path = "wavelet/simd128.rs"
)]
#[cfg_attr(
    not(all(target_arch = "wasm32", target_feature = "simd128")),
    path = "wavelet/scalar.rs"
)]
mod rows;

use crate::error::{check_count, product};
use crate::image::Size;
use crate::Error;
use lift::{Cdf53, Filter, Haar, Signals, Weights};

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

/// What is left of the columns is taken this many at once, then one by one.
const NARROW_STRIP: usize = 4;

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
            match kind {
                Kind::Cdf53 => split::<Cdf53>(plane, size.width, band, scratch),
                Kind::Haar => split::<Haar>(plane, size.width, band, scratch),
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
            match kind {
                Kind::Cdf53 => merge::<Cdf53>(plane, size.width, band, scratch),
                Kind::Haar => merge::<Haar>(plane, size.width, band, scratch),
            }
        }
    }
    Ok(())
}

/// One level: the rows of the band, then its columns.
fn split<F: Filter>(plane: &mut [f32], stride: usize, band: Size, scratch: &mut [f32]) {
    let (row_weights, column_weights) = weights(band);
    if band.width > 1 {
        for row in plane.chunks_exact_mut(stride).take(band.height) {
            rows::split_row::<F>(&mut row[..band.width], row_weights, scratch);
        }
    }
    if band.height > 1 {
        let mut x = 0;
        while x + STRIP <= band.width {
            Signals::<STRIP>::of_columns(plane, stride, band.height, x)
                .split::<F>(column_weights, scratch);
            x += STRIP;
        }
        while x + NARROW_STRIP <= band.width {
            Signals::<NARROW_STRIP>::of_columns(plane, stride, band.height, x)
                .split::<F>(column_weights, scratch);
            x += NARROW_STRIP;
        }
        for x in x..band.width {
            Signals::<1>::of_columns(plane, stride, band.height, x)
                .split::<F>(column_weights, scratch);
        }
    }
}

/// Takes [`split`] back.
fn merge<F: Filter>(plane: &mut [f32], stride: usize, band: Size, scratch: &mut [f32]) {
    let (row_weights, column_weights) = weights(band);
    let (row_weights, column_weights) = (row_weights.inverse(), column_weights.inverse());
    if band.height > 1 {
        let mut x = 0;
        while x + STRIP <= band.width {
            Signals::<STRIP>::of_columns(plane, stride, band.height, x)
                .merge::<F>(column_weights, scratch);
            x += STRIP;
        }
        while x + NARROW_STRIP <= band.width {
            Signals::<NARROW_STRIP>::of_columns(plane, stride, band.height, x)
                .merge::<F>(column_weights, scratch);
            x += NARROW_STRIP;
        }
        for x in x..band.width {
            Signals::<1>::of_columns(plane, stride, band.height, x)
                .merge::<F>(column_weights, scratch);
        }
    }
    if band.width > 1 {
        for row in plane.chunks_exact_mut(stride).take(band.height) {
            rows::merge_row::<F>(&mut row[..band.width], row_weights, scratch);
        }
    }
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
