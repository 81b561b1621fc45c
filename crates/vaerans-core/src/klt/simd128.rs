//! Sums of a tile as eight vectors; the compiler left those of the inverse as single floats.

use core::arch::wasm32::{
    f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, f32x4_sub, v128,
};

use super::{Map, POSITIONS, TARGETS};

/// The same as `scalar::sums` at 8 positions.
#[inline(always)]
pub fn sums<const INVERSE: bool>(
    src: &[f32],
    plane_length: usize,
    start: usize,
    targets: [usize; TARGETS],
    map: &Map<'_, INVERSE>,
) -> [[f32; POSITIONS]; TARGETS] {
    let mut sums = targets.map(|target| [f32x4_splat(map.after(target)); 2]);
    for (source, plane) in src.chunks_exact(plane_length).enumerate() {
        let Some(&[a, b, c, d, e, f, g, h]) = plane[start..].first_chunk() else {
            break;
        };
        let offset = f32x4_splat(map.before(source));
        let left = f32x4_sub(f32x4(a, b, c, d), offset);
        let right = f32x4_sub(f32x4(e, f, g, h), offset);
        for k in 0..TARGETS {
            let weight = f32x4_splat(map.weight(targets[k], source));
            sums[k][0] = f32x4_add(sums[k][0], f32x4_mul(weight, left));
            sums[k][1] = f32x4_add(sums[k][1], f32x4_mul(weight, right));
        }
    }
    sums.map(|[left, right]| {
        let ([a, b, c, d], [e, f, g, h]) = (lanes(left), lanes(right));
        [a, b, c, d, e, f, g, h]
    })
}

#[inline(always)]
fn lanes(values: v128) -> [f32; 4] {
    [
        f32x4_extract_lane::<0>(values),
        f32x4_extract_lane::<1>(values),
        f32x4_extract_lane::<2>(values),
        f32x4_extract_lane::<3>(values),
    ]
}
