//! Exports of the core over offsets into one linear memory: check, slice, call the core.
//!
//! Pointers are byte offsets, counts are elements, both u32. Every kernel returns a [`status::Status`] as i32. All ranges lie
//! inside the block that `arena_reserve` handed out; what is written may not overlap anything else of the same call.
//! "Planar" is [channels][plane_length].

mod context;
mod planes;
mod slices;
mod status;

use vaerans_core::image::{Affine, Copy, Size};
use vaerans_core::static_coder::{self, Planes};
use vaerans_core::{blur, gains, hadamard, image, klt, metrics, quantise as quantiser, wavelet};
use wasm_bindgen::prelude::wasm_bindgen;

use slices::with_claims;
use status::Status;

/// `a * b * c` of counts; no product of two u32 overflows a u64, the third may.
fn elements(a: u32, b: u32, c: u32) -> Result<u64, Status> {
    (u64::from(a) * u64::from(b))
        .checked_mul(u64::from(c))
        .ok_or(Status::BadArgument)
}

fn size(width: u32, height: u32) -> Size {
    Size {
        width: width as usize,
        height: height as usize,
    }
}

/// Gives the caller `byte_length` bytes of its own, 64-byte aligned, and takes back the block given before, with all
/// that lay in it. Returns the offset, or 0 when the memory cannot be had (there is no block then). Not cleared.
#[wasm_bindgen]
pub fn arena_reserve(byte_length: u32) -> u32 {
    slices::replace_arena(byte_length)
}

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

/// `data`: planar f32, in place; `channels` is a multiple of 4.
#[wasm_bindgen]
pub fn hadamard4_forward(data: u32, channels: u32, plane_length: u32) -> i32 {
    with_claims(|claims| {
        let values = claims.write(data, elements(channels, plane_length, 1)?)?;
        Ok(hadamard::hadamard4(
            values,
            channels as usize,
            plane_length as usize,
        )?)
    })
}

/// Takes `hadamard4_forward` back; the transform is its own inverse.
#[wasm_bindgen]
pub fn hadamard4_inverse(data: u32, channels: u32, plane_length: u32) -> i32 {
    hadamard4_forward(data, channels, plane_length)
}

/// f32 elements of scratch that a wavelet of this size needs, about half a plane, or 0 when that does not fit u32.
#[wasm_bindgen]
pub fn wavelet_scratch_length(width: u32, height: u32) -> u32 {
    u32::try_from(wavelet::scratch_length(size(width, height))).unwrap_or(0)
}

/// `kind`: 0 CDF 5/3, 1 Haar. `data`: f32 [planes][height][width], in place, subbands in Mallat layout. `levels`: 1 to
/// 10. `scratch`: f32 [wavelet_scratch_length].
#[wasm_bindgen]
pub fn wavelet_forward(
    kind: u32,
    data: u32,
    planes: u32,
    width: u32,
    height: u32,
    levels: u32,
    scratch: u32,
) -> i32 {
    with_claims(|claims| {
        let values = claims.write(data, elements(planes, width, height)?)?;
        let size = size(width, height);
        let scratch = claims.write(scratch, wavelet::scratch_length(size) as u64)?;
        Ok(wavelet::wavelet_forward(
            wavelet_kind(kind)?,
            values,
            size,
            levels,
            scratch,
        )?)
    })
}

/// Takes `wavelet_forward` back; same arguments.
#[wasm_bindgen]
pub fn wavelet_inverse(
    kind: u32,
    data: u32,
    planes: u32,
    width: u32,
    height: u32,
    levels: u32,
    scratch: u32,
) -> i32 {
    with_claims(|claims| {
        let values = claims.write(data, elements(planes, width, height)?)?;
        let size = size(width, height);
        let scratch = claims.write(scratch, wavelet::scratch_length(size) as u64)?;
        Ok(wavelet::wavelet_inverse(
            wavelet_kind(kind)?,
            values,
            size,
            levels,
            scratch,
        )?)
    })
}

fn wavelet_kind(kind: u32) -> Result<wavelet::Kind, Status> {
    match kind {
        0 => Ok(wavelet::Kind::Cdf53),
        1 => Ok(wavelet::Kind::Haar),
        _ => Err(Status::BadArgument),
    }
}

/// `y = M (x - mean)`. `src`, `dst`: planar f32, apart from each other. `mean`: f32 [channels]. `matrix`: f32
/// [channels][channels], row by row.
#[wasm_bindgen]
pub fn klt_forward(
    src: u32,
    dst: u32,
    mean: u32,
    matrix: u32,
    channels: u32,
    plane_length: u32,
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let mean = claims.read(mean, u64::from(channels))?;
        let matrix = claims.read(matrix, elements(channels, channels, 1)?)?;
        Ok(klt::klt_forward(
            from,
            to,
            mean,
            matrix,
            plane_length as usize,
        )?)
    })
}

/// `x = Mᵀ y + mean`; same arguments as `klt_forward`.
#[wasm_bindgen]
pub fn klt_inverse(
    src: u32,
    dst: u32,
    mean: u32,
    matrix: u32,
    channels: u32,
    plane_length: u32,
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let mean = claims.read(mean, u64::from(channels))?;
        let matrix = claims.read(matrix, elements(channels, channels, 1)?)?;
        Ok(klt::klt_inverse(
            from,
            to,
            mean,
            matrix,
            plane_length as usize,
        )?)
    })
}

/// `log_knots`: f32 [knot_count][channels], natural logarithms from -80 to 80. `rate`: 0 to 4095. `dst`: f32 [channels],
/// the same bits on every machine. A value outside its range is status -5.
#[wasm_bindgen]
pub fn gains_at_rate(log_knots: u32, knot_count: u32, channels: u32, rate: u32, dst: u32) -> i32 {
    with_claims(|claims| {
        let knots = claims.read(log_knots, elements(knot_count, channels, 1)?)?;
        let to = claims.write(dst, u64::from(channels))?;
        Ok(gains::gains_at_rate(knots, rate, to)?)
    })
}

/// `symbol = round(value * gain)`, halves to even, saturating at ±32767, NaN to 0. `src`: planar f32. `dst`: planar i16.
/// `gains`: f32 [channels].
#[wasm_bindgen]
pub fn quantise(src: u32, dst: u32, gains: u32, channels: u32, plane_length: u32) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let gains = claims.read(gains, u64::from(channels))?;
        Ok(quantiser::quantise(from, to, gains, plane_length as usize)?)
    })
}

/// `value = symbol * inverse_gain`. `src`: planar i16. `dst`: planar f32. `inverse_gains`: f32 [channels].
#[wasm_bindgen]
pub fn dequantise(src: u32, dst: u32, inverse_gains: u32, channels: u32, plane_length: u32) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let inverse_gains = claims.read(inverse_gains, u64::from(channels))?;
        Ok(quantiser::dequantise(
            from,
            to,
            inverse_gains,
            plane_length as usize,
        )?)
    })
}

/// Order-0 entropy of planar i16 symbols, each channel by itself: bits of all of them together. `dst`: one f64.
#[wasm_bindgen]
pub fn symbols_entropy(src: u32, channels: u32, plane_length: u32, dst: u32) -> i32 {
    with_claims(|claims| {
        let symbols = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write::<f64>(dst, 1)?;
        let bits =
            metrics::symbols_entropy_bits(symbols, channels as usize, plane_length as usize)?;
        to.fill(bits);
        Ok(())
    })
}

/// Most bytes that `static_encode` writes for this many symbols, or 0 when that does not fit u32.
#[wasm_bindgen]
pub fn static_encode_bound(channels: u32, plane_length: u32) -> u32 {
    static_coder::encode_bound(channels as usize, plane_length as usize)
        .and_then(|bound| u32::try_from(bound).ok())
        .unwrap_or(0)
}

/// Codes `plane_length` symbols of each channel; channel c begins `c * plane_stride` elements after `src` (i16). `dst`:
/// u8 [dst_capacity]. `written_length`: one u32 for the bytes that were written at the start of `dst`.
#[wasm_bindgen]
pub fn static_encode(
    src: u32,
    channels: u32,
    plane_length: u32,
    plane_stride: u32,
    dst: u32,
    dst_capacity: u32,
    written_length: u32,
) -> i32 {
    with_claims(|claims| {
        let planes = planes(channels, plane_length, plane_stride);
        let symbols = claims.read(src, planes_span(channels, plane_length, plane_stride)?)?;
        let to = claims.write(dst, u64::from(dst_capacity))?;
        let written = claims.write::<u32>(written_length, 1)?;
        let length = static_coder::encode(symbols, planes, to)?;
        written.fill(length as u32);
        Ok(())
    })
}

/// Decodes all of `src` (u8 [src_length], hostile) into `plane_length` symbols of each channel of `dst` (i16, channel c at
/// `c * plane_stride`). With status -3 the symbols in `dst` mean nothing.
#[wasm_bindgen]
pub fn static_decode(
    src: u32,
    src_length: u32,
    dst: u32,
    channels: u32,
    plane_length: u32,
    plane_stride: u32,
) -> i32 {
    with_claims(|claims| {
        let planes = planes(channels, plane_length, plane_stride);
        let bytes = claims.read(src, u64::from(src_length))?;
        let symbols = claims.write(dst, planes_span(channels, plane_length, plane_stride)?)?;
        Ok(static_coder::decode(bytes, symbols, planes)?)
    })
}

fn planes(channels: u32, plane_length: u32, plane_stride: u32) -> Planes {
    Planes {
        channels: channels as usize,
        length: plane_length as usize,
        stride: plane_stride as usize,
    }
}

/// Elements from the first symbol of the first plane to the last one of the last plane.
fn planes_span(channels: u32, plane_length: u32, plane_stride: u32) -> Result<u64, Status> {
    match channels {
        0 => Ok(0),
        _ => Ok(u64::from(channels - 1) * u64::from(plane_stride) + u64::from(plane_length)),
    }
}

/// Sum of squared differences of two runs of u8, exact. `dst`: one f64.
#[wasm_bindgen]
pub fn sum_squared_error_u8(a: u32, b: u32, length: u32, dst: u32) -> i32 {
    with_claims(|claims| {
        let a = claims.read(a, u64::from(length))?;
        let b = claims.read(b, u64::from(length))?;
        let to = claims.write::<f64>(dst, 1)?;
        to.fill(metrics::sum_squared_error(a, b)?);
        Ok(())
    })
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
