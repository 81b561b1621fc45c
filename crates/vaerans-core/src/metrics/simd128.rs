//! Squared differences, sixteen at a time: each is a byte until it is squared.
#![allow(unsafe_code)] // Bytes whose vector is used at once would be loaded one by one.

use core::arch::wasm32::{
    i16x8_extend_high_u8x16, i16x8_extend_low_u8x16, i32x4_add, i32x4_dot_i16x8,
    i32x4_extract_lane, i32x4_splat, u8x16_sub_sat, v128_load, v128_or,
};

/// The same as `scalar::squared_error`.
pub fn squared_error(a: &[u8], b: &[u8]) -> u32 {
    let ((blocks, rest), (other_blocks, other_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = i32x4_splat(0);
    for (a, b) in blocks.iter().zip(other_blocks) {
        // SAFETY: sixteen bytes each that are borrowed, at any alignment.
        let (a, b) = unsafe { (v128_load(a.as_ptr().cast()), v128_load(b.as_ptr().cast())) };
        let difference = v128_or(u8x16_sub_sat(a, b), u8x16_sub_sat(b, a));
        let (low, high) = (
            i16x8_extend_low_u8x16(difference),
            i16x8_extend_high_u8x16(difference),
        );
        let squares = i32x4_add(i32x4_dot_i16x8(low, low), i32x4_dot_i16x8(high, high));
        sums = i32x4_add(sums, squares);
    }
    let mut sum = super::scalar::squared_error(rest, other_rest);
    for lane in [
        i32x4_extract_lane::<0>(sums),
        i32x4_extract_lane::<1>(sums),
        i32x4_extract_lane::<2>(sums),
        i32x4_extract_lane::<3>(sums),
    ] {
        sum += lane as u32;
    }
    sum
}
