//! How near one picture is to another. Pictures are u8, interleaved, 1 (grey) or 3 (RGB) channels, row by row.
//!
//! The functions of the modules are plain Rust over slices; `exports` makes a WASM module of them, which only the bench
//! and the metrics command load. No `unsafe` here.
#![forbid(unsafe_code)]

mod error_energy;
mod exports;
mod gaussian;
mod ssim;
mod ssimulacra2;

pub use error_energy::{mean_squared_error, mean_squared_luma_error};
pub use ssim::{ms_ssim, ssim, MS_SSIM_MIN_SIDE, SSIM_MIN_SIDE};
pub use ssimulacra2::{ssimulacra2, SSIMULACRA2_MIN_SIDE};

/// Two pictures of one size.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    width: usize,
    height: usize,
    channels: usize,
    a: &'a [u8],
    b: &'a [u8],
}

impl<'a> Pair<'a> {
    /// `None` unless both hold `width * height * channels` samples, at least one, of 1 or 3 channels.
    pub fn new(
        width: usize,
        height: usize,
        channels: usize,
        a: &'a [u8],
        b: &'a [u8],
    ) -> Option<Self> {
        let length = width.checked_mul(height)?.checked_mul(channels)?;
        let agrees = length > 0 && a.len() == length && b.len() == length;
        (agrees && (channels == 1 || channels == 3)).then_some(Pair {
            width,
            height,
            channels,
            a,
            b,
        })
    }

    /// The smaller of width and height.
    pub fn short_side(&self) -> usize {
        self.width.min(self.height)
    }
}
