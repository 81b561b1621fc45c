//! Sixteen neighbours at a time: there are more rows than registers for their addresses, so each is used four times.
//! Left to itself the compiler takes most of these sums apart.

use core::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, v128};

const LANES: usize = 4;
const VECTORS: usize = 4;

/// The same as `scalar::blocks`, in the same order of additions.
pub fn blocks<const SIDE: usize, const TAPS: usize>(
    window: &[f32; SIDE],
    rows: &[&[f32]; TAPS],
    dst: &mut [f32],
) -> usize {
    let weights = window.map(|weight| f32x4_splat(weight));
    let (targets, _) = dst.as_chunks_mut::<{ LANES * VECTORS }>();
    let count = targets.len();
    // Lengths that the compiler can see leave no checks in the loop.
    let rows = rows.map(|row| &row.as_chunks::<{ LANES * VECTORS }>().0[..count]);
    for (at, target) in targets.iter_mut().enumerate() {
        let mut sums = load(&rows[SIDE - 1][at]).map(|middle| f32x4_mul(weights[0], middle));
        for distance in 1..SIDE {
            let before = load(&rows[SIDE - 1 - distance][at]);
            let after = load(&rows[SIDE - 1 + distance][at]);
            for vector in 0..VECTORS {
                let both = f32x4_add(before[vector], after[vector]);
                sums[vector] = f32x4_add(sums[vector], f32x4_mul(weights[distance], both));
            }
        }
        for (lanes, sum) in target.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
            *lanes = [
                f32x4_extract_lane::<0>(sum),
                f32x4_extract_lane::<1>(sum),
                f32x4_extract_lane::<2>(sum),
                f32x4_extract_lane::<3>(sum),
            ];
        }
    }
    count * LANES * VECTORS
}

#[inline(always)]
fn load(values: &[f32; LANES * VECTORS]) -> [v128; VECTORS] {
    let vectors = values.as_chunks::<LANES>().0;
    std::array::from_fn(|vector| {
        let [a, b, c, d] = vectors[vector];
        f32x4(a, b, c, d)
    })
}
