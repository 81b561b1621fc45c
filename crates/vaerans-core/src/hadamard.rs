//! The orthonormal 4x4 Hadamard transform across groups of four channels, which is its own inverse.

use crate::error::{check_count, product};
use crate::Error;

/// Transforms channels 4g to 4g+3 of every position, in place:
///
/// ```text
/// y0 = (a + b + c + d) / 2      y1 = (a - b + c - d) / 2
/// y2 = (a + b - c - d) / 2      y3 = (a - b - c + d) / 2
/// ```
///
/// The matrix is symmetric and orthonormal: calling it twice gives the input back, up to rounding (and exactly while
/// all sums fit 24 bits). `data` is [channels][plane_length]; `channels` is a multiple of 4.
pub fn hadamard4(data: &mut [f32], channels: usize, plane_length: usize) -> Result<(), Error> {
    if !channels.is_multiple_of(4) {
        return Err(Error::Shape {
            what: "channels, a multiple of",
            expected: 4,
            got: channels,
        });
    }
    check_count(
        "values",
        product("values", channels, plane_length)?,
        data.len(),
    )?;
    if data.is_empty() {
        return Ok(());
    }
    for group in data.chunks_exact_mut(4 * plane_length) {
        let (first, second) = group.split_at_mut(2 * plane_length);
        let (a, b) = first.split_at_mut(plane_length);
        let (c, d) = second.split_at_mut(plane_length);
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (sum_ab, difference_ab) = (*a + *b, *a - *b);
            let (sum_cd, difference_cd) = (*c + *d, *c - *d);
            *a = (sum_ab + sum_cd) * 0.5;
            *b = (difference_ab + difference_cd) * 0.5;
            *c = (sum_ab - sum_cd) * 0.5;
            *d = (difference_ab - difference_cd) * 0.5;
        }
    }
    Ok(())
}
