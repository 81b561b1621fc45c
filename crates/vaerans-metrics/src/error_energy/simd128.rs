//! Sixteen samples at a time: the absolute difference fits a byte, its square two.

use core::arch::wasm32::{
    i16x8_extmul_high_u8x16, i16x8_extmul_low_u8x16, i32x4_add, u32x4_extadd_pairwise_u16x8,
    u32x4_extract_lane, u32x4_splat, u64x2, u8x16_max, u8x16_min, u8x16_sub, v128,
};

/// The same as `scalar::sum_squared_error`.
pub fn sum_squared_error(a: &[u8], b: &[u8]) -> u32 {
    let (a_blocks, a_rest) = a.as_chunks::<16>();
    let (b_blocks, b_rest) = b.as_chunks::<16>();
    let mut low = u32x4_splat(0);
    let mut high = u32x4_splat(0);
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        let (a, b) = (load(a), load(b));
        let difference = u8x16_sub(u8x16_max(a, b), u8x16_min(a, b));
        let squares_low = i16x8_extmul_low_u8x16(difference, difference);
        let squares_high = i16x8_extmul_high_u8x16(difference, difference);
        low = i32x4_add(low, u32x4_extadd_pairwise_u16x8(squares_low));
        high = i32x4_add(high, u32x4_extadd_pairwise_u16x8(squares_high));
    }
    let lanes = i32x4_add(low, high);
    let mut sum = u32x4_extract_lane::<0>(lanes)
        + u32x4_extract_lane::<1>(lanes)
        + u32x4_extract_lane::<2>(lanes)
        + u32x4_extract_lane::<3>(lanes);
    for (&a, &b) in a_rest.iter().zip(b_rest) {
        let difference = i32::from(a) - i32::from(b);
        sum += (difference * difference) as u32;
    }
    sum
}

/// One load: WASM is little-endian.
#[inline(always)]
fn load(samples: &[u8; 16]) -> v128 {
    let [low, high] = samples.as_chunks::<8>().0 else {
        return u32x4_splat(0);
    };
    u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high))
}
