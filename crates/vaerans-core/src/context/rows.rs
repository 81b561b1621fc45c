//! The rows that a row of symbols looks at: this one and two above, of every channel, clipped and padded with zeros,
//! so that no tap needs a test for the edge. Those with few symbols that are not zero are there twice: as samples for a
//! dense sum, and as a list for a sparse one.

use crate::memory::zeros;
use crate::Error;

/// Magnitudes count no further in the scale sums.
pub const MAGNITUDE_LIMIT: i16 = 24;
/// Values count no further in the mean sums.
pub const VALUE_LIMIT: i16 = 2047;
/// Columns of zeros left of a row; right of it there are at least as many.
pub const PAD: usize = 8;
/// Rows are a multiple of this long, so that loops over them have no remainder.
pub const BLOCK: usize = 32;

/// A row with at most one symbol in this many that is not zero has a list of them.
const LISTED_SHARE: usize = 5;

/// Symbols of such a row that are looked at together, since most are zero.
const GROUP: usize = 8;

/// A symbol as its neighbours see it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    pub column: u16,
    /// At most `VALUE_LIMIT` to either side.
    pub value: i16,
}

impl Seen {
    #[inline(always)]
    pub fn magnitude(self) -> i16 {
        magnitude(self.value)
    }
}

/// A symbol as the mean sums see it.
#[inline(always)]
pub fn limited(symbol: i16) -> i16 {
    symbol.clamp(-VALUE_LIMIT, VALUE_LIMIT)
}

/// A limited symbol as the scale sums see it.
#[inline(always)]
pub fn magnitude(value: i16) -> i16 {
    value.abs().min(MAGNITUDE_LIMIT)
}

pub struct Rows {
    channels: usize,
    width: usize,
    stride: usize,
    /// Thirds of the buffers that hold the row entered, the one above and the one above that.
    thirds: [usize; 3],
    /// [row % 3][channel][stride], then the rings, [channel][stride]: the sums of the magnitudes west, east and at the
    /// three places above.
    magnitudes: Vec<i16>,
    /// [row % 3][channel][stride]
    values: Vec<i16>,
    /// [row % 3][channel][width / LISTED_SHARE], of rows with a list the first `counts` of each in use, by column
    seen: Vec<Seen>,
    /// [row % 3][channel]: symbols that are not zero
    counts: Vec<usize>,
    ring_nonzero: Vec<bool>,
}

impl Rows {
    pub fn new(channels: usize, width: usize) -> Result<Self, Error> {
        let stride = width.div_ceil(BLOCK) * BLOCK + 2 * PAD;
        Ok(Self {
            channels,
            width,
            stride,
            thirds: [2, 1, 0],
            magnitudes: zeros(4 * channels * stride)?,
            values: zeros(3 * channels * stride)?,
            seen: zeros(3 * channels * (width / LISTED_SHARE))?,
            counts: zeros(3 * channels)?,
            ring_nonzero: zeros(channels)?,
        })
    }

    /// Columns of a sum row: `width` rounded up to whole blocks.
    pub fn padded_width(&self) -> usize {
        self.stride - 2 * PAD
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// Makes `row` the one that `up` counts from; the two above are what was stored for them.
    pub fn enter(&mut self, row: usize) {
        self.thirds = [0, 1, 2].map(|up| (row + 3 - up) % 3);
    }

    /// `up` is 0 for the row entered, 1 and 2 for those above.
    #[inline(always)]
    fn slot(&self, channel: usize, up: usize) -> usize {
        self.thirds[up] * self.channels + channel
    }

    /// All magnitude rows and rings; `start` and `ring_start` say where a row begins in it.
    pub fn magnitudes(&self) -> &[i16] {
        &self.magnitudes
    }

    /// All value rows; `start` says where a row begins in it.
    pub fn values(&self) -> &[i16] {
        &self.values
    }

    /// Index of column 0.
    pub fn start(&self, channel: usize, up: usize) -> usize {
        self.slot(channel, up) * self.stride + PAD
    }

    /// Index of column 0 of a ring, or `None` when the ring is all zero.
    pub fn ring_start(&self, channel: usize) -> Option<usize> {
        self.ring_nonzero[channel].then(|| (3 * self.channels + channel) * self.stride + PAD)
    }

    /// What is not zero in a row, by column; `None` where that is more than one symbol in `LISTED_SHARE`.
    pub fn seen(&self, channel: usize, up: usize) -> Option<&[Seen]> {
        let slot = self.slot(channel, up);
        let (count, most) = (self.counts[slot], self.width / LISTED_SHARE);
        (count <= most).then(|| &self.seen[slot * most..][..count])
    }

    /// Stores the row entered of one channel.
    pub fn store(&mut self, channel: usize, symbols: &[i16]) {
        let slot = self.slot(channel, 0);
        let start = slot * self.stride + PAD;
        let values = &mut self.values[start..start + self.width];
        let magnitudes = &mut self.magnitudes[start..start + self.width];
        // Of 16 bits, so that as many are counted at once as are stored at once.
        let mut count = 0u16;
        for ((value, place), &symbol) in values.iter_mut().zip(magnitudes).zip(symbols) {
            *value = limited(symbol);
            *place = magnitude(*value);
            count += u16::from(symbol != 0);
        }
        self.counts[slot] = usize::from(count);
        if self.counts[slot] <= self.width / LISTED_SHARE {
            self.list(slot, symbols);
        }
    }

    /// Makes the list of a row.
    fn list(&mut self, slot: usize, symbols: &[i16]) {
        let most = self.width / LISTED_SHARE;
        let seen = &mut self.seen[slot * most..][..most];
        let mut count = 0;
        // Within a group that is not all zero there is no branch: it could not be foreseen.
        let mut note = |column: usize, symbol: i16| {
            if let Some(place) = seen.get_mut(count) {
                *place = Seen {
                    column: column as u16,
                    value: limited(symbol),
                };
            }
            count += usize::from(symbol != 0);
        };
        let (groups, rest) = symbols.as_chunks::<GROUP>();
        for (index, group) in groups.iter().enumerate() {
            if group.iter().fold(0, |any, &symbol| any | symbol) != 0 {
                for (place, &symbol) in group.iter().enumerate() {
                    note(index * GROUP + place, symbol);
                }
            }
        }
        for (place, &symbol) in rest.iter().enumerate() {
            note(groups.len() * GROUP + place, symbol);
        }
    }

    /// Sums the ring of a channel whose rows, the one entered and the one above, are stored.
    pub fn sum_ring(&mut self, channel: usize) {
        let (here, above) = (self.slot(channel, 0), self.slot(channel, 1));
        self.ring_nonzero[channel] = self.counts[here] + self.counts[above] > 0;
        if !self.ring_nonzero[channel] {
            return;
        }
        let padded = self.padded_width();
        let (rows, rings) = self
            .magnitudes
            .split_at_mut(3 * self.channels * self.stride);
        let here = &rows[here * self.stride..][..self.stride];
        let above = &rows[above * self.stride..][..self.stride];
        let ring = &mut rings[channel * self.stride + PAD..][..padded];
        let taps = [
            &here[PAD - 1..][..padded],
            &here[PAD + 1..][..padded],
            &above[PAD - 1..][..padded],
            &above[PAD..][..padded],
            &above[PAD + 1..][..padded],
        ];
        for (x, sum) in ring.iter_mut().enumerate() {
            *sum = taps[0][x] + taps[1][x] + taps[2][x] + taps[3][x] + taps[4][x];
        }
    }
}
