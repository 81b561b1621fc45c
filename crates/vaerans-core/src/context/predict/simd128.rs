//! Two terms at a time: a sample of the one beside a sample of the other, multiplied and added in pairs.
#![allow(unsafe_code)] // Samples whose vector is used at once would be loaded one by one.

use core::arch::wasm32::{
    i16x8_shuffle, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, v128,
    v128_load,
};

use super::super::rows::BLOCK;
use super::DenseTerm;

/// The same as `scalar::add_blocks`.
pub fn add_blocks(sums: &mut [i32], samples: &[i16], terms: &[DenseTerm]) {
    if terms.is_empty() {
        return;
    }
    let (pairs, odd) = terms.as_chunks::<2>();
    for (index, block) in sums.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let mut totals = [i32x4_splat(0); BLOCK / 4];
        for (total, &[a, b, c, d]) in totals.iter_mut().zip(block.as_chunks::<4>().0) {
            *total = i32x4(a, b, c, d);
        }
        let row = |start: usize| samples[start + index * BLOCK..][..BLOCK].as_chunks::<8>().0;
        for &[(start, weight), (other, other_weight)] in pairs {
            add_pair(&mut totals, row(start), row(other), weight, other_weight);
        }
        for &(start, weight) in odd {
            add_pair(&mut totals, row(start), row(start), weight, 0);
        }
        for (total, four) in totals.into_iter().zip(block.as_chunks_mut::<4>().0) {
            *four = [
                i32x4_extract_lane::<0>(total),
                i32x4_extract_lane::<1>(total),
                i32x4_extract_lane::<2>(total),
                i32x4_extract_lane::<3>(total),
            ];
        }
    }
}

#[inline(always)]
fn add_pair(
    totals: &mut [v128; BLOCK / 4],
    row: &[[i16; 8]],
    other: &[[i16; 8]],
    weight: i16,
    other_weight: i16,
) {
    let weights = i32x4_splat(i32::from(weight) & 0xffff | i32::from(other_weight) << 16);
    let eights = row.iter().zip(other);
    for ([low, high], (a, b)) in totals.as_chunks_mut().0.iter_mut().zip(eights) {
        // SAFETY: eight numbers of two bytes each that are borrowed, at any alignment.
        let (a, b) = unsafe { (v128_load(a.as_ptr().cast()), v128_load(b.as_ptr().cast())) };
        let firsts = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b);
        let lasts = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b);
        *low = i32x4_add(*low, i32x4_dot_i16x8(firsts, weights));
        *high = i32x4_add(*high, i32x4_dot_i16x8(lasts, weights));
    }
}
