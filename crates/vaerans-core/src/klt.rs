//! A learned linear transform across channels with its mean: `y = M (x - mean)`, `x = Mᵀ y + mean`. M is orthonormal,
//! so its transpose is its inverse.

mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::sums as tile_sums;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::sums as tile_sums;

use crate::error::{check_count, product};
use crate::Error;

/// A tile of the result, positions by channels, whose sums stay in vector registers while the source streams by.
const POSITIONS: usize = 8;
const TARGETS: usize = 4;

/// `result(t) = after(t) + sum over s of weight(t, s) * (source(s) - before(s))`, s ascending.
struct Map<'a, const INVERSE: bool> {
    mean: &'a [f32],
    matrix: &'a [f32],
}

impl<const INVERSE: bool> Map<'_, INVERSE> {
    #[inline(always)]
    fn weight(&self, target: usize, source: usize) -> f32 {
        let (row, column) = if INVERSE {
            (source, target)
        } else {
            (target, source)
        };
        self.matrix[row * self.mean.len() + column]
    }

    #[inline(always)]
    fn before(&self, source: usize) -> f32 {
        if INVERSE {
            0.0
        } else {
            self.mean[source]
        }
    }

    #[inline(always)]
    fn after(&self, target: usize) -> f32 {
        if INVERSE {
            self.mean[target]
        } else {
            0.0
        }
    }
}

/// `y = M (x - mean)` at every position.
///
/// `src` and `dst` are [channels][plane_length], `mean` [channels], `matrix` [channels][channels] row by row. Sums run
/// over the source channels in ascending order.
pub fn klt_forward(
    src: &[f32],
    dst: &mut [f32],
    mean: &[f32],
    matrix: &[f32],
    plane_length: usize,
) -> Result<(), Error> {
    transform(src, dst, &Map::<false> { mean, matrix }, plane_length)
}

/// `x = Mᵀ y + mean` at every position; the same shapes as [`klt_forward`].
pub fn klt_inverse(
    src: &[f32],
    dst: &mut [f32],
    mean: &[f32],
    matrix: &[f32],
    plane_length: usize,
) -> Result<(), Error> {
    transform(src, dst, &Map::<true> { mean, matrix }, plane_length)
}

fn transform<const INVERSE: bool>(
    src: &[f32],
    dst: &mut [f32],
    map: &Map<'_, INVERSE>,
    plane_length: usize,
) -> Result<(), Error> {
    let channels = map.mean.len();
    let count = product("values", channels, plane_length)?;
    check_count("values in the source", count, src.len())?;
    check_count("values in the target", count, dst.len())?;
    check_count(
        "values in the matrix",
        product("values", channels, channels)?,
        map.matrix.len(),
    )?;
    if src.is_empty() {
        return Ok(());
    }
    let whole = plane_length / POSITIONS * POSITIONS;
    // Positions that fill no tile are done one by one.
    for start in (0..whole).step_by(POSITIONS).chain(whole..plane_length) {
        for first in (0..channels).step_by(TARGETS) {
            // The last tile may reach past the last channel; it repeats that one and keeps one copy.
            let targets: [usize; TARGETS] = std::array::from_fn(|k| (first + k).min(channels - 1));
            if start < whole {
                let sums: [[f32; POSITIONS]; TARGETS] =
                    tile_sums(src, plane_length, start, targets, map);
                keep(dst, plane_length, start, targets, sums);
            } else {
                let sums = scalar::sums::<1, INVERSE>(src, plane_length, start, targets, map);
                keep(dst, plane_length, start, targets, sums);
            }
        }
    }
    Ok(())
}

#[inline(always)]
fn keep<const P: usize>(
    dst: &mut [f32],
    plane_length: usize,
    start: usize,
    targets: [usize; TARGETS],
    sums: [[f32; P]; TARGETS],
) {
    for (sums, target) in sums.iter().zip(targets) {
        dst[target * plane_length + start..][..P].copy_from_slice(sums);
    }
}
