//! Exports that measure.

use vaerans_core::metrics;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elements;
use crate::slices::with_claims;

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
