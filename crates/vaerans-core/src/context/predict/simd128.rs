//! Two terms at a time: their samples interleaved, one instruction multiplies eight and adds them by twos.

use core::arch::wasm32::{
    i16x8, i16x8_shuffle, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, v128,
};

use super::DenseTerm;
use crate::context::rows::BLOCK;

/// A row with at most one sample in this many that is not zero is added sample by sample.
pub const SPARSE_SHARE: usize = 12;

/// The same as `scalar::add_blocks`.
pub fn add_blocks(sums: &mut [i32], samples: &[i16], terms: &[DenseTerm]) {
    if terms.is_empty() {
        return;
    }
    let (pairs, single) = terms.as_chunks::<2>();
    let last = single
        .first()
        .map(|&(start, weight)| [(start, weight), (start, 0)]);
    for (index, block) in sums.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let mut totals: [v128; BLOCK / 4] = std::array::from_fn(|at| {
            let at = 4 * at;
            i32x4(block[at], block[at + 1], block[at + 2], block[at + 3])
        });
        for &[(first, first_weight), (second, second_weight)] in pairs.iter().chain(&last) {
            let weights =
                i32x4_splat(i32::from(second_weight) << 16 | i32::from(first_weight as u16));
            let first = &samples[first + index * BLOCK..][..BLOCK];
            let second = &samples[second + index * BLOCK..][..BLOCK];
            for half in 0..2 {
                let (a, b) = (eight(&first[8 * half..]), eight(&second[8 * half..]));
                let left = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b);
                let right = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b);
                let sum = |total, samples| i32x4_add(total, i32x4_dot_i16x8(samples, weights));
                totals[2 * half] = sum(totals[2 * half], left);
                totals[2 * half + 1] = sum(totals[2 * half + 1], right);
            }
        }
        for (four, total) in block.as_chunks_mut::<4>().0.iter_mut().zip(totals) {
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
fn eight(s: &[i16]) -> v128 {
    i16x8(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
}
