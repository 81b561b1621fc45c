//! Exports of the core over offsets into one linear memory: check, slice, call the core.
//!
//! Pointers are byte offsets, counts are elements, both u32. Every kernel returns a [`status::Status`] as i32. All ranges lie
//! inside the block that `arena_reserve` handed out; what is written may not overlap anything else of the same call.
//! "Planar" is [channels][plane_length].
#![deny(unsafe_code)]

mod context;
mod image;
mod metrics;
mod planes;
mod quantise;
mod slices;
mod static_coder;
mod status;
mod transforms;

use vaerans_core::image::Size;
use wasm_bindgen::prelude::wasm_bindgen;

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
