//! All starts compared at once.
#![allow(unsafe_code)] // Numbers whose vector is used at once would be loaded one by one.

use core::arch::wasm32::{i16x8_gt, i16x8_splat, i8x16_bitmask, i8x16_narrow_i16x8, v128_load};

use super::NEAR;

/// The same as `scalar::reached`.
#[inline(always)]
pub fn reached(starts: &[i16; NEAR + 1], slot: i16) -> usize {
    let starts = starts.as_ptr();
    // SAFETY: the eight numbers from the second and the eight from the tenth of seventeen that are borrowed, at any
    // alignment.
    let (first, second) = unsafe {
        (
            v128_load(starts.add(1).cast()),
            v128_load(starts.add(9).cast()),
        )
    };
    let slots = i16x8_splat(slot);
    let above = i8x16_narrow_i16x8(i16x8_gt(first, slots), i16x8_gt(second, slots));
    NEAR - i8x16_bitmask(above).count_ones() as usize
}
