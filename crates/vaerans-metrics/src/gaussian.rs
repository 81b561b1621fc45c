//! Symmetric windows, along rows and across them.

#[cfg_attr(
    all(target_arch = "wasm32", target_feature = "simd128"),
    path = "gaussian/simd128.rs"
)]
#[cfg_attr(
    not(all(target_arch = "wasm32", target_feature = "simd128")),
    path = "gaussian/scalar.rs"
)]
mod rows;

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
        // Lengths that the compiler can see leave no checks in the loops.
        let rows = rows.map(|row| &row[..dst.len()]);
        let done = rows::blocks(&self.0, &rows, dst);
        for at in done..dst.len() {
            let mut sum = self.0[0] * rows[SIDE - 1][at];
            for distance in 1..SIDE {
                let neighbours = rows[SIDE - 1 - distance][at] + rows[SIDE - 1 + distance][at];
                sum += self.0[distance] * neighbours;
            }
            dst[at] = sum;
        }
    }
}
