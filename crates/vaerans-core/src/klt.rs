//! A learned linear transform across channels with its mean: `y = M (x - mean)`, `x = Mᵀ y + mean`. M is orthonormal,
//! so its transpose is its inverse.

use crate::error::{check_count, product};
use crate::Error;

/// Positions that are worked on together: their sums stay in registers while the source planes stream by.
const BLOCK: usize = 32;

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
    let channels = check(src, dst, mean, matrix, plane_length)?;
    for_each_block(src, dst, plane_length, |block, row, sums| {
        sums.fill(0.0);
        for column in 0..channels {
            let weight = matrix[row * channels + column];
            let offset = mean[column];
            for (sum, &x) in sums.iter_mut().zip(block.channel(column)) {
                *sum += weight * (x - offset);
            }
        }
    });
    Ok(())
}

/// `x = Mᵀ y + mean` at every position; the same shapes as [`klt_forward`].
pub fn klt_inverse(
    src: &[f32],
    dst: &mut [f32],
    mean: &[f32],
    matrix: &[f32],
    plane_length: usize,
) -> Result<(), Error> {
    let channels = check(src, dst, mean, matrix, plane_length)?;
    for_each_block(src, dst, plane_length, |block, column, sums| {
        sums.fill(mean[column]);
        for row in 0..channels {
            let weight = matrix[row * channels + column];
            for (sum, &y) in sums.iter_mut().zip(block.channel(row)) {
                *sum += weight * y;
            }
        }
    });
    Ok(())
}

fn check(
    src: &[f32],
    dst: &[f32],
    mean: &[f32],
    matrix: &[f32],
    plane_length: usize,
) -> Result<usize, Error> {
    let channels = mean.len();
    let count = product("values", channels, plane_length)?;
    check_count("values in the source", count, src.len())?;
    check_count("values in the target", count, dst.len())?;
    check_count(
        "values in the matrix",
        product("values", channels, channels)?,
        matrix.len(),
    )?;
    Ok(channels)
}

/// One block of positions of all source channels.
struct Block<'a> {
    src: &'a [f32],
    plane_length: usize,
    start: usize,
    length: usize,
}

impl<'a> Block<'a> {
    #[inline(always)]
    fn channel(&self, channel: usize) -> &'a [f32] {
        &self.src[channel * self.plane_length + self.start..][..self.length]
    }
}

/// Calls `sum(block, target_channel, sums)` for every block of positions and every target channel; `sums` becomes the
/// block of the target.
#[inline(always)]
fn for_each_block(
    src: &[f32],
    dst: &mut [f32],
    plane_length: usize,
    sum: impl Fn(&Block, usize, &mut [f32]),
) {
    let mut sums = [0f32; BLOCK];
    for start in (0..plane_length).step_by(BLOCK) {
        let length = BLOCK.min(plane_length - start);
        let block = Block {
            src,
            plane_length,
            start,
            length,
        };
        for (channel, target) in dst.chunks_exact_mut(plane_length).enumerate() {
            sum(&block, channel, &mut sums[..length]);
            target[start..][..length].copy_from_slice(&sums[..length]);
        }
    }
}
