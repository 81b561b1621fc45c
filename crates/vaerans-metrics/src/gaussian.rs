//! Symmetric windows, along rows and across them.

/// Neighbours that are worked out together; a loop of this length becomes vectors.
const LANES: usize = 8;

/// The middle tap and those to one side of it, of `TAPS = 2 * SIDE - 1`.
pub struct Window<const SIDE: usize, const TAPS: usize>(pub [f32; SIDE]);

impl<const SIDE: usize, const TAPS: usize> Window<SIDE, TAPS> {
    /// Along a row: `dst[i]` is the window over `src[i..i + TAPS]`.
    pub fn along(&self, src: &[f32], dst: &mut [f32]) {
        let length = dst.len();
        let rows: [&[f32]; TAPS] = std::array::from_fn(|tap| &src[tap..tap + length]);
        self.across(rows, dst);
    }

    /// Down rows as long as `dst`.
    pub fn across(&self, rows: [&[f32]; TAPS], dst: &mut [f32]) {
        let length = dst.len();
        // Lengths that the compiler can see leave no checks in the loops.
        let rows = rows.map(|row| &row[..length]);
        let whole = length - length % LANES;
        let blocks = rows.map(|row| row.as_chunks::<LANES>().0);
        for (at, block) in dst.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut sums = blocks[SIDE - 1][at].map(|value| value * self.0[0]);
            for distance in 1..SIDE {
                let before = &blocks[SIDE - 1 - distance][at];
                let after = &blocks[SIDE - 1 + distance][at];
                for lane in 0..LANES {
                    sums[lane] += self.0[distance] * (before[lane] + after[lane]);
                }
            }
            *block = sums;
        }
        for at in whole..length {
            let mut sum = self.0[0] * rows[SIDE - 1][at];
            for distance in 1..SIDE {
                let neighbours = rows[SIDE - 1 - distance][at] + rows[SIDE - 1 + distance][at];
                sum += self.0[distance] * neighbours;
            }
            dst[at] = sum;
        }
    }
}
