//! The uniform quantiser: one gain a channel, no dead zone, reconstruction in the middle. A model that wants either
//! learns it in its gains, which need not be reciprocal.

#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    path = "quantise/simd128.rs"
)]
#[cfg_attr(
    not(all(target_arch = "wasm32", target_feature = "simd128")),
    path = "quantise/scalar.rs"
)]
mod planes;

use crate::error::{check_count, product};
use crate::Error;

/// Largest magnitude of a symbol. -32768 is left out so that every symbol has a negative.
pub const SYMBOL_MAX: i16 = i16::MAX;

/// `symbol = round(value * gain)`, halves to even, saturating at ±32767, NaN to 0.
///
/// `src` and `dst` are [channels][plane_length], `gains` is [channels].
pub fn quantise(
    src: &[f32],
    dst: &mut [i16],
    gains: &[f32],
    plane_length: usize,
) -> Result<(), Error> {
    let count = product("values", gains.len(), plane_length)?;
    check_count("values", count, src.len())?;
    check_count("symbols", count, dst.len())?;
    if plane_length == 0 {
        return Ok(());
    }
    let planes = src
        .chunks_exact(plane_length)
        .zip(dst.chunks_exact_mut(plane_length));
    for ((values, symbols), &gain) in planes.zip(gains) {
        planes::quantise_plane(values, symbols, gain);
    }
    Ok(())
}

#[inline(always)]
pub(crate) fn round_to_symbol(value: f32) -> i16 {
    const LIMIT: f32 = SYMBOL_MAX as f32;
    // `as` turns NaN into 0; going through i32 lets the loop narrow four lanes at a time.
    let clamped = value.clamp(-LIMIT, LIMIT);
    clamped.round_ties_even() as i32 as i16
}

/// `value = symbol * inverse_gain`; the same shapes as [`quantise`].
pub fn dequantise(
    src: &[i16],
    dst: &mut [f32],
    inverse_gains: &[f32],
    plane_length: usize,
) -> Result<(), Error> {
    let count = product("symbols", inverse_gains.len(), plane_length)?;
    check_count("symbols", count, src.len())?;
    check_count("values", count, dst.len())?;
    if plane_length == 0 {
        return Ok(());
    }
    let planes = src
        .chunks_exact(plane_length)
        .zip(dst.chunks_exact_mut(plane_length));
    for ((symbols, values), &inverse_gain) in planes.zip(inverse_gains) {
        for (value, &symbol) in values.iter_mut().zip(symbols) {
            *value = f32::from(symbol) * inverse_gain;
        }
    }
    Ok(())
}
