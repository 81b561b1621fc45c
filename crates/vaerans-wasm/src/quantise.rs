//! Exports of the quantiser and of the gains that it takes.

use vaerans_core::{gains, quantise as quantiser};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::elements;
use crate::slices::with_claims;

/// `log_knots`: f32 [knot_count][channels], natural logarithms from -80 to 80. `rate`: 0 to 4095. `dst`: f32 [channels],
/// the same bits on every machine. A value outside its range is status -5.
#[wasm_bindgen]
pub fn gains_at_rate(log_knots: u32, knot_count: u32, channels: u32, rate: u32, dst: u32) -> i32 {
    with_claims(|claims| {
        let knots = claims.read(log_knots, elements(knot_count, channels, 1)?)?;
        let to = claims.write(dst, u64::from(channels))?;
        Ok(gains::gains_at_rate(knots, rate, to)?)
    })
}

/// `symbol = round(value * gain)`, halves to even, saturating at ±32767, NaN to 0. `src`: planar f32. `dst`: planar i16.
/// `gains`: f32 [channels].
#[wasm_bindgen]
pub fn quantise(src: u32, dst: u32, gains: u32, channels: u32, plane_length: u32) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let gains = claims.read(gains, u64::from(channels))?;
        Ok(quantiser::quantise(from, to, gains, plane_length as usize)?)
    })
}

/// `value = symbol * inverse_gain`. `src`: planar i16. `dst`: planar f32. `inverse_gains`: f32 [channels].
#[wasm_bindgen]
pub fn dequantise(src: u32, dst: u32, inverse_gains: u32, channels: u32, plane_length: u32) -> i32 {
    with_claims(|claims| {
        let from = claims.read(src, elements(channels, plane_length, 1)?)?;
        let to = claims.write(dst, elements(channels, plane_length, 1)?)?;
        let inverse_gains = claims.read(inverse_gains, u64::from(channels))?;
        Ok(quantiser::dequantise(
            from,
            to,
            inverse_gains,
            plane_length as usize,
        )?)
    })
}
