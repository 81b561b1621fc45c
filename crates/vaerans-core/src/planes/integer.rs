//! Whole numbers around zero, cut into bits: is it zero, its sign, which power of two, and the bits below that. All but
//! the lowest bits of large ones are coded by counters under seven contexts that a mixer weighs.

use super::mix::{code_mixed, pick, tables, Counter, Weights, COUNTERS, START_WEIGHTS};
use super::range::BitCoder;
use crate::Error;

const ZERO: usize = 0;
const SIGN: usize = 1;
const CLASS: usize = 2;
/// Magnitudes below 2^18.
const CLASSES_MAX: usize = 18;
const BELOW: usize = CLASS + CLASSES_MAX;
const DECISIONS: usize = BELOW + CLASSES_MAX;

/// The largest magnitude that can be coded.
pub const MAGNITUDE_MAX: i32 = (1 << CLASSES_MAX) - 1;

/// Contexts that each of the counters of a bit may have.
const CONTEXTS: usize = 1024;
const MIXERS: usize = 8;

/// Index of the highest set bit plus one.
#[inline(always)]
pub fn bits(value: u32) -> u32 {
    32 - value.leading_zeros()
}

/// Magnitude in steps of about a factor of the square root of 2.
#[inline(always)]
pub fn fine(value: u32) -> u32 {
    if value < 2 {
        value
    } else {
        let top = bits(value) - 1;
        2 * top + ((value >> (top - 1)) & 1)
    }
}

/// Sign and rough magnitude, 0 to 10.
#[inline(always)]
pub fn signed(value: i32) -> u32 {
    let magnitude = match value.unsigned_abs() {
        small @ 0..=1 => small,
        2..=3 => 2,
        4..=8 => 3,
        9..=20 => 4,
        _ => 5,
    };
    if value < 0 {
        5 + magnitude
    } else {
        magnitude
    }
}

/// The counters of all bits of a number under one context.
type Row = [Counter; DECISIONS];

pub struct IntegerCoder {
    counters: [Vec<Row>; COUNTERS],
    /// Bits that a counter remembers, at most 1023.
    limit: u32,
    mixers: [[Weights; DECISIONS]; MIXERS],
}

impl IntegerCoder {
    pub fn new(limit: u32) -> Result<Self, Error> {
        Ok(IntegerCoder {
            counters: tables(CONTEXTS, &[Counter::EVEN; DECISIONS])?,
            limit,
            mixers: [[START_WEIGHTS; DECISIONS]; MIXERS],
        })
    }

    /// Codes one number under contexts below 1024 each, with the weights of `mixer`, below 8. A decoder ignores
    /// `wanted`; an encoder's is at most `MAGNITUDE_MAX` from zero.
    #[inline(always)]
    pub fn code<C: BitCoder>(
        &mut self,
        coder: &mut C,
        contexts: [u32; COUNTERS],
        mixer: u32,
        wanted: i32,
    ) -> i32 {
        let rows = pick(
            &mut self.counters,
            contexts.map(|context| context as usize % CONTEXTS),
        );
        let [a, b, c, d, e, f, g] = rows;
        let weights = &mut self.mixers[mixer as usize % MIXERS];
        let mut bit = |coder: &mut C, decision: usize, bit: bool| {
            code_mixed(
                coder,
                [
                    &mut a[decision],
                    &mut b[decision],
                    &mut c[decision],
                    &mut d[decision],
                    &mut e[decision],
                    &mut f[decision],
                    &mut g[decision],
                ],
                &mut weights[decision],
                self.limit,
                bit,
            )
        };
        if bit(coder, ZERO, wanted == 0) {
            return 0;
        }
        let negative = bit(coder, SIGN, wanted < 0);
        let magnitude = wanted.unsigned_abs();
        let wanted_class = bits(magnitude).max(1) as usize - 1;
        let mut class = 0;
        while class < CLASSES_MAX - 1 && bit(coder, CLASS + class, wanted_class > class) {
            class += 1;
        }
        let mut value = 1;
        for place in (0..class).rev() {
            let one = magnitude >> place & 1 == 1;
            let one = if place + 1 == class {
                bit(coder, BELOW + class, one)
            } else {
                coder.code(1 << 15, one)
            };
            value = value << 1 | i32::from(one);
        }
        if negative {
            -value
        } else {
            value
        }
    }
}
