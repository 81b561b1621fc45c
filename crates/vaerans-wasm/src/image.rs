//! Exports of kernels on pixels.

use vaerans_core::blur;
use vaerans_core::image::{self, Affine, Copy};
use vaerans_core::restoration::{Adjustment, Observations, Restoration};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::slices::with_claims;
use crate::{elements, size};

/// `src`: u8 [src_height][src_width][3]. `dst`: f32 [3][dst_height][dst_width], the window whose top left corner is
/// (`x0`, `y0`); outside the source its edge is repeated. `value = sample * scale + bias`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn rgb8_to_planar(
    src: u32,
    src_width: u32,
    src_height: u32,
    x0: i32,
    y0: i32,
    dst: u32,
    dst_width: u32,
    dst_height: u32,
    scale: f32,
    bias: f32,
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(src_width, src_height, 3)?)?;
        let to = claims.write(dst, elements(dst_width, dst_height, 3)?)?;
        let (src_size, dst_size) = (size(src_width, src_height), size(dst_width, dst_height));
        let affine = Affine { scale, bias };
        Ok(image::rgb8_to_planar(
            from,
            src_size,
            (x0, y0),
            to,
            dst_size,
            affine,
        )?)
    })
}

/// `src`: f32 [3][src_height][src_width]. `dst`: u8 [dst_height][dst_width][3]; the window (`x0`, `y0`, `width`,
/// `height`) of `src`, wholly inside, is written at (`dst_x`, `dst_y`).
/// `sample = round(clamp(value * scale + bias, 0, 255))`, halves to even, NaN to 0.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn planar_to_rgb8(
    src: u32,
    src_width: u32,
    src_height: u32,
    x0: u32,
    y0: u32,
    dst: u32,
    dst_width: u32,
    dst_height: u32,
    width: u32,
    height: u32,
    dst_x: u32,
    dst_y: u32,
    scale: f32,
    bias: f32,
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(src_width, src_height, 3)?)?;
        let to = claims.write(dst, elements(dst_width, dst_height, 3)?)?;
        let copy = window(x0, y0, dst_x, dst_y, width, height);
        let (src_size, dst_size) = (size(src_width, src_height), size(dst_width, dst_height));
        let affine = Affine { scale, bias };
        Ok(image::planar_to_rgb8(
            from, src_size, to, dst_size, copy, affine,
        )?)
    })
}

/// Copies the window (`x0`, `y0`, `width`, `height`) of every plane of `src` to (`dst_x`, `dst_y`) of the same plane of
/// `dst`; both are planar f32 with `channels` channels, and the window lies inside both.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn copy_window_f32(
    src: u32,
    src_width: u32,
    src_height: u32,
    x0: u32,
    y0: u32,
    dst: u32,
    dst_width: u32,
    dst_height: u32,
    dst_x: u32,
    dst_y: u32,
    width: u32,
    height: u32,
    channels: u32,
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(src_width, src_height, channels)?)?;
        let to = claims.write(dst, elements(dst_width, dst_height, channels)?)?;
        let copy = window(x0, y0, dst_x, dst_y, width, height);
        let (src_size, dst_size) = (size(src_width, src_height), size(dst_width, dst_height));
        Ok(image::copy_window(
            from,
            src_size,
            to,
            dst_size,
            channels as usize,
            copy,
        )?)
    })
}

fn window(x0: u32, y0: u32, dst_x: u32, dst_y: u32, width: u32, height: u32) -> Copy {
    Copy {
        src_x: x0 as usize,
        src_y: y0 as usize,
        dst_x: dst_x as usize,
        dst_y: dst_y as usize,
        size: size(width, height),
    }
}

/// f32 elements of scratch for `blur_gaussian_rgb8`: 6 * (width + ceil(3 * sigma)), or 0 when sigma is out of range or
/// the count does not fit u32.
#[wasm_bindgen]
pub fn blur_scratch_length(width: u32, sigma: f32) -> u32 {
    blur::scratch_length(width as usize, sigma)
        .ok()
        .and_then(|length| u32::try_from(length).ok())
        .unwrap_or(0)
}

/// `src`, `dst`: u8 [height][width][3], apart from each other. `sigma`: above 0 and up to 64 pixels. `scratch`: f32
/// [blur_scratch_length]. The picture's edge is repeated outside.
#[wasm_bindgen]
pub fn blur_gaussian_rgb8(
    src: u32,
    dst: u32,
    width: u32,
    height: u32,
    sigma: f32,
    scratch: u32,
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(width, height, 3)?)?;
        let to = claims.write(dst, elements(width, height, 3)?)?;
        let scratch_length = blur::scratch_length(width as usize, sigma)?;
        let scratch = claims.write(scratch, scratch_length as u64)?;
        let size = size(width, height);
        Ok(blur::blur_gaussian_rgb8(from, to, size, sigma, scratch)?)
    })
}

/// `file`: a restoration filter's, which `adjustment`, i8 [23], turns to a picture. `rgb`: u8 [height][width][3], of which the
/// window (`x`, `y`, `window_width`, `window_height`), wholly inside, is filtered in place as at `rate`, 0 to 4095, as if
/// nothing lay outside of it.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn restore_rgb8(
    file: u32,
    file_length: u32,
    rate: u32,
    adjustment: u32,
    rgb: u32,
    width: u32,
    height: u32,
    x: u32,
    y: u32,
    window_width: u32,
    window_height: u32,
) -> i32 {
    with_claims(|claims| {
        let file = claims.read(file, u64::from(file_length))?;
        let mut own = Adjustment::default();
        let given = claims.read::<u8>(adjustment, Adjustment::LENGTH as u64)?;
        for (own, &given) in own.0.iter_mut().zip(given) {
            *own = given as i8;
        }
        let filter = Restoration::at_rate(file, rate, &own)?;
        let pixels = claims.write(rgb, elements(width, height, 3)?)?;
        let (at, window) = ((x as usize, y as usize), size(window_width, window_height));
        Ok(filter.apply(pixels, size(width, height), at, window)?)
    })
}

/// Adds to `sums`, f64 [273], what an encoder finds an adjustment by: of a window of `decoded`, u8 [height][width][3],
/// that was not restored, and of the same in `original`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn restore_observe(
    file: u32,
    file_length: u32,
    rate: u32,
    decoded: u32,
    original: u32,
    width: u32,
    height: u32,
    x: u32,
    y: u32,
    window_width: u32,
    window_height: u32,
    sums: u32,
) -> i32 {
    with_claims(|claims| {
        let file = claims.read(file, u64::from(file_length))?;
        let filter = Restoration::at_rate(file, rate, &Adjustment::default())?;
        let bytes = elements(width, height, 3)?;
        let decoded = claims.write(decoded, bytes)?;
        let original = claims.read(original, bytes)?;
        let sums = claims.write::<f64>(sums, Observations::NUMBERS as u64)?;
        let (at, window) = ((x as usize, y as usize), size(window_width, window_height));
        let mut found = Observations::default();
        found.add(&filter, decoded, original, size(width, height), at, window)?;
        for (sum, number) in sums.iter_mut().zip(found.to_numbers()) {
            *sum += number;
        }
        Ok(())
    })
}
