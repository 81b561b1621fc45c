//! Exports of the static coder.

use vaerans_core::static_coder::{self, Planes};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::slices::with_claims;
use crate::status::Status;

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
