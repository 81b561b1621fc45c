//! From a scale sum and a mean sum to the table that codes the symbol: shifts and counts of
//! leading zeros only.

/// Weights, bases and sums have this many bits below one.
pub const FRACTION_BITS: u32 = 14;

/// Scale classes an octave.
const CLASS_BITS: u32 = 2;
/// Scales below 2^LOWEST_BIT / 2^FRACTION_BITS share class 0.
const LOWEST_BIT: u32 = 7;
const OCTAVES: u32 = 14;
/// Mean fractions between 0 and 1/2.
const MEAN_BITS: u32 = 3;

pub const SCALE_CLASSES: usize = (OCTAVES << CLASS_BITS) as usize;
pub const MEAN_CLASSES: usize = 1 << MEAN_BITS;
pub const TABLES: usize = SCALE_CLASSES * MEAN_CLASSES;

/// How one symbol is coded: `symbol = base + residual`, mirrored when the mean lies below `base`,
/// so that the likelier side is always the positive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    pub table: usize,
    pub base: i32,
    pub mirrored: bool,
}

/// Logarithm of the sum in quarter octaves, from 0 to `SCALE_CLASSES - 1`.
#[inline(always)]
fn scale_class(sum: i32) -> usize {
    let sum = (sum as u32).clamp(1 << LOWEST_BIT, (1 << (LOWEST_BIT + OCTAVES)) - 1);
    let top = 31 - sum.leading_zeros();
    let below = (sum >> (top - CLASS_BITS)) & ((1 << CLASS_BITS) - 1);
    (((top - LOWEST_BIT) << CLASS_BITS) | below) as usize
}

impl Context {
    /// `scale_sum` is not negative; `mean_sum` is any sum that a validated model can make.
    #[inline(always)]
    pub fn of(scale_sum: i32, mean_sum: i32) -> Self {
        let half = 1 << (FRACTION_BITS - 1);
        let base = ((mean_sum + half) >> FRACTION_BITS).clamp(-32767, 32767);
        let offset = mean_sum - (base << FRACTION_BITS);
        let side = offset.unsigned_abs().min(half as u32 - 1) >> (FRACTION_BITS - 1 - MEAN_BITS);
        Context {
            table: (scale_class(scale_sum) << MEAN_BITS) | side as usize,
            base,
            mirrored: offset < 0,
        }
    }

    /// Index in the table of a symbol's cell, unbounded, and the residual's bits below the cell.
    #[inline(always)]
    pub fn index_of(&self, symbol: i16) -> (usize, u32) {
        let residual = i32::from(symbol) - self.base;
        let folded = if self.mirrored { -residual } else { residual };
        let shift = cell_shift(self.table);
        let raised = folded + ((1 << shift) >> 1);
        let below = raised as u32 & ((1 << shift) - 1);
        let cell = raised >> shift;
        let twice = 2 * cell.unsigned_abs() as usize;
        (twice - usize::from(cell > 0), below)
    }

    /// The symbol of a cell and the bits below it, which may be none of 16 bits.
    #[inline(always)]
    pub fn symbol_of(&self, cell: i32, below: u32) -> i32 {
        let shift = cell_shift(self.table);
        let folded = (cell << shift) + below as i32 - ((1 << shift) >> 1);
        self.base + if self.mirrored { -folded } else { folded }
    }
}

/// Residual bits below the table's cells: wide distributions are flat inside a cell.
#[inline(always)]
pub const fn cell_shift(table: usize) -> u32 {
    let octave = (table >> (MEAN_BITS + CLASS_BITS)) as u32 + LOWEST_BIT;
    octave.saturating_sub(FRACTION_BITS + 2)
}

/// Middle of a table's scales, in symbols.
pub fn scale_of_table(table: usize) -> f64 {
    let class = (table >> MEAN_BITS) as f64 + 0.5;
    let octave =
        class / f64::from(1 << CLASS_BITS) + f64::from(LOWEST_BIT) - f64::from(FRACTION_BITS);
    octave.exp2()
}

/// Middle of a table's means, in symbols above the base.
pub fn side_of_table(table: usize) -> f64 {
    ((table & (MEAN_CLASSES - 1)) as f64 + 0.5) / f64::from(2 << MEAN_BITS)
}

/// Where a scale in symbols lies among the classes' middles, and what that moves by when the
/// scale's natural logarithm moves by one.
pub fn class_position(scale: f32) -> (f32, f32) {
    let classes = (1 << CLASS_BITS) as f32;
    let lowest = LOWEST_BIT as f32 - FRACTION_BITS as f32;
    (
        (scale.log2() - lowest) * classes - 0.5,
        classes * std::f32::consts::LOG2_E,
    )
}
