//! Exports of the plane coder. `dtype`: 0 u8, 1 u16, 2 i16 (residual of 8-bit), 3 i32 (residual of 16-bit).

use vaerans_core::planes::{self, Coding, Layout, Sample};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::slices::{with_claims, Claims, Element};
use crate::status::Status;

/// Calls a generic function with the sample type of a dtype.
macro_rules! by_dtype {
    ($dtype:expr, $function:ident($($argument:expr),*)) => {
        match $dtype {
            0 => $function::<u8>($($argument),*),
            1 => $function::<u16>($($argument),*),
            2 => $function::<i16>($($argument),*),
            3 => $function::<i32>($($argument),*),
            _ => Err(Status::BadArgument),
        }
    };
}

fn layout(width: u32, rows: u32, components: u32) -> Layout {
    Layout {
        width: width as usize,
        rows: rows as usize,
        components: components as usize,
    }
}

fn samples_in(layout: Layout) -> Result<u64, Status> {
    let area = layout.width as u64 * layout.rows as u64;
    area.checked_mul(layout.components as u64)
        .ok_or(Status::BadArgument)
}

/// Most bytes that `planes_encode` writes for a band, or 0 when that does not fit u32.
#[wasm_bindgen]
pub fn planes_encode_bound(dtype: u32, width: u32, rows: u32, components: u32) -> u32 {
    fn bound<S: Sample>(layout: Layout) -> Result<usize, Status> {
        planes::encode_bound::<S>(layout).ok_or(Status::BadArgument)
    }
    by_dtype!(dtype, bound(layout(width, rows, components)))
        .ok()
        .and_then(|bound| u32::try_from(bound).ok())
        .unwrap_or(0)
}

/// Codes a band. `src`: dtype [rows][width][components]. `max_error`: 0 to 255, no sample is further off; where it is
/// above 255, `step` counts instead: the wavelet's step in 1/64 level, 1 to 2^22. `dst`: u8 [dst_capacity], at least
/// `planes_encode_bound`. `written_length`: one u32 for the bytes that were written at the start of `dst`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn planes_encode(
    dtype: u32,
    src: u32,
    width: u32,
    rows: u32,
    components: u32,
    max_error: u32,
    step: u32,
    dst: u32,
    dst_capacity: u32,
    written_length: u32,
) -> i32 {
    fn encode<S: Sample + Element>(
        claims: &Claims,
        src: u32,
        layout: Layout,
        coding: Coding,
        dst: (u32, u32),
        written_length: u32,
    ) -> Result<(), Status> {
        let samples = claims.read::<S>(src, samples_in(layout)?)?;
        let to = claims.write(dst.0, u64::from(dst.1))?;
        let written = claims.write::<u32>(written_length, 1)?;
        written.fill(planes::encode(samples, layout, coding, to)? as u32);
        Ok(())
    }
    with_claims(|claims| {
        let layout = layout(width, rows, components);
        let coding = if max_error <= planes::MAX_ERROR_LIMIT {
            Coding::MaxError(max_error)
        } else {
            Coding::Step(step)
        };
        let to = (dst, dst_capacity);
        by_dtype!(
            dtype,
            encode(claims, src, layout, coding, to, written_length)
        )
    })
}

/// Makes of a band, in place, what it decodes to when coded with a wavelet's `step`, in 1/64 level, 1 to 2^22. `data`:
/// dtype [rows][width][components].
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn planes_round_trip(
    dtype: u32,
    data: u32,
    width: u32,
    rows: u32,
    components: u32,
    step: u32,
) -> i32 {
    fn round_trip<S: Sample + Element>(
        claims: &Claims,
        data: u32,
        layout: Layout,
        step: u32,
    ) -> Result<(), Status> {
        let samples = claims.write::<S>(data, samples_in(layout)?)?;
        Ok(planes::round_trip(samples, layout, step)?)
    }
    with_claims(|claims| {
        let layout = layout(width, rows, components);
        by_dtype!(dtype, round_trip(claims, data, layout, step))
    })
}

/// Decodes all of `src` (u8 [src_length], hostile) into `dst`, dtype [rows][width][components].
/// With status -3 what was decoded means nothing.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn planes_decode(
    dtype: u32,
    src: u32,
    src_length: u32,
    dst: u32,
    width: u32,
    rows: u32,
    components: u32,
) -> i32 {
    fn decode<S: Sample + Element>(
        claims: &Claims,
        src: (u32, u32),
        dst: u32,
        layout: Layout,
    ) -> Result<(), Status> {
        let bytes = claims.read(src.0, u64::from(src.1))?;
        let samples = claims.write::<S>(dst, samples_in(layout)?)?;
        Ok(planes::decode(bytes, samples, layout)?)
    }
    with_claims(|claims| {
        let layout = layout(width, rows, components);
        by_dtype!(dtype, decode(claims, (src, src_length), dst, layout))
    })
}
