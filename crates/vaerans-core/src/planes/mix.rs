//! Probabilities of single bits: adaptive counters by context, mixed in the logistic domain (Mahoney, "Adaptive
//! Weighing of Context Models for Lossless Data Compression", 2005), all in integers.

use super::range::{BitCoder, PROBABILITY_MAX};
use crate::memory::filled;
use crate::Error;

/// Stretched probabilities are ln(p / (1 - p)) in units of 1 / `UNIT`.
const UNIT: u32 = 168;
/// Stretched probabilities stay within ± this: a probability of 2^-17.6.
const STRETCHED_MAX: i32 = 2047;

/// Probability in 2^-16 of each stretched value from -2047 to 2048.
static SQUASH: [u16; 4096] = squash_table();
/// Stretched value of each probability in 2^-12.
static STRETCH: [i16; 4096] = stretch_table();
/// 2^16 / (n + 1.5): how far a counter that has seen n bits moves.
static RECIPROCAL: [u16; LIMIT_MAX as usize + 1] = reciprocal_table();

const fn squash_table() -> [u16; 4096] {
    // e^(1 / UNIT) in 2^-40 by its series; powers of it by multiplication, in integers on every machine.
    const ONE: u128 = 1 << 40;
    let mut step = ONE;
    let mut term = ONE;
    let mut i = 1;
    while i < 20 {
        term /= UNIT as u128 * i;
        step += term;
        i += 1;
    }
    let mut table = [0; 4096];
    let mut power = ONE;
    let mut x = 0;
    while x < 2048 {
        // p = e^x / (1 + e^x), and 1 - p for -x.
        let p = (power << 16) / (power + ONE);
        let p = if p > PROBABILITY_MAX as u128 {
            PROBABILITY_MAX as u128
        } else {
            p
        };
        table[2047 + x] = p as u16;
        if x > 0 {
            let q = 65536 - p;
            table[2047 - x] = if q < 1 { 1 } else { q as u16 };
        }
        power = (power * step) >> 40;
        x += 1;
    }
    table[4095] = table[4094];
    table
}

const fn stretch_table() -> [i16; 4096] {
    let mut table = [0; 4096];
    let mut x = 0;
    let mut p = 0;
    while p < 4096 {
        // The middle of the sixteen probabilities that share the entry.
        let target = 16 * p + 8;
        while x < 4094 && (SQUASH_FOR_STRETCH[x] as usize) < target {
            x += 1;
        }
        table[p] = x as i16 - 2047;
        p += 1;
    }
    table
}

const SQUASH_FOR_STRETCH: [u16; 4096] = squash_table();

/// Most bits that a counter remembers.
const LIMIT_MAX: u32 = 1023;

const fn reciprocal_table() -> [u16; LIMIT_MAX as usize + 1] {
    let mut table = [0; LIMIT_MAX as usize + 1];
    let mut n = 0;
    while n <= LIMIT_MAX as usize {
        table[n] = (131_072 / (2 * n + 3)) as u16;
        n += 1;
    }
    table
}

#[inline(always)]
fn squash(x: i32) -> u32 {
    let x = x.clamp(-STRETCHED_MAX, STRETCHED_MAX);
    u32::from(SQUASH[(x + 2047) as usize])
}

/// The probability that a bit is 1, in 2^-22 in the high bits, and how many bits it has seen in the low ten.
#[derive(Clone, Copy)]
pub struct Counter(u32);

impl Counter {
    pub const EVEN: Counter = Counter(1 << 31);

    /// Probability in 2^-16.
    #[inline(always)]
    fn p16(self) -> u32 {
        self.0 >> 16
    }

    #[inline(always)]
    fn stretched(self) -> i32 {
        i32::from(STRETCH[(self.0 >> 20) as usize])
    }

    /// Moves towards `bit` by 1 / (n + 1.5), n growing to `limit`.
    #[inline(always)]
    fn update(&mut self, bit: bool, limit: u32) {
        let n = self.0 & LIMIT_MAX;
        let p = (self.0 >> 10) as i32;
        let target = if bit { (1 << 22) - 1 } else { 0 };
        let moved = p + ((((target - p) >> 7) * i32::from(RECIPROCAL[n as usize])) >> 9);
        self.0 = (moved as u32) << 10 | (n + u32::from(n < limit));
    }

    /// Codes a bit by this counter alone.
    #[inline(always)]
    pub fn code<C: BitCoder>(&mut self, coder: &mut C, bit: bool, limit: u32) -> bool {
        let bit = coder.code(self.p16().clamp(1, PROBABILITY_MAX), bit);
        self.update(bit, limit);
        bit
    }
}

/// Inputs of the mixer: `INPUTS - 1` counters and a constant.
pub const INPUTS: usize = 8;
pub const COUNTERS: usize = INPUTS - 1;

/// Weights in 2^-16.
pub type Weights = [i32; INPUTS];

/// What the mixer begins with: somewhat more than the mean of its counters.
pub const START_WEIGHTS: Weights = {
    let mut weights = [(1 << 16) * 3 / 10; INPUTS];
    weights[COUNTERS] = 0;
    weights
};

/// One of each table: `tables` are apart, so all seven may be lent at once.
#[inline(always)]
pub fn pick<T>(tables: &mut [Vec<T>; COUNTERS], at: [usize; COUNTERS]) -> [&mut T; COUNTERS] {
    let [a, b, c, d, e, f, g] = tables;
    [
        &mut a[at[0]],
        &mut b[at[1]],
        &mut c[at[2]],
        &mut d[at[3]],
        &mut e[at[4]],
        &mut f[at[5]],
        &mut g[at[6]],
    ]
}

/// Seven tables of `length` elements.
pub fn tables<T: Clone>(length: usize, value: &T) -> Result<[Vec<T>; COUNTERS], Error> {
    let mut tables = [const { Vec::new() }; COUNTERS];
    for table in &mut tables {
        *table = filled(length, value.clone())?;
    }
    Ok(tables)
}

/// Codes one bit by `counters`, mixed by `weights`; all of them learn it.
#[inline(always)]
pub fn code_mixed<C: BitCoder>(
    coder: &mut C,
    counters: [&mut Counter; COUNTERS],
    weights: &mut Weights,
    limit: u32,
    bit: bool,
) -> bool {
    let mut inputs = [0; INPUTS];
    for (input, counter) in inputs.iter_mut().zip(&counters) {
        *input = counter.stretched();
    }
    inputs[COUNTERS] = 256;
    let mut sum = 0i32;
    for (&input, &weight) in inputs.iter().zip(weights.iter()) {
        sum = sum.wrapping_add(input.wrapping_mul(weight) >> 8);
    }
    let p = squash(sum >> 8);
    let bit = coder.code(p, bit);
    let error = (i32::from(bit) << 16) - p as i32;
    for (&input, weight) in inputs.iter().zip(weights.iter_mut()) {
        // Weights stay where no product above can leave 32 bits.
        let step = (input * (error >> 2) + (1 << 14)) >> 15;
        *weight = (*weight + step).clamp(-(1 << 19), 1 << 19);
    }
    for counter in counters {
        counter.update(bit, limit);
    }
    bit
}
