//! Eight samples of a row at a time: a pixel's sums are dot products of what lies around it and of its class's filter.
#![allow(unsafe_code)] // Samples whose vector is used at once would be loaded one by one.

use core::arch::wasm32::{
    i16x8_narrow_i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_shl, i32x4_shr, i32x4_shuffle,
    i32x4_splat, i32x4_sub, v128, v128_load, v128_store64_lane,
};

use super::{Eight, RowInput, SHIFT};

/// The same as `scalar::row_changes`.
pub fn row_changes(input: &RowInput<'_>, changes: &mut [i16]) {
    let half = i32x4_splat(1 << (SHIFT - 1));
    let width = input.classes.len();
    // Cut to length, so that nothing is checked for each pixel.
    let luma = input.luma.map(|row| &row[..width + 7]);
    let chroma = input.chroma.map(|row| &row[..2 * width + 6]);
    let changes = &mut changes[..3 * width + 1];
    for (x, &class) in input.classes.iter().enumerate() {
        let taps = &input.taps[class as usize];
        let luma_rows = luma.map(|row| load(&row[x..x + 8]));
        let chroma_rows = chroma.map(|row| load(&row[2 * x..2 * x + 8]));
        let luma = sum(&luma_rows, &taps.luma);
        let [orange, green] = taps.colour.each_ref().map(|[of_luma, of_chroma]| {
            i32x4_add(sum(&luma_rows[1..4], of_luma), sum(&chroma_rows, of_chroma))
        });
        let without = i32x4_sub(luma, green);
        let red = i32x4_add(without, orange);
        let blue = i32x4_sub(without, orange);
        let green = i32x4_add(luma, i32x4_shl(green, 1));
        // Four partial sums of each colour come together: (red, green, red, green), (blue, blue, ..).
        let low = i32x4_shuffle::<0, 4, 1, 5>(red, green);
        let high = i32x4_shuffle::<2, 6, 3, 7>(red, green);
        let pairs = i32x4_add(low, high);
        let blues = i32x4_add(blue, i32x4_shuffle::<2, 3, 0, 1>(blue, blue));
        let sums = i32x4_add(
            i32x4_shuffle::<0, 1, 4, 4>(pairs, blues),
            i32x4_shuffle::<2, 3, 5, 5>(pairs, blues),
        );
        let rounded = i32x4_shr(i32x4_add(sums, half), SHIFT);
        let narrow = i16x8_narrow_i32x4(rounded, rounded);
        let target = &mut changes[3 * x..3 * x + 4];
        // SAFETY: four numbers of two bytes each that are borrowed, at any alignment. The fourth is the next pixel's, written next.
        unsafe { v128_store64_lane::<0>(narrow, target.as_mut_ptr().cast()) };
    }
}

#[inline(always)]
fn load(eight: &[i16]) -> v128 {
    assert!(eight.len() == 8);
    // SAFETY: eight numbers of two bytes each that are borrowed, at any alignment.
    unsafe { v128_load(eight.as_ptr().cast()) }
}

#[inline(always)]
fn sum(rows: &[v128], taps: &[Eight]) -> v128 {
    let products = rows
        .iter()
        .zip(taps)
        .map(|(&row, taps)| i32x4_dot_i16x8(row, load(taps)));
    products.fold(i32x4_splat(0), |sum, product| i32x4_add(sum, product))
}
