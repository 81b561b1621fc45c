//! Eight symbols at a time, saturated by the instruction that narrows them and not by comparing floats.

use core::arch::wasm32::{
    f32x4, f32x4_mul, f32x4_nearest, f32x4_splat, i16x8_extract_lane, i16x8_max,
    i16x8_narrow_i32x4, i16x8_splat, i32x4_trunc_sat_f32x4, v128,
};

use super::{round_to_symbol, SYMBOL_MAX};

/// The same as `scalar::quantise_plane`.
pub fn quantise_plane(values: &[f32], symbols: &mut [i16], gain: f32) {
    let (blocks, rest) = values.as_chunks();
    let (targets, rest_targets) = symbols.as_chunks_mut();
    let gains = f32x4_splat(gain);
    let least = i16x8_splat(-SYMBOL_MAX);
    for (&[a, b, c, d, e, f, g, h], target) in blocks.iter().zip(targets) {
        let left = round(f32x4_mul(f32x4(a, b, c, d), gains));
        let right = round(f32x4_mul(f32x4(e, f, g, h), gains));
        *target = lanes(i16x8_max(i16x8_narrow_i32x4(left, right), least));
    }
    for (symbol, &value) in rest_targets.iter_mut().zip(rest) {
        *symbol = round_to_symbol(value * gain);
    }
}

/// To the nearest i32, halves to even, saturating, NaN to 0.
#[inline(always)]
fn round(values: v128) -> v128 {
    i32x4_trunc_sat_f32x4(f32x4_nearest(values))
}

#[inline(always)]
fn lanes(symbols: v128) -> [i16; 8] {
    [
        i16x8_extract_lane::<0>(symbols),
        i16x8_extract_lane::<1>(symbols),
        i16x8_extract_lane::<2>(symbols),
        i16x8_extract_lane::<3>(symbols),
        i16x8_extract_lane::<4>(symbols),
        i16x8_extract_lane::<5>(symbols),
        i16x8_extract_lane::<6>(symbols),
        i16x8_extract_lane::<7>(symbols),
    ]
}
