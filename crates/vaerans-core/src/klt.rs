//! A learned linear transform across channels with its mean: `y = M (x - mean)`, `x = Mᵀ y + mean`. M is orthonormal,
//! so its transpose is its inverse.

use crate::error::{check_count, product};
use crate::Error;

/// A tile of the result, positions by channels, whose sums stay in vector registers while the source streams by.
const POSITIONS: usize = 8;
const TARGETS: usize = 4;

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
    let weight = |target: usize, source: usize| matrix[target * channels + source];
    let map = (weight, |source: usize| mean[source], |_| 0.0);
    transform(src, dst, channels, plane_length, map);
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
    let weight = |target: usize, source: usize| matrix[source * channels + target];
    let map = (weight, |_| 0.0, |target: usize| mean[target]);
    transform(src, dst, channels, plane_length, map);
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

/// `dst[t] = after(t) + sum over s of weight(t, s) * (src[s] - before(s))` at every position.
#[inline(always)]
fn transform<W, B, A>(
    src: &[f32],
    dst: &mut [f32],
    channels: usize,
    plane_length: usize,
    map: (W, B, A),
) where
    W: Fn(usize, usize) -> f32,
    B: Fn(usize) -> f32,
    A: Fn(usize) -> f32,
{
    if src.is_empty() {
        return;
    }
    let whole = plane_length / POSITIONS * POSITIONS;
    let tile = Tiles {
        src,
        channels,
        plane_length,
        map: &map,
    };
    for start in (0..whole).step_by(POSITIONS) {
        tile.transform::<POSITIONS>(dst, start);
    }
    for start in whole..plane_length {
        tile.transform::<1>(dst, start);
    }
}

struct Tiles<'a, M> {
    src: &'a [f32],
    channels: usize,
    plane_length: usize,
    map: &'a M,
}

impl<W, B, A> Tiles<'_, (W, B, A)>
where
    W: Fn(usize, usize) -> f32,
    B: Fn(usize) -> f32,
    A: Fn(usize) -> f32,
{
    /// Positions `start` to `start + P - 1` of all channels.
    #[inline(always)]
    fn transform<const P: usize>(&self, dst: &mut [f32], start: usize) {
        let (weight, before, after) = self.map;
        for first in (0..self.channels).step_by(TARGETS) {
            // The last tile may reach past the last channel; it repeats that one and keeps one copy.
            let targets: [usize; TARGETS] =
                std::array::from_fn(|k| (first + k).min(self.channels - 1));
            let mut sums = targets.map(|target| [after(target); P]);
            for (source, plane) in self.src.chunks_exact(self.plane_length).enumerate() {
                let Some(values) = plane[start..].first_chunk::<P>() else {
                    return;
                };
                let offset = before(source);
                let x = values.map(|x| x - offset);
                for k in 0..TARGETS {
                    let weight = weight(targets[k], source);
                    for p in 0..P {
                        sums[k][p] += weight * x[p];
                    }
                }
            }
            for (sums, &target) in sums.iter().zip(&targets) {
                dst[target * self.plane_length + start..][..P].copy_from_slice(sums);
            }
        }
    }
}
