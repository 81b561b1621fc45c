//! Pixel by pixel, for any machine.

use super::{Eight, RowInput, SHIFT};

/// Writes what is added to every sample of a row, RGB interleaved; there is room for eight more.
#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    allow(dead_code)
)]
pub fn row_changes(input: &RowInput<'_>, changes: &mut [i16]) {
    let pixels = changes.as_chunks_mut::<3>().0.iter_mut();
    for (x, change) in pixels.take(input.classes.len()).enumerate() {
        let [luma, orange, green] = parts(input, x);
        let sums = [
            luma + orange - green,
            luma + 2 * green,
            luma - orange - green,
        ];
        *change = sums.map(|sum| {
            let rounded = (sum + (1 << (SHIFT - 1))) >> SHIFT;
            rounded.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
        });
    }
}

/// What is added to luma and to the two colour differences of a pixel, with `SHIFT` bits below one.
#[inline(always)]
pub fn parts(input: &RowInput<'_>, x: usize) -> [i32; 3] {
    let taps = &input.taps[input.classes[x] as usize];
    let [orange, green] = taps.colour.each_ref().map(|[of_luma, of_chroma]| {
        sum(&input.luma[1..4], x, of_luma) + sum(&input.chroma, 2 * x, of_chroma)
    });
    [sum(&input.luma, x, &taps.luma), orange, green]
}

/// Of the samples from `at` on in every row.
#[inline(always)]
fn sum(rows: &[&[i16]], at: usize, taps: &[Eight]) -> i32 {
    let products = rows
        .iter()
        .zip(taps)
        .flat_map(|(row, taps)| row[at..at + 8].iter().zip(taps));
    products
        .map(|(&sample, &tap)| i32::from(sample) * i32::from(tap))
        .sum()
}
