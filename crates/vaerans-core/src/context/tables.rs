//! Probability tables: one for every scale class and mean fraction.
//!
//! A table holds the cells 0, +1, -1, .. +reach, -reach of a residual, then the escape, as
//! 14-bit frequencies of at least 1. In the file: reach u8, then 2 reach + 1 frequencies u16
//! little-endian; the escape's is what is left of 2^14.

use super::classes::{cell_shift, table_of_node, Context, NODES, TABLES};
use super::input::Input;
use super::model::BAD_MODEL;
use super::near::Near;
use crate::rans::SCALE;
use crate::Error;

/// Most cells to one side of 0.
pub const REACH_MAX: usize = 40;
/// Up to this reach a symbol is looked for step by step, beyond it by halving.
const STEPPED_REACH: usize = 6;

#[derive(Debug, Clone)]
pub struct Table {
    /// Frequency of cell 0, whose interval starts at 0.
    pub zero: u32,
    /// Starts of the intervals and the end of the last, 2 reach + 3 of them.
    starts: Vec<u16>,
}

impl Table {
    /// `frequencies` in the file's order, the escape's last; they sum to 2^14.
    pub fn new(frequencies: &[u32]) -> Result<Self, Error> {
        let mut starts = vec![0u16];
        let mut sum = 0u32;
        for &frequency in frequencies {
            sum += frequency;
            if frequency == 0 || sum > SCALE {
                return Err(BAD_MODEL);
            }
            starts.push(sum as u16);
        }
        if frequencies.len() < 2 || sum != SCALE {
            return Err(BAD_MODEL);
        }
        Ok(Self {
            zero: frequencies[0],
            starts,
        })
    }

    /// Index of the escape; the cells' indices are below it.
    #[inline(always)]
    pub fn escape(&self) -> usize {
        self.starts.len() - 2
    }

    /// Start and frequency of the interval of an index.
    #[inline(always)]
    pub fn interval(&self, index: usize) -> (u32, u32) {
        let (start, end) = (
            u32::from(self.starts[index]),
            u32::from(self.starts[index + 1]),
        );
        (start, end - start)
    }

    /// Index of the interval that holds `slot`, which cell 0's does not.
    #[inline(always)]
    pub fn find(&self, slot: u32) -> usize {
        if self.starts.len() <= 2 * STEPPED_REACH + 3 {
            let inner = &self.starts[2..self.starts.len() - 1];
            1 + inner
                .iter()
                .take_while(|&&start| u32::from(start) <= slot)
                .count()
        } else {
            self.starts
                .partition_point(|&start| u32::from(start) <= slot)
                - 1
        }
    }

    fn parse(input: &mut Input<'_>) -> Result<Self, Error> {
        let reach = usize::from(input.take(1)?[0]);
        if reach > REACH_MAX {
            return Err(BAD_MODEL);
        }
        let bytes = input.take(2 * (2 * reach + 1))?.chunks_exact(2);
        let mut frequencies: Vec<u32> = bytes
            .map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])))
            .collect();
        let sum: u32 = frequencies.iter().sum();
        frequencies.push(SCALE.checked_sub(sum).ok_or(BAD_MODEL)?);
        Self::new(&frequencies)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push((self.escape() / 2) as u8);
        for index in 0..self.escape() {
            out.extend((self.interval(index).1 as u16).to_le_bytes());
        }
    }
}

/// Cell of an index below the escape's.
#[inline(always)]
pub fn cell_of_index(index: usize) -> i32 {
    let magnitude = index.div_ceil(2) as i32;
    if index % 2 == 1 {
        magnitude
    } else {
        -magnitude
    }
}

#[derive(Debug, Clone)]
pub struct TableSet {
    tables: Vec<Table>,
    /// By table: its first cells, none where they are wider than a symbol.
    near: Vec<Near>,
    /// By node: frequency of cell 0 where that is the whole residual, else 0.
    base_frequencies: Box<[u16; NODES]>,
}

impl TableSet {
    /// `tables` are `TABLES` many.
    pub fn new(tables: Vec<Table>) -> Self {
        let near = |(index, table): (usize, &Table)| match cell_shift(index) {
            0 => Near::new(&table.starts),
            _ => Near::none(),
        };
        let mut base_frequencies = Box::new([0; NODES]);
        for node in 0..NODES {
            let table = table_of_node(node);
            if cell_shift(table) == 0 {
                base_frequencies[node] = tables[table].zero as u16;
            }
        }
        Self {
            near: tables.iter().enumerate().map(near).collect(),
            tables,
            base_frequencies,
        }
    }

    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    #[inline(always)]
    pub fn of(&self, context: Context) -> &Table {
        &self.tables[context.table()]
    }

    /// The first cells of the context's table, if each is a symbol.
    #[inline(always)]
    pub fn near(&self, context: Context) -> &Near {
        &self.near[context.table()]
    }

    /// Frequency of `base` itself, whose interval starts at 0; or 0, which no slot is below, where cells are wider.
    #[inline(always)]
    pub fn base_frequency(&self, context: Context) -> u32 {
        u32::from(self.base_frequencies[context.node])
    }

    pub(super) fn parse(input: &mut Input<'_>) -> Result<Self, Error> {
        let tables: Result<_, _> = (0..TABLES).map(|_| Table::parse(input)).collect();
        Ok(Self::new(tables?))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.tables.iter().for_each(|table| table.write(out));
    }
}
