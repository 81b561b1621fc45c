//! Gaussian blur of 8-bit RGB, for the pipeline's stages that work on pixels.

use crate::error::{check_count, product};
use crate::exp::exp;
use crate::image::Size;
use crate::Error;

/// Largest standard deviation in pixels.
pub const SIGMA_MAX: f32 = 64.0;

/// The kernel ends where its weight is below a hundredth of the middle's.
const RADIUS_PER_SIGMA: f32 = 3.0;

const RADIUS_MAX: usize = (RADIUS_PER_SIGMA * SIGMA_MAX) as usize;

/// One half of a symmetric kernel: the middle's weight, then those at distance 1 to `radius`.
struct Kernel {
    weights: [f32; RADIUS_MAX + 1],
    radius: usize,
}

impl Kernel {
    fn new(sigma: f32) -> Result<Kernel, Error> {
        let radius = radius(sigma)?;
        let mut weights = [0.0; RADIUS_MAX + 1];
        let mut sum = 0.0;
        let two_variances = 2.0 * f64::from(sigma) * f64::from(sigma);
        for (distance, weight) in weights[..=radius].iter_mut().enumerate() {
            let exponent = -((distance * distance) as f64) / two_variances;
            let value = exp(exponent.max(-80.0));
            sum += if distance == 0 { value } else { 2.0 * value };
            *weight = value as f32;
        }
        for weight in &mut weights[..=radius] {
            *weight = (f64::from(*weight) / sum) as f32;
        }
        Ok(Kernel { weights, radius })
    }
}

/// Pixels that the kernel reaches to each side.
fn radius(sigma: f32) -> Result<usize, Error> {
    if !(0.0..=SIGMA_MAX).contains(&sigma) || sigma == 0.0 {
        return Err(Error::OutOfRange {
            what: "a standard deviation above 0 and up to 64 pixels",
        });
    }
    Ok(((sigma * RADIUS_PER_SIGMA).ceil() as usize).min(RADIUS_MAX))
}

/// f32 elements of scratch: two rows of RGB, one of them with the kernel's reach on both sides. Saturates.
pub fn scratch_length(width: usize, sigma: f32) -> Result<usize, Error> {
    Ok(width.saturating_add(radius(sigma)?).saturating_mul(6))
}

/// Blurs `src` into `dst`, both interleaved RGB of `size`. The picture's edge is repeated outside; rounding is to the
/// nearest, halves to even.
pub fn blur_gaussian_rgb8(
    src: &[u8],
    dst: &mut [u8],
    size: Size,
    sigma: f32,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let bytes = product("samples", size.area()?, 3)?;
    check_count("bytes of RGB in the source", bytes, src.len())?;
    check_count("bytes of RGB in the target", bytes, dst.len())?;
    let kernel = Kernel::new(sigma)?;
    let needed = scratch_length(size.width, sigma)?;
    let got = scratch.len();
    let scratch = scratch.get_mut(..needed).ok_or(Error::Shape {
        what: "scratch values at least",
        expected: needed,
        got,
    })?;
    let row_length = 3 * size.width;
    let (sums, padded) = scratch.split_at_mut(row_length);
    let source_row = |y: isize| {
        let y = y.clamp(0, size.height as isize - 1) as usize;
        &src[y * row_length..][..row_length]
    };
    for (y, target) in dst.chunks_exact_mut(row_length).enumerate() {
        let y = y as isize;
        // Down the columns first, into the middle of the padded row.
        let (margin, middle) = (3 * kernel.radius, 3 * kernel.radius + row_length);
        let column_sums = &mut padded[margin..middle];
        for (sum, &sample) in column_sums.iter_mut().zip(source_row(y)) {
            *sum = kernel.weights[0] * f32::from(sample);
        }
        for distance in 1..=kernel.radius {
            let weight = kernel.weights[distance];
            let above = source_row(y - distance as isize);
            let below = source_row(y + distance as isize);
            for ((sum, &a), &b) in column_sums.iter_mut().zip(above).zip(below) {
                *sum += weight * f32::from(u16::from(a) + u16::from(b));
            }
        }
        repeat_edges(padded, margin, middle);
        for (sum, &value) in sums.iter_mut().zip(&padded[margin..middle]) {
            *sum = kernel.weights[0] * value;
        }
        for distance in 1..=kernel.radius {
            let weight = kernel.weights[distance];
            let left = &padded[margin - 3 * distance..][..row_length];
            let right = &padded[margin + 3 * distance..][..row_length];
            for ((sum, &a), &b) in sums.iter_mut().zip(left).zip(right) {
                *sum += weight * (a + b);
            }
        }
        for (sample, &sum) in target.iter_mut().zip(sums.iter()) {
            *sample = sum.clamp(0.0, 255.0).round_ties_even() as i32 as u8;
        }
    }
    Ok(())
}

/// Fills what lies outside [margin, middle) with the first and the last pixel inside.
fn repeat_edges(padded: &mut [f32], margin: usize, middle: usize) {
    let (left, rest) = padded.split_at_mut(margin);
    let (inside, right) = rest.split_at_mut(middle - margin);
    for pixel in left.chunks_exact_mut(3) {
        pixel.copy_from_slice(&inside[..3]);
    }
    for pixel in right.chunks_exact_mut(3) {
        pixel.copy_from_slice(&inside[inside.len() - 3..]);
    }
}
