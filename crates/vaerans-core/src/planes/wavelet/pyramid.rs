//! The subbands of one component, each with its step, and the way from samples to them and back.

use super::super::integer::MAGNITUDE_MAX;
use super::super::plane::Plane;
use super::lift::{lift_line, lift_rows};
use crate::memory::filled;
use crate::Error;

/// Most halvings; sides are halved while both exceed `SIDE_MIN`.
const LEVELS_MAX: usize = 5;
const SIDE_MIN: usize = 8;

/// In 2^-12, the norm of what one unit of a low and of a high coefficient adds to a line, by level from 1 on.
const LOW_NORMS: [u64; LEVELS_MAX + 1] = [4096, 4668, 5495, 6383, 7360, 8468];
const HIGH_NORMS: [u64; LEVELS_MAX + 1] = [4096, 3634, 4028, 4801, 5613, 6485];
pub const NORM_BITS: u32 = 12;

/// Steps are in 2^-8 of a coefficient's unit.
const STEP_BITS: u32 = 8;
/// Where the encoder rounds up, in 1/256 of a step: short of the half, for the bits.
const ROUNDING: i64 = 108;
/// How far below its middle a step is read back, in 1/256: magnitude 1, 2, and all above.
const SHRINK: [i64; 3] = [8, 4, 2];

/// What the steps of a component's subbands come of.
#[derive(Clone, Copy)]
pub struct Steps {
    /// In 1/64 level of the picture.
    pub step: u32,
    /// Bits of fraction that coefficients carry.
    pub fraction_bits: u32,
    /// In 2^-12, what one unit of the component adds to the picture.
    pub norm: u64,
}

impl Steps {
    /// Step of a subband whose unit adds `across` * `down` to the picture, in 2^-8 of a coefficient's unit.
    fn of(self, across: u64, down: u64) -> i64 {
        let norm = u128::from(across) * u128::from(down) * u128::from(self.norm);
        // 64ths of a level.
        let shift = self.fraction_bits + STEP_BITS - 6 + 3 * NORM_BITS;
        let step = (u128::from(self.step) << shift) / norm;
        (step as i64).max(1)
    }
}

/// One component: subbands from the coarsest on, each with its step.
pub struct Pyramid {
    width: usize,
    rows: usize,
    pub levels: usize,
    /// LL, then HL, LH, HH of every level from the coarsest.
    pub bands: Vec<(Plane, i64)>,
}

impl Pyramid {
    /// All zero.
    pub fn new(width: usize, rows: usize, steps: Steps) -> Result<Self, Error> {
        let smaller = width.min(rows);
        let levels = (0..LEVELS_MAX)
            .take_while(|level| smaller >> level > SIDE_MIN)
            .count();
        let (low, high) = (LOW_NORMS[levels], HIGH_NORMS);
        let size = |level: usize| (side(width, level), side(rows, level));
        let coarsest = size(levels);
        let mut bands = vec![(Plane::new(coarsest.0, coarsest.1)?, steps.of(low, low))];
        for level in (1..=levels).rev() {
            let ((w, h), (w_half, h_half)) = (size(level - 1), size(level));
            let (low, high) = (LOW_NORMS[level], high[level]);
            bands.push((Plane::new(w - w_half, h_half)?, steps.of(high, low)));
            bands.push((Plane::new(w_half, h - h_half)?, steps.of(low, high)));
            bands.push((Plane::new(w - w_half, h - h_half)?, steps.of(high, high)));
        }
        Ok(Pyramid {
            width,
            rows,
            levels,
            bands,
        })
    }

    /// Place of a level's HL in `bands`.
    pub fn first(&self, level: usize) -> usize {
        1 + 3 * (self.levels - level)
    }

    /// Samples to indices.
    pub fn analyse(&mut self, plane: &Plane) -> Result<(), Error> {
        let mut current = filled(self.width * self.rows, 0)?;
        for row in 0..self.rows {
            current[row * self.width..][..self.width].copy_from_slice(plane.row(row));
        }
        let (mut width, mut rows) = (self.width, self.rows);
        for level in 1..=self.levels {
            for row in current.chunks_exact_mut(width).take(rows) {
                lift_line(row, false);
            }
            lift_rows(&mut current, width, rows, false);
            let first = self.first(level);
            let half = width.div_ceil(2);
            for row in 0..rows {
                let line = row * width;
                let (right, odd) = if row % 2 == 0 {
                    (0, None)
                } else {
                    (2, Some(1))
                };
                let (band, step) = &mut self.bands[first + right];
                for (to, x) in band.row_mut(row / 2).iter_mut().zip((1..width).step_by(2)) {
                    *to = quantised(current[line + x], *step);
                }
                if let Some(lower) = odd {
                    let (band, step) = &mut self.bands[first + lower];
                    for (to, x) in band.row_mut(row / 2).iter_mut().zip((0..width).step_by(2)) {
                        *to = quantised(current[line + x], *step);
                    }
                } else {
                    for x in 0..half {
                        current[row / 2 * half + x] = current[line + 2 * x];
                    }
                }
            }
            (width, rows) = (half, rows.div_ceil(2));
        }
        let (band, step) = &mut self.bands[0];
        for row in 0..rows {
            for (to, &from) in band.row_mut(row).iter_mut().zip(&current[row * width..]) {
                *to = quantised(from, *step);
            }
        }
        Ok(())
    }

    /// Indices to samples.
    pub fn synthesise(&self, plane: &mut Plane) -> Result<(), Error> {
        let mut current = filled(self.width * self.rows, 0)?;
        let (band, step) = &self.bands[0];
        let width = band.width();
        for row in 0..band.rows() {
            for (to, &from) in current[row * width..].iter_mut().zip(band.row(row)) {
                *to = restored(from, *step);
            }
        }
        for level in (1..=self.levels).rev() {
            let (width, rows) = (side(self.width, level - 1), side(self.rows, level - 1));
            let half = width.div_ceil(2);
            let first = self.first(level);
            // From the last row on, so that the low band, packed at the front, is read before it is written over.
            for row in (0..rows).rev() {
                let line = row * width;
                let (even, odd) = if row % 2 == 0 {
                    for x in (0..half).rev() {
                        current[line + 2 * x] = current[row / 2 * half + x];
                    }
                    (None, first)
                } else {
                    (Some(first + 1), first + 2)
                };
                if let Some(even) = even {
                    let (band, step) = &self.bands[even];
                    for (&from, x) in band.row(row / 2).iter().zip((0..width).step_by(2)) {
                        current[line + x] = restored(from, *step);
                    }
                }
                let (band, step) = &self.bands[odd];
                for (&from, x) in band.row(row / 2).iter().zip((1..width).step_by(2)) {
                    current[line + x] = restored(from, *step);
                }
            }
            lift_rows(&mut current, width, rows, true);
            for row in current.chunks_exact_mut(width).take(rows) {
                lift_line(row, true);
            }
        }
        for row in 0..self.rows {
            plane
                .row_mut(row)
                .copy_from_slice(&current[row * self.width..][..self.width]);
        }
        Ok(())
    }
}

fn side(length: usize, level: usize) -> usize {
    length.div_ceil(1 << level)
}

fn quantised(value: i32, step: i64) -> i32 {
    let magnitude = (i64::from(value.unsigned_abs()) << STEP_BITS) + ((step * ROUNDING) >> 8);
    let index = (magnitude / step).min(i64::from(MAGNITUDE_MAX)) as i32;
    if value < 0 {
        -index
    } else {
        index
    }
}

fn restored(index: i32, step: i64) -> i32 {
    if index == 0 {
        return 0;
    }
    // The coarsest band adds up what it is told: damaged streams go anywhere.
    let magnitude = i64::from(index.unsigned_abs().min(1 << 20));
    let shrink = SHRINK[(magnitude as usize - 1).min(2)];
    let value = ((((magnitude << 8) - shrink) * step) >> (8 + STEP_BITS)).min(1 << 28) as i32;
    if index < 0 {
        -value
    } else {
        value
    }
}
