//! Four units at a time, whose sums of pairs are brought into one vector in the end.
#![allow(unsafe_code)] // Numbers whose vector is used at once would be loaded one by one.

use core::arch::wasm32::{
    i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_shuffle, i32x4_splat, v128, v128_load,
};

use super::{FIRST, SECOND};

const VECTORS: usize = FIRST / 8;

/// The same as `scalar::products`.
pub fn products(weights: &[[i16; FIRST]; SECOND], values: &[i16; FIRST]) -> [i32; SECOND] {
    let values = vectors(values);
    let mut sums = [0; SECOND];
    let fours = sums.as_chunks_mut::<4>().0.iter_mut();
    for (sums, rows) in fours.zip(weights.as_chunks::<4>().0) {
        let [a, b, c, d] = rows.each_ref().map(|row| {
            let pairs = vectors(row).into_iter().zip(values);
            pairs.fold(i32x4_splat(0), |sum, (weights, values)| {
                i32x4_add(sum, i32x4_dot_i16x8(weights, values))
            })
        });
        let (ab, cd) = (halves(a, b), halves(c, d));
        let total = i32x4_add(
            i32x4_shuffle::<0, 1, 4, 5>(ab, cd),
            i32x4_shuffle::<2, 3, 6, 7>(ab, cd),
        );
        *sums = [
            i32x4_extract_lane::<0>(total),
            i32x4_extract_lane::<1>(total),
            i32x4_extract_lane::<2>(total),
            i32x4_extract_lane::<3>(total),
        ];
    }
    sums
}

/// Two sums of each, alternating.
#[inline(always)]
fn halves(a: v128, b: v128) -> v128 {
    i32x4_add(
        i32x4_shuffle::<0, 4, 1, 5>(a, b),
        i32x4_shuffle::<2, 6, 3, 7>(a, b),
    )
}

#[inline(always)]
fn vectors(numbers: &[i16; FIRST]) -> [v128; VECTORS] {
    let eights = numbers.as_chunks::<8>().0;
    // SAFETY: eight numbers of two bytes each that are borrowed, at any alignment.
    std::array::from_fn(|index| unsafe { v128_load(eights[index].as_ptr().cast()) })
}
