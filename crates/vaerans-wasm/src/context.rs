//! Exports of the context coder. Models are parsed once and kept, for as long as the module's instance lives.
//!
//! A band is told by `grids`, an array in the arena of five numbers (u32) for each latent grid of the model, coarse to
//! fine: where its samples are read from and where they are written to, each the offset of the band's first sample of the
//! first channel; the elements from one channel to the next; and the band's width and height in samples.

use std::cell::RefCell;

use vaerans_core::context::{self, Band, ContextModel, Grid, GridModel};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::slices::{with_claims, Claims, Element};
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

/// Channels of a model's grid, counted from the coarsest, or 0 for one that there is not.
#[wasm_bindgen]
pub fn context_model_channels(handle: u32, grid: u32) -> u32 {
    let channels = with_model(handle, |model| {
        let grid = model.grids().get(grid as usize);
        Ok(grid.map_or(0, GridModel::channels) as u32)
    });
    channels.unwrap_or(0)
}

/// Most bytes that `context_encode` writes for a band, or 0 when that does not fit u32.
#[wasm_bindgen]
pub fn context_encode_bound(handle: u32, grids: u32) -> u32 {
    let mut length = 0;
    let status = with_claims(|claims| {
        with_model(handle, |model| {
            let places = places_of(claims, model, grids)?;
            let sizes: Vec<_> = places
                .iter()
                .map(|place| (place.band.width, place.band.height))
                .collect();
            let bound = context::encode_bound(model, &sizes);
            length = bound
                .and_then(|bound| u32::try_from(bound).ok())
                .ok_or(Status::OutOfRange)?;
            Ok(())
        })
    });
    if status == Status::Ok as i32 {
        length
    } else {
        0
    }
}

/// Codes a band of symbols (i16). `rate`: 0 to 4095. `dst`: u8 [dst_capacity]. `written_length`: one u32 for the bytes
/// written at the start of `dst`.
#[wasm_bindgen]
pub fn context_encode(
    handle: u32,
    rate: u32,
    grids: u32,
    dst: u32,
    dst_capacity: u32,
    written_length: u32,
) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let sources = sources(claims, &places_of(claims, model, grids)?)?;
            let to = claims.write(dst, u64::from(dst_capacity))?;
            let written = claims.write::<u32>(written_length, 1)?;
            let length = context::encode(model, rate, &sources, to)?;
            written.fill(length as u32);
            Ok(())
        })
    })
}

/// Decodes all of `src` (u8 [src_length], hostile), coded at the same `rate`, into a band of symbols (i16). With status
/// -3 what is written means nothing.
#[wasm_bindgen]
pub fn context_decode(handle: u32, rate: u32, src: u32, src_length: u32, grids: u32) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let places = places_of(claims, model, grids)?;
            let bytes = claims.read(src, u64::from(src_length))?;
            let mut symbols = Vec::new();
            for place in places {
                let samples = claims.write::<i16>(place.to, place.span)?;
                symbols.push(Grid {
                    band: place.band,
                    samples,
                });
            }
            Ok(context::decode(model, rate, bytes, &mut symbols)?)
        })
    })
}

/// Bits (f32) of every symbol (i16) that `context_encode` would code of the same band at the same rate.
#[wasm_bindgen]
pub fn context_cost(handle: u32, rate: u32, grids: u32) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let places = places_of(claims, model, grids)?;
            let symbols = sources(claims, &places)?;
            let mut bits = destinations(claims, &places)?;
            Ok(context::cost(model, rate, &symbols, &mut bits)?)
        })
    })
}

/// Chooses a band of symbols (i16) for values (f32), for `context_encode` at the same rate. `gains`: f32, one for each
/// channel of all grids, steps for one; `lambda`: squared steps for a bit, 0 to 1.
#[wasm_bindgen]
pub fn context_choose(handle: u32, rate: u32, lambda: f32, gains: u32, grids: u32) -> i32 {
    with_claims(|claims| {
        with_model(handle, |model| {
            let places = places_of(claims, model, grids)?;
            let values = sources(claims, &places)?;
            let channels: usize = model.grids().iter().map(GridModel::channels).sum();
            let gains = claims.read(gains, channels as u64)?;
            let mut symbols = destinations(claims, &places)?;
            Ok(context::choose(
                model,
                rate,
                &values,
                gains,
                lambda,
                &mut symbols,
            )?)
        })
    })
}

/// Where a band of one grid lies.
struct Place {
    from: u32,
    to: u32,
    band: Band,
    /// Elements from the first sample of the first channel to the last one of the last.
    span: u64,
}

fn places_of(claims: &Claims, model: &ContextModel, grids: u32) -> Result<Vec<Place>, Status> {
    let count = model.grids().len();
    let numbers = claims.read::<u32>(grids, 5 * count as u64)?;
    let (rows, _) = numbers.as_chunks();
    let places = model.grids().iter().zip(rows);
    places
        .map(|(grid, &[from, to, plane_stride, width, height])| {
            let last_plane = (grid.channels() as u64 - 1) * u64::from(plane_stride);
            let area = u64::from(width) * u64::from(height);
            Ok(Place {
                from,
                to,
                band: Band {
                    plane_stride: plane_stride as usize,
                    width: width as usize,
                    height: height as usize,
                },
                span: last_plane.checked_add(area).ok_or(Status::BadArgument)?,
            })
        })
        .collect()
}

fn sources<'a, T: Element>(
    claims: &'a Claims,
    places: &[Place],
) -> Result<Vec<Grid<&'a [T]>>, Status> {
    let source = |place: &Place| {
        Ok(Grid {
            band: place.band,
            samples: claims.read(place.from, place.span)?,
        })
    };
    places.iter().map(source).collect()
}

fn destinations<'a, T: Element>(
    claims: &'a Claims,
    places: &[Place],
) -> Result<Vec<&'a mut [T]>, Status> {
    let destination = |place: &Place| claims.write(place.to, place.span);
    places.iter().map(destination).collect()
}
