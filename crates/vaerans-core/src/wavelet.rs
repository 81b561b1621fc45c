//! Two-dimensional wavelets on f32 planes by lifting, in place, any size down to 1x1.
//!
//! One level splits n samples into ceil(n/2) low and floor(n/2) high ones; the next level works on the low ones. After
//! the last level the subbands lie in Mallat layout: low in the first rows and columns, high behind them.
//!
//! Subbands are weighted so that one step size suits them all: low-low 2, mixed 1, high-high 1/2 per level (√2 and
//! 1/√2 where a side of 1 leaves one direction only). That makes Haar orthonormal and CDF 5/3 nearly so. Powers of two
//! cost no rounding: a plane of small integers comes back exactly, any other one up to the rounding of its sums.

mod band;
mod columns;
mod halves;
mod lift;
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    path = "wavelet/simd128.rs"
)]
#[cfg_attr(
    not(all(target_arch = "wasm32", target_feature = "simd128")),
    path = "wavelet/scalar.rs"
)]
mod quad;
mod rows;

use crate::error::check_count;
use crate::image::Size;
use crate::Error;
use band::Band;
use lift::{Cdf53, Filter, Haar, Signal, Weights};
use rows::{Block, BLOCK};

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

/// The weights where a side of 1 leaves one direction only.
const ONE_WAY: Weights = Weights {
    low: std::f32::consts::SQRT_2,
    high: std::f32::consts::FRAC_1_SQRT_2,
};

/// f32 elements of scratch for planes of this size: about half a plane. Saturates.
pub fn scratch_length(size: Size) -> usize {
    band::scratch_blocks(size).saturating_mul(BLOCK)
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

/// One level of the top left corner of a plane.
fn split<F: Filter>(plane: &mut [f32], stride: usize, size: Size, scratch: &mut [f32]) {
    match one_way(plane, stride, size) {
        Some(signal) => signal.split::<F>(ONE_WAY, scratch),
        None if size.width * size.height == 1 => {}
        None => Band {
            plane,
            stride,
            size,
        }
        .split::<F>(blocks_of(scratch)),
    }
}

/// Takes [`split`] back.
fn merge<F: Filter>(plane: &mut [f32], stride: usize, size: Size, scratch: &mut [f32]) {
    match one_way(plane, stride, size) {
        Some(signal) => signal.merge::<F>(ONE_WAY.inverse(), scratch),
        None if size.width * size.height == 1 => {}
        None => Band {
            plane,
            stride,
            size,
        }
        .merge::<F>(blocks_of(scratch)),
    }
}

/// A band of a single row or column, but not of a single sample.
fn one_way(plane: &mut [f32], stride: usize, size: Size) -> Option<Signal<'_>> {
    let (step, count) = match size {
        Size { width, height: 1 } => (1, width),
        Size { width: 1, height } => (stride, height),
        _ => return None,
    };
    (count > 1).then_some(Signal { plane, step, count })
}

fn blocks_of(scratch: &mut [f32]) -> &mut [Block] {
    rows::blocks_mut(scratch)
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
    let needed = scratch_length(size);
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
