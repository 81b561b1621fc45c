//! Exports of the context coder. Models are parsed once and kept, for as long as the module's instance lives.

use std::cell::RefCell;

use vaerans_core::context::{self, Band, ContextModel};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::slices::with_claims;
use crate::status::Status;

/// Most models that one instance keeps.
const MODELS_MAX: usize = 16;

thread_local! {
    static MODELS: RefCell<Vec<ContextModel>> = const { RefCell::new(Vec::new()) };
}

/// Calls `body` with the model of a handle.
fn with_model<T>(
    handle: u32,
    body: impl FnOnce(&ContextModel) -> Result<T, Status>,
) -> Result<T, Status> {
    MODELS.with_borrow(|models| body(models.get(handle as usize).ok_or(Status::BadArgument)?))
}

/// Parses a context model's file (u8 [length]) and keeps it. Returns its handle, or a negative status: -3 for a file
/// that is not one, -2 when too many are kept already.
#[wasm_bindgen]
pub fn context_model_load(src: u32, length: u32) -> i32 {
    let mut handle = 0;
    let status = with_claims(|claims| {
        let model = ContextModel::parse(claims.read(src, u64::from(length))?)?;
        MODELS.with_borrow_mut(|models| {
            if models.len() >= MODELS_MAX {
                return Err(Status::OutOfMemory);
            }
            handle = models.len() as i32;
            models.push(model);
            Ok(())
        })
    });
    if status == Status::Ok as i32 {
        handle
    } else {
        status
    }
}

/// Channels that a model codes, or 0 for a handle that was never given out.
#[wasm_bindgen]
pub fn context_model_channels(handle: u32) -> u32 {
    with_model(handle, |model| Ok(model.channels() as u32)).unwrap_or(0)
}

/// Most bytes that `context_encode` writes for a band, or 0 when that does not fit u32.
#[wasm_bindgen]
pub fn context_encode_bound(handle: u32, width: u32, height: u32) -> u32 {
    let bound = with_model(handle, |model| {
        let bound = context::encode_bound(model, width as usize, height as usize);
        bound
            .and_then(|bound| u32::try_from(bound).ok())
            .ok_or(Status::OutOfRange)
    });
    bound.unwrap_or(0)
}

/// Codes `height` rows of `width` symbols of every channel; channel c begins `c * plane_stride` elements after `src`
/// (i16). `rate`: 0 to 4095. `dst`: u8 [dst_capacity]. `written_length`: one u32 for the bytes written at the start of
/// `dst`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn context_encode(
    handle: u32,
    rate: u32,
    src: u32,
    plane_stride: u32,
    width: u32,
    height: u32,
    dst: u32,
    dst_capacity: u32,
    written_length: u32,
) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let band = band(plane_stride, width, height);
            let symbols = claims.read(src, span(model, plane_stride, width, height)?)?;
            let to = claims.write(dst, u64::from(dst_capacity))?;
            let written = claims.write::<u32>(written_length, 1)?;
            let length = context::encode(model, rate, symbols, band, to)?;
            written.fill(length as u32);
            Ok(())
        })
    })
}

/// Decodes all of `src` (u8 [src_length], hostile), coded at the same `rate`, into `height` rows of `width` symbols of
/// every channel of `dst` (i16, channel c at `c * plane_stride`). With status -3 the symbols in `dst` mean nothing.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn context_decode(
    handle: u32,
    rate: u32,
    src: u32,
    src_length: u32,
    dst: u32,
    plane_stride: u32,
    width: u32,
    height: u32,
) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let band = band(plane_stride, width, height);
            let bytes = claims.read(src, u64::from(src_length))?;
            let symbols = claims.write(dst, span(model, plane_stride, width, height)?)?;
            Ok(context::decode(model, rate, bytes, symbols, band)?)
        })
    })
}

/// Bits of every symbol that `context_encode` would code of the same band at the same rate, in `dst` (f32, channel c at
/// `c * plane_stride` as in `src`).
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn context_cost(
    handle: u32,
    rate: u32,
    src: u32,
    plane_stride: u32,
    width: u32,
    height: u32,
    dst: u32,
) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let length = span(model, plane_stride, width, height)?;
            let symbols = claims.read(src, length)?;
            let bits = claims.write(dst, length)?;
            let band = band(plane_stride, width, height);
            Ok(context::cost(model, rate, symbols, band, bits)?)
        })
    })
}

/// Chooses the symbols of a band of `src` (f32, laid out as the symbols of `dst`, i16) for `context_encode` at the same
/// rate. `gains`: f32 [channels], steps for one; `lambda`: squared steps for a bit, 0 to 1.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn context_choose(
    handle: u32,
    rate: u32,
    lambda: f32,
    src: u32,
    gains: u32,
    plane_stride: u32,
    width: u32,
    height: u32,
    dst: u32,
) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let band = band(plane_stride, width, height);
            let length = span(model, plane_stride, width, height)?;
            let values = claims.read(src, length)?;
            let gains = claims.read(gains, model.channels() as u64)?;
            let symbols = claims.write(dst, length)?;
            Ok(context::choose(
                model, rate, values, gains, lambda, band, symbols,
            )?)
        })
    })
}

fn band(plane_stride: u32, width: u32, height: u32) -> Band {
    Band {
        plane_stride: plane_stride as usize,
        width: width as usize,
        height: height as usize,
    }
}

/// Elements from the first symbol of the first channel to the last one of the last.
fn span(model: &ContextModel, plane_stride: u32, width: u32, height: u32) -> Result<u64, Status> {
    let last_plane = (model.channels() as u64 - 1) * u64::from(plane_stride);
    let area = u64::from(width) * u64::from(height);
    last_plane.checked_add(area).ok_or(Status::BadArgument)
}
