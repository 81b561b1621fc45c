//! The plane coder: pictures, residuals and alpha as integers, without a network.
//!
//! A band is some rows of up to four components, coded by itself. It begins with one byte: method (bits 0-2),
//! components - 1 (bits 3-4), sample type (bits 5-6); bit 7 is zero. What follows depends on the method.

mod decode;
mod encode;
mod graphic;
mod integer;
mod interleaved;
mod mix;
mod plane;
mod range;
mod spatial;
mod wavelet;

pub use decode::decode;
pub use encode::{encode, round_trip};
pub use interleaved::Layout;
pub use plane::Sample;

const METHOD_RAW: u8 = 0;
const METHOD_SPATIAL: u8 = 1;
const METHOD_WAVELET: u8 = 2;
const METHOD_GRAPHIC: u8 = 3;

/// Bytes of the step in a wavelet band.
const STEP_BYTES: usize = 3;

/// How exactly a band is coded.
#[derive(Clone, Copy, Debug)]
pub enum Coding {
    /// No sample is further off than this; 0 is lossless.
    MaxError(u32),
    /// Wavelet coefficients in steps of so many 1/64 levels: the least squared error for the bits, about step^2 / 12.
    /// Steps below 4 levels are 4 where samples have more than 8 bits.
    Step(u32),
}

/// Most that [`Coding::MaxError`] takes.
pub const MAX_ERROR_LIMIT: u32 = 255;
/// Most that [`Coding::Step`] takes.
pub const STEP_LIMIT: u32 = 1 << 22;
pub const SIDE_MAX: usize = 65_535;
pub const PIXELS_MAX: usize = 1 << 26;

/// Bytes that no band exceeds, raw samples and the head, or `None` when that does not fit.
pub fn encode_bound<S: Sample>(layout: Layout) -> Option<usize> {
    layout
        .width
        .checked_mul(layout.rows)?
        .checked_mul(layout.components.checked_mul(S::RAW_BYTES)?)?
        .checked_add(1)
}
