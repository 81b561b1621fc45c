//! Everything between the samples of a picture and the bytes of a `.vae` file, apart from the neural network:
//! conversion of pixels, transforms, quantiser, entropy coders. Slices in, slices out; nothing here knows of WASM,
//! files or threads.
//!
//! Kernels on floats use basic IEEE operations in a fixed order, so native and WASM builds, scalar and SIMD, agree to
//! the bit. Entropy coders (`static_*`, `planes`, `rans`, and `context` apart from its `fit`, and from `choose` and `cost`,
//! which weigh symbols for an encoder) compute with no float at all. Only what the three `decode` and
//! `ContextModel::parse` read may be hostile; every other argument comes from our own callers, and is still checked before
//! it is used as a length.
#![deny(unsafe_code)]

pub mod blur;
pub mod context;
mod error;
mod exp;
pub mod gains;
pub mod hadamard;
pub mod image;
pub mod klt;
mod log2;
mod memory;
pub mod metrics;
pub mod planes;
pub mod quantise;
pub mod rans;
pub mod restoration;
pub mod static_coder;
mod static_fit;
mod static_table;
pub mod wavelet;

pub use error::Error;
