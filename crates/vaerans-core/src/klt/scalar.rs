//! Sums of a tile as loops, which the compiler may turn into vectors.

use super::{Map, TARGETS};

/// A map's results for `targets` at the P positions from `start` on.
#[inline(always)]
pub fn sums<const P: usize, const INVERSE: bool>(
    src: &[f32],
    plane_length: usize,
    start: usize,
    targets: [usize; TARGETS],
    map: &Map<'_, INVERSE>,
) -> [[f32; P]; TARGETS] {
    let mut sums = targets.map(|target| [map.after(target); P]);
    for (source, plane) in src.chunks_exact(plane_length).enumerate() {
        let Some(values) = plane[start..].first_chunk::<P>() else {
            break;
        };
        let offset = map.before(source);
        let x = values.map(|x| x - offset);
        for k in 0..TARGETS {
            let weight = map.weight(targets[k], source);
            for p in 0..P {
                sums[k][p] += weight * x[p];
            }
        }
    }
    sums
}
