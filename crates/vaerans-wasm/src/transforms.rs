//! Exports of the transforms between latents and coefficients.

use vaerans_core::image::Size;
use vaerans_core::{hadamard, klt, wavelet, Error};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::slices::with_claims;
use crate::status::Status;
use crate::{elements, size};

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
    let shape = (planes, width, height);
    transform_planes(wavelet::wavelet_forward, kind, data, shape, levels, scratch)
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
    let shape = (planes, width, height);
    transform_planes(wavelet::wavelet_inverse, kind, data, shape, levels, scratch)
}

type Wavelet = fn(wavelet::Kind, &mut [f32], Size, u32, &mut [f32]) -> Result<(), Error>;

fn transform_planes(
    transform: Wavelet,
    kind: u32,
    data: u32,
    (planes, width, height): (u32, u32, u32),
    levels: u32,
    scratch: u32,
) -> i32 {
    with_claims(|claims| {
        let kind = match kind {
            0 => wavelet::Kind::Cdf53,
            1 => wavelet::Kind::Haar,
            _ => return Err(Status::BadArgument),
        };
        let values = claims.write(data, elements(planes, width, height)?)?;
        let size = size(width, height);
        let scratch = claims.write(scratch, wavelet::scratch_length(size) as u64)?;
        Ok(transform(kind, values, size, levels, scratch)?)
    })
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
    let shape = (channels, plane_length);
    transform_channels(klt::klt_forward, src, dst, mean, matrix, shape)
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
    let shape = (channels, plane_length);
    transform_channels(klt::klt_inverse, src, dst, mean, matrix, shape)
}

type Klt = fn(&[f32], &mut [f32], &[f32], &[f32], usize) -> Result<(), Error>;

fn transform_channels(
    transform: Klt,
    src: u32,
    dst: u32,
    mean: u32,
    matrix: u32,
    (channels, plane_length): (u32, u32),
) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let mean = claims.read(mean, u64::from(channels))?;
        let matrix = claims.read(matrix, elements(channels, channels, 1)?)?;
        let plane_length = plane_length as usize;
        Ok(transform(from, to, mean, matrix, plane_length)?)
    })
}
