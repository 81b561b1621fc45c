//! From a scale sum and a mean sum to the table that codes the symbol: shifts and counts of leading zeros only.

/// Weights, bases and sums have this many bits below one.
pub const FRACTION_BITS: u32 = 14;

/// Scale classes an octave.
const CLASS_BITS: u32 = 2;
/// Added to every scale sum, so that classes begin at this power of two and are ever wider apart below it.
pub const LEAST_SCALE: i32 = 1 << LEAST_SCALE_BITS;
const LEAST_SCALE_BITS: u32 = 7;
const OCTAVES: u32 = 14;
/// Larger sums are of the last class.
pub const SCALE_SUM_MAX: i32 = (LEAST_SCALE << OCTAVES) - 1;
/// Mean classes between 0 and 1/2.
const MEAN_BITS: u32 = 3;

pub const SCALE_CLASSES: usize = (OCTAVES << CLASS_BITS) as usize;
pub const MEAN_CLASSES: usize = 1 << MEAN_BITS;
/// Tables serve both sides of a whole mean, mirrored.
pub const TABLES: usize = SCALE_CLASSES * MEAN_CLASSES;
/// A scale class and a mean class on either side.
pub const NODES: usize = 2 * TABLES;

/// Scale classes from 0 whose tables have a cell for every residual.
pub const WHOLE_CLASSES: usize = ((FRACTION_BITS + 3 - LEAST_SCALE_BITS) << CLASS_BITS) as usize;

/// How one symbol is coded: a distribution around `base`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Scale class, then the mean's fraction in 16ths from -1/2 to 1/2.
    pub node: usize,
    /// The mean rounded.
    pub base: i32,
}

/// A context in four bytes, of which an encoder may keep many.
#[derive(Debug, Clone, Copy, Default)]
pub struct PackedContext {
    node: u16,
    base: i16,
}

impl PackedContext {
    pub fn unpacked(self) -> Context {
        Context {
            node: usize::from(self.node),
            base: i32::from(self.base),
        }
    }
}

impl Context {
    pub fn packed(self) -> PackedContext {
        PackedContext {
            node: self.node as u16,
            base: self.base as i16,
        }
    }

    /// `scale_sum` is at least `LEAST_SCALE`, `mean_sum` any sum of a validated model: `base` is in -32767..=32767.
    #[inline(always)]
    pub fn of(scale_sum: i32, mean_sum: i32) -> Self {
        let (base, fraction) = rounded(mean_sum);
        Self {
            node: node_of(scale_class(scale_sum), fraction as usize),
            base,
        }
    }

    /// Bits of the residual below its cell.
    #[inline(always)]
    pub fn shift(self) -> u32 {
        cell_shift(self.table())
    }

    /// A residual of the table as one of the symbol or back: where the mean lies below `base` they are turned round.
    #[inline(always)]
    pub fn turned(self, residual: i32) -> i32 {
        if self.node & MEAN_CLASSES == 0 {
            -residual
        } else {
            residual
        }
    }

    #[inline(always)]
    pub fn table(self) -> usize {
        table_of_node(self.node)
    }

    /// Index in the table of a symbol's cell, unbounded, and the residual's bits below the cell.
    #[inline(always)]
    pub fn index_of(self, symbol: i16) -> (usize, u32) {
        let folded = self.turned(i32::from(symbol) - self.base);
        let shift = self.shift();
        let raised = folded + ((1 << shift) >> 1);
        let below = raised as u32 & ((1 << shift) - 1);
        let cell = raised >> shift;
        let twice = 2 * cell.unsigned_abs() as usize;
        (twice - usize::from(cell > 0), below)
    }

    /// The symbol of a cell and the bits below it, which may be none of 16 bits.
    #[inline(always)]
    pub fn symbol_of(self, cell: i32, below: u32) -> i32 {
        let shift = self.shift();
        let folded = (cell << shift) + below as i32 - ((1 << shift) >> 1);
        self.base + self.turned(folded)
    }
}

/// A mean sum rounded, and the mean's fraction in 16ths from -1/2.
#[inline(always)]
pub fn rounded(mean_sum: i32) -> (i32, u32) {
    let raised = mean_sum + (1 << (FRACTION_BITS - 1));
    let fraction = raised as u32 & ((1 << FRACTION_BITS) - 1);
    (
        raised >> FRACTION_BITS,
        fraction >> (FRACTION_BITS - 1 - MEAN_BITS),
    )
}

/// Logarithm in quarter octaves, from 0 for `LEAST_SCALE`.
#[inline(always)]
pub fn scale_class(scale_sum: i32) -> usize {
    let scale = scale_sum.min(SCALE_SUM_MAX) as u32;
    let top = 31 - scale.leading_zeros();
    // The leading bits, 4 to 7, carry on where the octave before ended.
    let leading = scale >> (top - CLASS_BITS);
    ((top << CLASS_BITS) + leading - ((LEAST_SCALE_BITS + 1) << CLASS_BITS)) as usize
}

#[inline(always)]
pub fn table_of_node(node: usize) -> usize {
    let fraction = node & (2 * MEAN_CLASSES - 1);
    let side = if fraction < MEAN_CLASSES {
        MEAN_CLASSES - 1 - fraction
    } else {
        fraction - MEAN_CLASSES
    };
    (node >> (MEAN_BITS + 1) << MEAN_BITS) | side
}

/// Residual bits below the table's cells: wide distributions are flat inside a cell.
#[inline(always)]
pub const fn cell_shift(table: usize) -> u32 {
    let octave = (table >> (MEAN_BITS + CLASS_BITS)) as u32 + LEAST_SCALE_BITS;
    octave.saturating_sub(FRACTION_BITS + 2)
}

/// Middle of a table's scales, in symbols.
pub fn scale_of_table(table: usize) -> f64 {
    let class = (table >> MEAN_BITS) as f64 + 0.5;
    let octave = class / f64::from(1 << CLASS_BITS) + f64::from(LEAST_SCALE_BITS);
    (octave.exp2() - f64::from(LEAST_SCALE)) / f64::from(1 << FRACTION_BITS)
}

/// Middle of a table's means, in symbols above the base.
pub fn side_of_table(table: usize) -> f64 {
    ((table & (MEAN_CLASSES - 1)) as f64 + 0.5) / f64::from(2 << MEAN_BITS)
}

/// Where a scale in symbols lies among the classes' middles, and what that moves by when the scale moves by one symbol.
pub fn class_position(scale: f32) -> (f32, f32) {
    let classes = (1 << CLASS_BITS) as f32;
    let raised = scale + LEAST_SCALE as f32 / (1 << FRACTION_BITS) as f32;
    let octave = raised.log2() + FRACTION_BITS as f32 - LEAST_SCALE_BITS as f32;
    (
        octave * classes - 0.5,
        classes * std::f32::consts::LOG2_E / raised,
    )
}

/// Node of a scale class and of a mean `fraction` 16ths above -1/2.
#[inline(always)]
pub fn node_of(scale_class: usize, fraction: usize) -> usize {
    (scale_class << (MEAN_BITS + 1)) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_single_symbols_in_the_whole_classes_and_only_there() {
        for table in 0..TABLES {
            assert_eq!(cell_shift(table) == 0, table >> MEAN_BITS < WHOLE_CLASSES);
        }
    }
}
