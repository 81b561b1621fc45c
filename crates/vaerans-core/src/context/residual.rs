//! One symbol in a known context.
//!
//! The residual's cell is an interval of the context's table. Beyond the table's reach it is the
//! escape, and raw bits follow: an Exp-Golomb number of how far beyond (as many 1s as it has bits
//! above the order, a 0, those bits), then a sign. Bits below a cell come last.

use super::classes::{cell_shift, Context};
use super::tables::{cell_of_index, index_of_cell, Table};
use crate::rans::{EncodeInterval, State, WordReader, WordWriter};
use crate::Error;

/// Most bits that a symbol takes: a table's 14, and 16 + 16 + 1 of an escape, in whole bytes.
pub const SYMBOL_BITS_MAX: usize = 48;

/// Tables with more cells than this have long tails, and an Exp-Golomb order of 2 to suit.
const LONG_TABLE: usize = 16;

fn escape_order(table: &Table) -> u32 {
    if table.escape() > LONG_TABLE {
        2
    } else {
        0
    }
}

/// First cell beyond a table's reach, to either side.
fn first_beyond(table: &Table) -> u32 {
    (table.escape() as u32).div_ceil(2)
}

/// Puts a residual other than one of cell 0 without bits below: backwards, as rANS wants it.
pub fn put(
    state: &mut State,
    words: &mut WordWriter<'_>,
    table: &Table,
    context: Context,
    residual: i32,
) {
    let folded = if context.mirrored {
        -residual
    } else {
        residual
    };
    let shift = cell_shift(context.table);
    let raised = folded + ((1 << shift) >> 1);
    let cell = raised >> shift;
    state.put_bits(raised as u32 & ((1 << shift) - 1), shift, words);
    let index = index_of_cell(cell).min(table.escape());
    if index == table.escape() {
        let order = escape_order(table);
        let number = cell.unsigned_abs() - first_beyond(table) + (1 << order);
        let bits = number.ilog2();
        state.put_bits(u32::from(cell < 0), 1, words);
        state.put_bits(number - (1 << bits), bits, words);
        state.put_bits(0, 1, words);
        for _ in order..bits {
            state.put_bits(1, 1, words);
        }
    }
    let (start, size) = table.interval(index);
    state.put(&EncodeInterval::new(start, size), words);
}

/// Takes any residual.
pub fn take(
    state: &mut State,
    words: &mut WordReader<'_>,
    table: &Table,
    context: Context,
) -> Result<i32, Error> {
    let slot = state.slot();
    let index = if slot < table.zero {
        0
    } else {
        table.find(slot)
    };
    let (start, size) = table.interval(index);
    state.take(start, size, words);
    let mut cell = cell_of_index(index);
    if index == table.escape() {
        let order = escape_order(table);
        let mut bits = order;
        while state.take_bits(1, words) == 1 {
            bits += 1;
            if bits > 16 {
                return Err(Error::Corrupt {
                    what: "an escape below 2^17",
                });
            }
        }
        let number = (1 << bits) + state.take_bits(bits, words);
        cell = (number - (1 << order) + first_beyond(table)) as i32;
        if state.take_bits(1, words) == 1 {
            cell = -cell;
        }
    }
    let shift = cell_shift(context.table);
    let below = state.take_bits(shift, words) as i32;
    let folded = (cell << shift) + below - ((1 << shift) >> 1);
    Ok(if context.mirrored { -folded } else { folded })
}
