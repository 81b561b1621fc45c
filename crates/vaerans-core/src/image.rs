//! Interleaved 8-bit RGB to planar f32 and back, and copies of windows between planes. A tile of a picture is a window:
//! where a tile's margin reaches outside, the picture's edge is repeated.

mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::row_to_planar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::row_to_planar;

use crate::error::{check_count, product};
use crate::Error;

/// Width and height of a picture or plane, in samples; both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

impl Size {
    /// Samples of one plane.
    pub(crate) fn area(self) -> Result<usize, Error> {
        if self.width == 0 || self.height == 0 {
            return Err(Error::Shape {
                what: "samples in width and height at least",
                expected: 1,
                got: 0,
            });
        }
        product("samples in a plane at most", self.width, self.height)
    }

    /// Whether a window of `size` at (`x`, `y`) lies inside.
    pub(crate) fn contains(self, x: usize, y: usize, size: Size) -> Result<(), Error> {
        let inside = |start: usize, length: usize, side: usize| {
            start.checked_add(length).is_some_and(|end| end <= side)
        };
        if inside(x, size.width, self.width) && inside(y, size.height, self.height) {
            return Ok(());
        }
        Err(Error::Shape {
            what: "rows and columns inside the plane at most",
            expected: self.width.min(self.height),
            got: x.max(y),
        })
    }
}

/// How samples and network values relate: `value = sample * scale + bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    pub scale: f32,
    pub bias: f32,
}

/// Fills three planes with the window of `src` whose top left corner is (`x0`, `y0`), which may lie outside: the edge
/// is repeated. `src` is interleaved RGB, `dst` three planes of `dst_size`.
pub fn rgb8_to_planar(
    src: &[u8],
    src_size: Size,
    (x0, y0): (i32, i32),
    dst: &mut [f32],
    dst_size: Size,
    affine: Affine,
) -> Result<(), Error> {
    let src_area = src_size.area()?;
    let dst_area = dst_size.area()?;
    check_count("bytes of RGB", product("samples", src_area, 3)?, src.len())?;
    check_count(
        "values in three planes",
        product("samples", dst_area, 3)?,
        dst.len(),
    )?;
    // Columns [left, right) of the window lie inside the picture; both may be 0 or the whole width.
    let x0 = i64::from(x0);
    let width = dst_size.width as i64;
    let left = (-x0).clamp(0, width) as usize;
    let right = (src_size.width as i64 - x0).clamp(left as i64, width) as usize;
    let first_inside = (x0 + left as i64).clamp(0, src_size.width as i64 - 1) as usize;

    let (red, rest) = dst.split_at_mut(dst_area);
    let (green, blue) = rest.split_at_mut(dst_area);
    let rows = red
        .chunks_exact_mut(dst_size.width)
        .zip(green.chunks_exact_mut(dst_size.width))
        .zip(blue.chunks_exact_mut(dst_size.width));
    for (y, ((red, green), blue)) in rows.enumerate() {
        let src_y = (i64::from(y0) + y as i64).clamp(0, src_size.height as i64 - 1) as usize;
        let row = &src[src_y * src_size.width * 3..][..src_size.width * 3];
        let inside = &row[first_inside * 3..][..(right - left) * 3];
        row_to_planar(
            inside,
            [&mut *red, &mut *green, &mut *blue].map(|plane| &mut plane[left..right]),
            affine,
        );
        let last = src_size.width * 3 - 3;
        for (channel, plane) in [red, green, blue].into_iter().enumerate() {
            plane[..left].fill(to_value(row[channel], affine));
            plane[right..].fill(to_value(row[last + channel], affine));
        }
    }
    Ok(())
}

#[inline(always)]
fn to_value(sample: u8, affine: Affine) -> f32 {
    f32::from(sample) * affine.scale + affine.bias
}

/// A window of one plane or picture and where it goes in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    pub src_x: usize,
    pub src_y: usize,
    pub dst_x: usize,
    pub dst_y: usize,
    pub size: Size,
}

/// Writes a window of three planes into an interleaved RGB picture:
/// `sample = round(clamp(value * scale + bias, 0, 255))`, halves to even, NaN to 0.
pub fn planar_to_rgb8(
    src: &[f32],
    src_size: Size,
    dst: &mut [u8],
    dst_size: Size,
    copy: Copy,
    affine: Affine,
) -> Result<(), Error> {
    let src_area = src_size.area()?;
    let dst_area = dst_size.area()?;
    check_count(
        "values in three planes",
        product("samples", src_area, 3)?,
        src.len(),
    )?;
    check_count("bytes of RGB", product("samples", dst_area, 3)?, dst.len())?;
    src_size.contains(copy.src_x, copy.src_y, copy.size)?;
    dst_size.contains(copy.dst_x, copy.dst_y, copy.size)?;
    let width = copy.size.width;
    for y in 0..copy.size.height {
        let start = (copy.src_y + y) * src_size.width + copy.src_x;
        let row = &mut dst[((copy.dst_y + y) * dst_size.width + copy.dst_x) * 3..][..width * 3];
        row_to_rgb8(
            [0, src_area, 2 * src_area].map(|plane| &src[plane + start..][..width]),
            row,
            affine,
        );
    }
    Ok(())
}

#[inline(always)]
fn to_sample(value: f32, affine: Affine) -> u8 {
    let scaled = value * affine.scale + affine.bias;
    // Written with comparisons so that NaN falls to 0 and both sides are one vector instruction.
    let positive = if scaled > 0.0 { scaled } else { 0.0 };
    let clamped = if positive < 255.0 { positive } else { 255.0 };
    // Through i32, which vectors can convert to.
    clamped.round_ties_even() as i32 as u8
}

fn row_to_rgb8([red, green, blue]: [&[f32]; 3], rgb: &mut [u8], affine: Affine) {
    let planes = red.iter().zip(green).zip(blue);
    for (pixel, ((&red, &green), &blue)) in rgb.as_chunks_mut().0.iter_mut().zip(planes) {
        *pixel = [
            to_sample(red, affine),
            to_sample(green, affine),
            to_sample(blue, affine),
        ];
    }
}

/// Copies a window of every plane of `src` into the same plane of `dst`: a tile's latent without its margin into the
/// global grid, and back.
pub fn copy_window(
    src: &[f32],
    src_size: Size,
    dst: &mut [f32],
    dst_size: Size,
    channels: usize,
    copy: Copy,
) -> Result<(), Error> {
    let src_area = src_size.area()?;
    let dst_area = dst_size.area()?;
    check_count(
        "values in the source planes",
        product("samples", src_area, channels)?,
        src.len(),
    )?;
    check_count(
        "values in the target planes",
        product("samples", dst_area, channels)?,
        dst.len(),
    )?;
    src_size.contains(copy.src_x, copy.src_y, copy.size)?;
    dst_size.contains(copy.dst_x, copy.dst_y, copy.size)?;
    let planes = src
        .chunks_exact(src_area)
        .zip(dst.chunks_exact_mut(dst_area));
    for (src_plane, dst_plane) in planes {
        for y in 0..copy.size.height {
            let from = &src_plane[(copy.src_y + y) * src_size.width + copy.src_x..];
            let to = &mut dst_plane[(copy.dst_y + y) * dst_size.width + copy.dst_x..];
            to[..copy.size.width].copy_from_slice(&from[..copy.size.width]);
        }
    }
    Ok(())
}
