//! The static coder: order-0, each channel a source by itself with a table of 2 bytes. It needs to know nothing about
//! the model that made the symbols. Integers only.
//!
//! # Layout of a stream
//!
//! Numbers are little-endian. The reader knows the number of channels, the symbols a channel (n) and where the stream
//! ends.
//!
//! 1. **Live channels**: ceil(channels / 8) bytes, channel c is bit c mod 8 of byte c / 8. A channel whose bit is 0
//!    holds zeros only and takes nothing more. Bits past the last channel are 0. With no live channel the stream ends
//!    here.
//! 2. **Tables**: a u16 for each live channel in ascending order, as [`crate::static_table`] reads them.
//! 3. **States**: a u32 for each lane. There are 4 lanes if live channels times n is at least 65,536, else 1.
//! 4. **Words**: u16 each, to the end, as [`crate::rans`] reads them.
//!
//! Channels follow one another, symbols within them in order; symbol i of a channel is coded by lane i mod lanes. One
//! symbol of a channel whose table has `count` values from `low` on, and `shift`, is read as
//!
//! - k, by its interval. If k < count, u = low + k.
//! - If k = count (escape): 1 raw bit, 1 for below the table, then a class c of 4 raw bits, then c raw bits m; the
//!   distance is d = 2^c + m, and u = low - d below or low + count - 1 + d above the table.
//! - `shift` raw bits r, if shift > 0. The value is u * 2^shift + r and has to be an i16.
//!
//! After the last symbol every lane has to be at its start value and all words have to be read.

use crate::error::check_count;
use crate::rans::{EncodeInterval, State, WordReader, WordWriter, SCALE, STATE_BYTES};
use crate::static_fit::{fit, Histogram};
use crate::static_table::{Law, Table, VALUES_MAX};
use crate::Error;

/// Where the symbols lie: `channels` planes of `length` symbols, `stride` elements from one to the next. A stride that is
/// longer than the plane leaves room for the rest of it, so that a band of rows is coded in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planes {
    pub channels: usize,
    pub length: usize,
    pub stride: usize,
}

const LANES_MAX: usize = 4;

/// From this many live symbols on, 4 lanes are worth their 12 bytes more.
const LANES_FROM_SYMBOLS: usize = 65_536;

fn lane_count(live_channels: usize, length: usize) -> usize {
    if live_channels.saturating_mul(length) >= LANES_FROM_SYMBOLS {
        LANES_MAX
    } else {
        1
    }
}

/// Bytes of one symbol at most: `fit` keeps them under 31.5 bits, and the coder adds less than a tenth of a bit where a
/// symbol takes that many.
const SYMBOL_BYTES_MAX: usize = 4;

const BYTES_CORRUPT: Error = Error::Corrupt {
    what: "bytes that the static coder wrote for this shape",
};

/// Most bytes that [`encode`] writes, or `None` if that exceeds `usize`.
pub fn encode_bound(channels: usize, length: usize) -> Option<usize> {
    let heads = channels
        .checked_mul(3)?
        .checked_add(LANES_MAX * STATE_BYTES + 8)?;
    channels
        .checked_mul(length)?
        .checked_mul(SYMBOL_BYTES_MAX)?
        .checked_add(heads)
}

impl Planes {
    /// The plane of channel `channel` in `symbols`, whose length was checked.
    fn range(&self, channel: usize) -> std::ops::Range<usize> {
        channel * self.stride..channel * self.stride + self.length
    }

    fn check(&self, symbols: usize) -> Result<(), Error> {
        if self.stride < self.length {
            return Err(Error::Shape {
                what: "elements from plane to plane at least",
                expected: self.length,
                got: self.stride,
            });
        }
        let span = match self.channels {
            0 => Some(0),
            channels => (channels - 1)
                .checked_mul(self.stride)
                .and_then(|start| start.checked_add(self.length)),
        };
        check_count("symbols", span.unwrap_or(usize::MAX), symbols)
    }
}

/// Writes the stream at the start of `dst` and returns its length in bytes. `dst` is scratch beyond that.
pub fn encode(symbols: &[i16], planes: Planes, dst: &mut [u8]) -> Result<usize, Error> {
    planes.check(symbols.len())?;
    let too_small = Error::OutputTooSmall {
        capacity_bytes: dst.len(),
    };
    let plane = |channel: usize| &symbols[planes.range(channel)];
    let is_live = |channel: usize| plane(channel).iter().any(|&symbol| symbol != 0);

    let bitmap_length = planes.channels.div_ceil(8);
    let (bitmap, rest) = dst.split_at_mut_checked(bitmap_length).ok_or(too_small)?;
    bitmap.fill(0);
    let mut live_channels = 0;
    for channel in (0..planes.channels).filter(|&channel| is_live(channel)) {
        bitmap[channel / 8] |= 1 << (channel % 8);
        live_channels += 1;
    }
    if live_channels == 0 {
        return Ok(bitmap_length);
    }
    let (codes, body) = rest
        .split_at_mut_checked(2 * live_channels)
        .ok_or(too_small)?;
    let live = |channel: usize| bitmap[channel / 8] >> (channel % 8) & 1 == 1;

    let lanes = lane_count(live_channels, planes.length);
    let mut states = [State::START; LANES_MAX];
    let mut words = WordWriter::new(body);
    let mut histogram = Histogram::default();
    let mut code_slots = codes.chunks_exact_mut(2).rev();
    for channel in (0..planes.channels).rev().filter(|&channel| live(channel)) {
        let plane = plane(channel);
        histogram.count(plane)?;
        let law = fit(&histogram);
        if let Some(slot) = code_slots.next() {
            slot.copy_from_slice(&law.code().to_le_bytes());
        }
        let model = EncodeModel::new(&Table::new(law));
        match lanes {
            LANES_MAX => model.encode_plane::<LANES_MAX>(plane, &mut states, &mut words),
            _ => model.encode_plane::<1>(plane, &mut states, &mut words),
        }
    }
    for state in states[..lanes].iter().rev() {
        words.put_bytes(state.to_bytes());
    }
    let start = words.finish().ok_or(too_small)?;
    let length = body.len() - start;
    body.copy_within(start.., 0);
    Ok(bitmap_length + 2 * live_channels + length)
}

/// A channel's table, ready to encode with.
struct EncodeModel {
    low: i32,
    count: u32,
    shift: u32,
    intervals: [EncodeInterval; VALUES_MAX + 1],
}

impl EncodeModel {
    fn new(table: &Table) -> Self {
        let mut intervals = [EncodeInterval::default(); VALUES_MAX + 1];
        for (interval, (start, size)) in intervals.iter_mut().zip(table.intervals()) {
            *interval = EncodeInterval::new(start, size);
        }
        EncodeModel {
            low: table.low(),
            count: table.count() as u32,
            shift: table.shift(),
            intervals,
        }
    }

    fn encode_plane<const LANES: usize>(
        &self,
        plane: &[i16],
        states: &mut [State; LANES_MAX],
        words: &mut WordWriter,
    ) {
        let (groups, tail) = plane.as_chunks::<LANES>();
        for (lane, &symbol) in tail.iter().enumerate().rev() {
            self.encode_symbol(symbol, &mut states[lane], words);
        }
        for group in groups.iter().rev() {
            for lane in (0..LANES).rev() {
                self.encode_symbol(group[lane], &mut states[lane], words);
            }
        }
    }

    #[inline(always)]
    fn encode_symbol(&self, symbol: i16, state: &mut State, words: &mut WordWriter) {
        let value = i32::from(symbol);
        if self.shift > 0 {
            let low_bits = value as u32 & ((1 << self.shift) - 1);
            state.put_bits(low_bits, self.shift, words);
        }
        let index = ((value >> self.shift) - self.low) as u32;
        if index < self.count {
            state.put(&self.intervals[index as usize & VALUES_MAX], words);
        } else {
            self.encode_escape(index as i32, state, words);
        }
    }

    #[cold]
    fn encode_escape(&self, index: i32, state: &mut State, words: &mut WordWriter) {
        let below = index < 0;
        let distance = if below {
            index.unsigned_abs()
        } else {
            index as u32 - self.count + 1
        };
        let class = distance.ilog2();
        state.put_bits(distance - (1 << class), class, words);
        state.put_bits(class, 4, words);
        state.put_bits(u32::from(below), 1, words);
        state.put(&self.intervals[self.count as usize & VALUES_MAX], words);
    }
}

/// Reads a stream that takes up all of `src` into `symbols`. On any error what is in `symbols` means nothing.
pub fn decode(src: &[u8], symbols: &mut [i16], planes: Planes) -> Result<(), Error> {
    planes.check(symbols.len())?;
    let (bitmap, rest) = src
        .split_at_checked(planes.channels.div_ceil(8))
        .ok_or(BYTES_CORRUPT)?;
    let live = |channel: usize| bitmap[channel / 8] >> (channel % 8) & 1 == 1;
    let live_channels = (0..planes.channels)
        .filter(|&channel| live(channel))
        .count();
    let set_bits: u32 = bitmap.iter().map(|byte| byte.count_ones()).sum();
    if set_bits as usize != live_channels {
        return Err(BYTES_CORRUPT);
    }
    for channel in (0..planes.channels).filter(|&channel| !live(channel)) {
        symbols[planes.range(channel)].fill(0);
    }
    if live_channels == 0 {
        return if rest.is_empty() {
            Ok(())
        } else {
            Err(BYTES_CORRUPT)
        };
    }

    let (codes, rest) = rest
        .split_at_checked(2 * live_channels)
        .ok_or(BYTES_CORRUPT)?;
    let lanes = lane_count(live_channels, planes.length);
    let (state_bytes, words) = rest
        .split_at_checked(lanes * STATE_BYTES)
        .ok_or(BYTES_CORRUPT)?;
    let mut states = [State::START; LANES_MAX];
    for (state, bytes) in states.iter_mut().zip(state_bytes.as_chunks().0) {
        *state = State::from_bytes(*bytes);
    }
    let mut words = WordReader::new(words);
    let mut model = DecodeModel::empty();
    let live_planes = (0..planes.channels).filter(|&channel| live(channel));
    for (channel, code) in live_planes.zip(codes.as_chunks().0) {
        let law = Law::from_code(u16::from_le_bytes(*code)).ok_or(BYTES_CORRUPT)?;
        model.load(&Table::new(law));
        let plane = &mut symbols[planes.range(channel)];
        let in_range = match lanes {
            LANES_MAX => model.decode_plane::<LANES_MAX>(plane, &mut states, &mut words),
            _ => model.decode_plane::<1>(plane, &mut states, &mut words),
        };
        if !in_range || words.is_overread() {
            return Err(BYTES_CORRUPT);
        }
    }
    if words.is_finished() && states[..lanes].iter().all(|state| state.is_start()) {
        Ok(())
    } else {
        Err(BYTES_CORRUPT)
    }
}

/// A channel's table, ready to decode with.
struct DecodeModel {
    low: i32,
    count: u32,
    shift: u32,
    /// Start and size of each symbol's interval.
    intervals: [(u16, u16); VALUES_MAX + 1],
    /// The symbol at each slot.
    symbols: [u8; SCALE as usize],
}

impl DecodeModel {
    fn empty() -> Self {
        DecodeModel {
            low: 0,
            count: 0,
            shift: 0,
            intervals: [(0, 0); VALUES_MAX + 1],
            symbols: [0; SCALE as usize],
        }
    }

    fn load(&mut self, table: &Table) {
        self.low = table.low();
        self.count = table.count() as u32;
        self.shift = table.shift();
        for (symbol, (start, size)) in table.intervals().enumerate() {
            self.intervals[symbol & VALUES_MAX] = (start as u16, size as u16);
            let slots = start as usize..(start + size) as usize;
            if let Some(slots) = self.symbols.get_mut(slots) {
                slots.fill(symbol as u8);
            }
        }
    }

    /// Whether every value was an i16.
    fn decode_plane<const LANES: usize>(
        &self,
        plane: &mut [i16],
        states: &mut [State; LANES_MAX],
        words: &mut WordReader,
    ) -> bool {
        let mut in_range = true;
        let (groups, tail) = plane.as_chunks_mut::<LANES>();
        for group in groups {
            for lane in 0..LANES {
                in_range &= self.decode_symbol(&mut group[lane], &mut states[lane], words);
            }
        }
        for (lane, symbol) in tail.iter_mut().enumerate() {
            in_range &= self.decode_symbol(symbol, &mut states[lane], words);
        }
        in_range
    }

    #[inline(always)]
    fn decode_symbol(&self, symbol: &mut i16, state: &mut State, words: &mut WordReader) -> bool {
        let index = self.symbols[state.slot() as usize];
        let (start, size) = self.intervals[index as usize];
        state.take(u32::from(start), u32::from(size), words);
        let mut value = self.low + i32::from(index);
        if u32::from(index) == self.count {
            value = self.decode_escape(state, words);
        }
        if self.shift > 0 {
            value = value << self.shift | state.take_bits(self.shift, words) as i32;
        }
        *symbol = value as i16;
        i32::from(*symbol) == value
    }

    #[cold]
    fn decode_escape(&self, state: &mut State, words: &mut WordReader) -> i32 {
        let below = state.take_bits(1, words) == 1;
        let class = state.take_bits(4, words);
        let distance = (1 << class | state.take_bits(class, words)) as i32;
        if below {
            self.low - distance
        } else {
            self.low + self.count as i32 - 1 + distance
        }
    }
}

#[cfg(test)]
mod tests;
