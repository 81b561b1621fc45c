//! One symbol in a known context.
//!
//! The residual's cell is an interval of the context's table. Beyond the table's reach it is the
//! escape, and raw bits follow: an Exp-Golomb number of how far beyond (as many 1s as it has bits
//! above the order, a 0, those bits), then a sign. Bits below a cell come last.

use super::classes::Context;
use super::tables::{cell_of_index, Table, TableSet};
use crate::rans::{EncodeInterval, State, WordReader, WordWriter, SCALE_BITS};
use crate::Error;

/// Most bits that a symbol takes: a table's 14, and 15 + 1 + 15 + 1 of an escape, in whole bytes.
pub const SYMBOL_BITS_MAX: usize = 48;

/// Residuals of 16-bit symbols are below 2^17.
const ESCAPE_BITS_MAX: u32 = 16;

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

/// An escape's Exp-Golomb number, its count of bits below the leading one, and the table's order.
fn escape_number(table: &Table, index: usize) -> (u32, u32, u32) {
    let order = escape_order(table);
    let number = index.div_ceil(2) as u32 - first_beyond(table) + (1 << order);
    (number, number.ilog2(), order)
}

/// Puts any symbol: backwards, as rANS wants it.
pub fn put(
    state: &mut State,
    words: &mut WordWriter<'_>,
    tables: &TableSet,
    context: Context,
    symbol: i16,
) {
    let table = tables.of(context);
    let (index, below) = context.index_of(symbol);
    state.put_bits(below, context.shift(), words);
    if index >= table.escape() {
        let (number, bits, order) = escape_number(table, index);
        state.put_bits(u32::from(index % 2 == 0), 1, words);
        state.put_bits(number - (1 << bits), bits, words);
        state.put_bits(0, 1, words);
        for _ in order..bits {
            state.put_bits(1, 1, words);
        }
    }
    let (start, size) = table.interval(index.min(table.escape()));
    state.put(&EncodeInterval::new(start, size), words);
}

/// Takes a symbol whose slot is not below the base frequency.
#[inline(always)]
pub fn take(
    state: &mut State,
    words: &mut WordReader<'_>,
    tables: &TableSet,
    context: Context,
) -> Result<i16, Error> {
    match tables.near(context).find(state.slot()) {
        Some((index, start, size)) => {
            state.take_steadily(start, size, words);
            checked(context.base + context.turned(cell_of_index(index)))
        }
        None => {
            // A copy, so that the state itself may stay in a register.
            let mut copy = *state;
            let symbol = take_any(&mut copy, words, tables.of(context), context);
            *state = copy;
            symbol
        }
    }
}

#[inline(always)]
fn checked(symbol: i32) -> Result<i16, Error> {
    i16::try_from(symbol).map_err(|_| Error::Corrupt {
        what: "symbols of 16 bits",
    })
}

/// Takes any symbol.
#[inline(never)]
fn take_any(
    state: &mut State,
    words: &mut WordReader<'_>,
    table: &Table,
    context: Context,
) -> Result<i16, Error> {
    let slot = state.slot();
    let index = if slot < table.zero {
        0
    } else {
        table.find(slot)
    };
    let (start, size) = table.interval(index);
    state.take_steadily(start, size, words);
    let mut cell = cell_of_index(index);
    if index == table.escape() {
        let order = escape_order(table);
        let mut bits = order;
        while state.take_bits(1, words) == 1 {
            bits += 1;
            if bits > ESCAPE_BITS_MAX {
                return Err(Error::Corrupt {
                    what: "escapes below 2^17",
                });
            }
        }
        let number = (1 << bits) + state.take_bits(bits, words);
        cell = (number - (1 << order) + first_beyond(table)) as i32;
        if state.take_bits(1, words) == 1 {
            cell = -cell;
        }
    }
    let below = state.take_bits(context.shift(), words);
    checked(context.symbol_of(cell, below))
}

/// Raw bits that follow a symbol's interval: those of an escape, and those below the cell.
pub fn raw_bits(table: &Table, context: Context, index: usize) -> u32 {
    let mut raw = context.shift();
    if index >= table.escape() {
        let (_, bits, order) = escape_number(table, index);
        raw += bits - order + 1 + bits + 1;
    }
    raw
}

/// Bits that a symbol takes by its table and, after an escape, by its raw bits.
pub fn bits(table: &Table, context: Context, symbol: i16) -> f64 {
    let (index, _) = context.index_of(symbol);
    let (_, size) = table.interval(index.min(table.escape()));
    f64::from(SCALE_BITS + raw_bits(table, context, index)) - f64::from(size).log2()
}
