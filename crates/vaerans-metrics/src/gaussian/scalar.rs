/// Neighbours that are worked out together: enough that the compiler leaves a loop of vectors.
const BLOCK: usize = 32;

/// Works out whole blocks of `dst` and says where they end.
pub fn blocks<const SIDE: usize, const TAPS: usize>(
    window: &[f32; SIDE],
    rows: &[&[f32]; TAPS],
    dst: &mut [f32],
) -> usize {
    let (targets, _) = dst.as_chunks_mut::<BLOCK>();
    let count = targets.len();
    // Lengths that the compiler can see leave no checks in the loop.
    let rows = rows.map(|row| &row.as_chunks::<BLOCK>().0[..count]);
    for (at, target) in targets.iter_mut().enumerate() {
        let mut sums = rows[SIDE - 1][at].map(|value| value * window[0]);
        for distance in 1..SIDE {
            let (before, after) = (
                &rows[SIDE - 1 - distance][at],
                &rows[SIDE - 1 + distance][at],
            );
            for lane in 0..BLOCK {
                sums[lane] += window[distance] * (before[lane] + after[lane]);
            }
        }
        *target = sums;
    }
    count * BLOCK
}
