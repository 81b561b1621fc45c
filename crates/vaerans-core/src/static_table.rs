//! The static coder's model of one channel: a code of 16 bits stands for a table of intervals.
//!
//! Two families of distributions, each in four numbers, cover what channels of latents look like.
//!
//! **Peaked** (bit 15 clear), for channels whose values crowd at 0:
//!
//! ```text
//! bits 0-4  P(0)           bits 5-7   share of positive values among the others, 0 to 6
//! bits 8-11 P(|v| = 1 | v is not 0)   bits 12-14  P(|v| > k | |v| >= k) for every k >= 2
//! ```
//!
//! **Wide** (bit 15 set), for channels that carry the picture's brightness and colours, with s the scale:
//!
//! ```text
//! bits 0-4   s = 2^((i-1)/3)          bits 5-9    centre = (i - 16) * s / 4
//! bits 10-11 shape, P ~ 2^-penalty(t)  bits 12-14  skew i, 0 to 6: t = |v - centre| / (s * (2+i) / 5) to the right,
//!                                                  / (s * (8-i) / 5) to the left
//! shapes: t²/(1 + t/2), t²/(1 + 3t/2), t⁴/(1 + t²/4), t⁴/(1 + t²)
//! ```
//!
//! From s = 16 on, a wide channel codes v >> shift by the table and the low `shift` bits raw, where shift brings s into
//! [8, 16): within 2^shift neighbours the distribution is nearly flat.
//!
//! A table has an interval for each value of one run around the mode, at most 255 of them, and a last one for the escape:
//! everything outside the run. Weights become intervals by `start[k] = k + floor(before[k] * (2^14 - count) / total)`,
//! so none is empty. Skews of 7 are reserved.

use crate::log2::exp2_negative;
use crate::rans::{SCALE, SCALE_BITS};

/// Most values in a table; with the escape, symbols fit a byte.
pub const VALUES_MAX: usize = 255;

/// P(0) in units of 2^-16: logistic steps.
pub const P_ZERO: [u32; 32] = [
    3108, 4545, 6575, 9374, 13099, 17834, 23513, 29869, 36452, 42747, 48323, 52937, 56544, 59241,
    61192, 62568, 63523, 64177, 64622, 64922, 65125, 65261, 65352, 65413, 65454, 65481, 65499,
    65511, 65520, 65525, 65529, 65531,
];
/// Share of the positive values in units of 2^-16.
pub const P_POSITIVE: [u32; 7] = [11955, 17625, 24743, 32768, 40793, 47911, 53581];
/// P(|v| = 1 | v is not 0) in units of 2^-16.
pub const P_ONE: [u32; 16] = [
    7812, 11318, 15961, 21746, 28425, 35492, 42314, 48337, 53251, 57009, 59743, 61659, 62969,
    63849, 64432, 64816,
];
/// P(|v| > k | |v| >= k), k >= 2, in units of 2^-16.
pub const P_BEYOND: [u32; 8] = [4971, 9644, 17442, 28348, 40352, 50532, 57424, 61409];

/// Scale 2^((i-1)/3) of the wide family has i below this.
pub const SCALES: u32 = 32;
pub const CENTRES: u32 = 32;
pub const SHAPES: u32 = 4;
pub const SKEWS: u32 = 7;

/// The numbers that a code holds; each is an index into its grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    Peaked {
        zero: u32,
        positive: u32,
        one: u32,
        beyond: u32,
    },
    Wide {
        scale: u32,
        centre: u32,
        shape: u32,
        skew: u32,
    },
}

const WIDE: u32 = 1 << 15;

impl Law {
    pub fn from_code(code: u16) -> Option<Law> {
        let code = u32::from(code);
        let field = |from: u32, bits: u32| code >> from & ((1 << bits) - 1);
        let law = if code & WIDE == 0 {
            Law::Peaked {
                zero: field(0, 5),
                positive: field(5, 3),
                one: field(8, 4),
                beyond: field(12, 3),
            }
        } else {
            Law::Wide {
                scale: field(0, 5),
                centre: field(5, 5),
                shape: field(10, 2),
                skew: field(12, 3),
            }
        };
        match law {
            Law::Peaked { positive: 7, .. } | Law::Wide { skew: 7, .. } => None,
            law => Some(law),
        }
    }

    pub fn code(self) -> u16 {
        let code = match self {
            Law::Peaked {
                zero,
                positive,
                one,
                beyond,
            } => zero | positive << 5 | one << 8 | beyond << 12,
            Law::Wide {
                scale,
                centre,
                shape,
                skew,
            } => scale | centre << 5 | shape << 10 | skew << 12 | WIDE,
        };
        code as u16
    }
}

/// Intervals of one channel: values `low` to `low + count - 1` of v >> shift in ascending order, then the escape.
pub struct Table {
    low: i32,
    count: usize,
    shift: u32,
    /// `starts[k]` for k = 0 to count + 1; the last one is 2^14.
    starts: [u16; VALUES_MAX + 2],
}

/// Weights of the values around a mode, before they become intervals.
struct Weights {
    /// Weight of the value `mode - SIDE + k`; 0 outside the run.
    weights: [u32; VALUES_MAX],
    /// The run of values with a weight, as indices.
    first: usize,
    last: usize,
    mode: i32,
    escape: u64,
}

const SIDE: usize = VALUES_MAX / 2;

impl Table {
    pub fn new(law: Law) -> Table {
        let (mut weights, shift) = match law {
            Law::Peaked {
                zero,
                positive,
                one,
                beyond,
            } => (
                peaked_weights(
                    P_ZERO[zero as usize % P_ZERO.len()],
                    P_POSITIVE[positive as usize % P_POSITIVE.len()],
                    P_ONE[one as usize % P_ONE.len()],
                    P_BEYOND[beyond as usize % P_BEYOND.len()],
                ),
                0,
            ),
            Law::Wide {
                scale,
                centre,
                shape,
                skew,
            } => wide_weights(scale, centre, shape, skew),
        };
        weights.trim();
        weights.into_table(shift)
    }

    /// The value of `symbol` before its low bits are joined, for symbols below [`Table::count`].
    pub fn low(&self) -> i32 {
        self.low
    }

    /// Values in the table; the symbol with this number is the escape.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Low bits of a value that are coded raw.
    pub fn shift(&self) -> u32 {
        self.shift
    }

    /// (start, size) of every symbol in ascending order, the escape last.
    pub fn intervals(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.starts[..self.count + 2]
            .windows(2)
            .map(|pair| (u32::from(pair[0]), u32::from(pair[1] - pair[0])))
    }
}

/// Geometric from 2 on, both sides of 0. Weights are probabilities in units of 2^-28.
fn peaked_weights(zero: u32, positive: u32, one: u32, beyond: u32) -> Weights {
    let mut run = Weights::at(0, zero << 12);
    let other = (1 << 28) - (zero << 12);
    let right = scale_by(other, positive);
    for (side, mass) in [(1isize, right), (-1, other - right)] {
        let ones = scale_by(mass, one);
        run.push(side, 1, ones);
        let mut rest = mass - ones;
        for distance in 2..=SIDE {
            let on = scale_by(rest, beyond);
            if !run.push(side, distance, rest - on) {
                break;
            }
            rest = on;
        }
        run.escape += u64::from(rest);
    }
    run
}

/// `mass * probability / 2^16`, rounded down.
fn scale_by(mass: u32, probability: u32) -> u32 {
    ((u64::from(mass) * u64::from(probability)) >> 16) as u32
}

/// Weights 2^-penalty in units of 2^-24, with the shift that goes with the scale. All lengths are in units of 1/256.
fn wide_weights(scale: u32, centre: u32, shape: u32, skew: u32) -> (Weights, u32) {
    // 2^(j/3) in units of 2^-16.
    const THIRDS: [u32; 3] = [65536, 82570, 104_032];
    let exponent = scale + 2; // of 2^(exponent/3), one octave too high
    let full = (THIRDS[(exponent % 3) as usize] << (exponent / 3)) >> 9;
    // Smallest shift with full >> shift below 16.
    let shift = (full >> 12).checked_ilog2().map_or(0, |octave| octave + 1);
    let s = full >> shift;
    let centre = (centre as i32 - 16) * s as i32 / 4;
    // A symbol stands for 2^shift values; this is where their middle lies behind the symbol's own place.
    let middle = 128 - (128 >> shift);
    let mode = (centre - middle + 128) >> 8;
    let weight = |symbol: i32| {
        let distance = (symbol << 8) + middle - centre;
        let share = if distance > 0 { 2 + skew } else { 8 - skew };
        let t = (distance.unsigned_abs() << 8) * 5 / (s * share);
        exp2_negative(penalty(shape, u64::from(t)))
    };
    let mut run = Weights::at(mode, weight(mode));
    for side in [1isize, -1] {
        let mut edge = 0;
        for distance in 1..=SIDE {
            let next = weight(mode + (side * distance as isize) as i32);
            if !run.push(side, distance, next) {
                break;
            }
            edge = next;
        }
        // What lies beyond the run's edge; the factor is about right for the slowest decay.
        run.escape += u64::from(edge) * 8;
    }
    (run, shift)
}

/// Bits, in units of 1/256, by which a value at distance t (units of 1/256, below 2^20) is less likely than the centre.
fn penalty(shape: u32, t: u64) -> u32 {
    let square = (t * t) >> 8;
    let bits = match shape {
        0 => (square << 8) / (256 + t / 2),
        1 => (square << 8) / (256 + t + t / 2),
        2 => square * square / (256 + square / 4),
        _ => square * square / (256 + square),
    };
    bits.min(1 << 16) as u32
}

impl Weights {
    fn at(mode: i32, weight: u32) -> Self {
        let mut weights = [0; VALUES_MAX];
        weights[SIDE] = weight;
        Weights {
            weights,
            first: SIDE,
            last: SIDE,
            mode,
            escape: 0,
        }
    }

    /// Adds the value at `distance` from the mode unless it is hopelessly rare; values come in order of distance.
    fn push(&mut self, side: isize, distance: usize, weight: u32) -> bool {
        const RARE: u32 = 1 << 9;
        if weight < RARE {
            return false;
        }
        let index = SIDE.saturating_add_signed(side * distance as isize);
        if let Some(slot) = self.weights.get_mut(index) {
            *slot = weight;
        }
        self.first = self.first.min(index);
        self.last = self.last.max(index);
        true
    }

    fn total(&self) -> u64 {
        let run = &self.weights[self.first..=self.last];
        run.iter().map(|&weight| u64::from(weight)).sum::<u64>() + self.escape
    }

    /// Leaves values of less than half a slot to the escape: an interval of their own would cost the others more.
    fn trim(&mut self) {
        let least = self.total() >> (SCALE_BITS + 1);
        let rare = |weight: u32| u64::from(weight) < least;
        while self.first < SIDE && rare(self.weights[self.first]) {
            self.escape += u64::from(self.weights[self.first]);
            self.first += 1;
        }
        while self.last > SIDE && rare(self.weights[self.last]) {
            self.escape += u64::from(self.weights[self.last]);
            self.last -= 1;
        }
    }

    fn into_table(self, shift: u32) -> Table {
        let run = &self.weights[self.first..=self.last];
        let spare = u64::from(SCALE) - (run.len() as u64 + 1);
        let total = self.total();
        let mut starts = [SCALE as u16; VALUES_MAX + 2];
        let mut before = 0u64;
        for (k, (start, &weight)) in starts.iter_mut().zip(run).enumerate() {
            *start = (k as u64 + before * spare / total) as u16;
            before += u64::from(weight);
        }
        starts[run.len()] = (run.len() as u64 + before * spare / total) as u16;
        Table {
            low: self.mode + self.first as i32 - SIDE as i32,
            count: run.len(),
            shift,
            starts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_reserved_or_makes_a_full_table() {
        for code in 0..=u16::MAX {
            let Some(law) = Law::from_code(code) else {
                assert_eq!(
                    if code >> 15 == 0 {
                        code >> 5 & 7
                    } else {
                        code >> 12 & 7
                    },
                    7
                );
                continue;
            };
            assert_eq!(law.code(), code);
            let table = Table::new(law);
            assert!((1..=VALUES_MAX).contains(&table.count()));
            let mut end = 0;
            for (start, size) in table.intervals() {
                assert_eq!(start, end, "code {code:#06x}");
                assert!(size > 0, "code {code:#06x}");
                end = start + size;
            }
            assert_eq!(end, SCALE, "code {code:#06x}");
            assert_eq!(table.intervals().count(), table.count() + 1);
            let values = table.low() << table.shift()
                ..=(table.low() + table.count() as i32) << table.shift();
            assert!(
                *values.start() > -32768 && *values.end() < 32768,
                "code {code:#06x}"
            );
        }
    }

    /// The format: what a code stands for may change only with the version of the container.
    #[test]
    fn tables_have_these_intervals() {
        let laws = (0..=u16::MAX).filter_map(Law::from_code);
        let hash = laws
            .map(Table::new)
            .fold(0xcbf2_9ce4_8422_2325, |hash, table| {
                let head = [table.low() as u32, table.shift()];
                let sizes = table.intervals().map(|(_, size)| size);
                head.into_iter()
                    .chain(sizes)
                    .fold(hash, |hash: u64, number| {
                        (hash ^ u64::from(number)).wrapping_mul(0x0100_0000_01b3)
                    })
            });
        assert_eq!(hash, 0x5f7c_c406_e4b6_50d1);
    }
}
