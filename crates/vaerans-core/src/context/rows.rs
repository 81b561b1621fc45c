//! The rows a row of symbols looks at: this one and two above, of every channel, clipped and
//! padded with zeros, so that no tap needs a test for the edge.

use crate::Error;

/// Magnitudes count no further in the scale sums.
pub const MAGNITUDE_LIMIT: i16 = 24;
/// Values count no further in the mean sums.
pub const VALUE_LIMIT: i16 = 2047;
/// Columns of zeros left of a row; right of it there are at least as many.
pub const PAD: usize = 8;
/// Rows are a multiple of this long, so that loops over them have no remainder.
pub const BLOCK: usize = 16;

/// A symbol as its neighbours see it: magnitude and value.
#[inline(always)]
pub fn clipped(symbol: i16) -> (i32, i32) {
    let value = symbol.clamp(-VALUE_LIMIT, VALUE_LIMIT);
    (
        i32::from(value.abs().min(MAGNITUDE_LIMIT)),
        i32::from(value),
    )
}

/// One row of one channel: what its neighbours need of it.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    pub magnitudes: &'a [i16],
    pub values: &'a [i16],
    pub nonzero: bool,
}

pub struct Rows {
    channels: usize,
    width: usize,
    stride: usize,
    /// [row % 3][channel][stride]
    magnitudes: Vec<i16>,
    values: Vec<i16>,
    nonzero: Vec<bool>,
    /// Sum of the magnitudes west, east and at the three places above; [channel][stride]
    rings: Vec<i16>,
    ring_nonzero: Vec<bool>,
}

/// Memory that may not be there is asked for, not assumed.
pub fn zeros<T: Clone + Default>(length: usize) -> Result<Vec<T>, Error> {
    let mut vector = Vec::new();
    vector
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory)?;
    vector.resize(length, T::default());
    Ok(vector)
}

impl Rows {
    pub fn new(channels: usize, width: usize) -> Result<Self, Error> {
        let stride = width.div_ceil(BLOCK) * BLOCK + 2 * PAD;
        Ok(Self {
            channels,
            width,
            stride,
            magnitudes: zeros(3 * channels * stride)?,
            values: zeros(3 * channels * stride)?,
            nonzero: zeros(3 * channels)?,
            rings: zeros(channels * stride)?,
            ring_nonzero: zeros(channels)?,
        })
    }

    /// Columns of a sum row: `width` rounded up to whole blocks.
    pub fn padded_width(&self) -> usize {
        self.stride - 2 * PAD
    }

    fn slot(&self, channel: usize, row: usize) -> usize {
        (row % 3) * self.channels + channel
    }

    /// `row` counts from 2 for the band's first, so that two rows of zeros lie above it.
    pub fn view(&self, channel: usize, row: usize) -> RowView<'_> {
        let slot = self.slot(channel, row);
        let range = slot * self.stride..(slot + 1) * self.stride;
        RowView {
            magnitudes: &self.magnitudes[range.clone()],
            values: &self.values[range],
            nonzero: self.nonzero[slot],
        }
    }

    pub fn ring(&self, channel: usize) -> Option<&[i16]> {
        let range = channel * self.stride..(channel + 1) * self.stride;
        self.ring_nonzero[channel].then(|| &self.rings[range])
    }

    /// Stores a row of one channel.
    pub fn store(&mut self, channel: usize, row: usize, symbols: &[i16]) {
        let slot = self.slot(channel, row);
        let start = slot * self.stride + PAD;
        let magnitudes = &mut self.magnitudes[start..start + self.width];
        let values = &mut self.values[start..start + self.width];
        let mut any = 0;
        for ((magnitude, value), &symbol) in magnitudes.iter_mut().zip(values).zip(symbols) {
            *value = symbol.clamp(-VALUE_LIMIT, VALUE_LIMIT);
            *magnitude = value.abs().min(MAGNITUDE_LIMIT);
            any |= symbol;
        }
        self.nonzero[slot] = any != 0;
    }

    /// Stores a row of zeros.
    pub fn clear(&mut self, channel: usize, row: usize) {
        let slot = self.slot(channel, row);
        if self.nonzero[slot] {
            let range = slot * self.stride..(slot + 1) * self.stride;
            self.magnitudes[range.clone()].fill(0);
            self.values[range].fill(0);
            self.nonzero[slot] = false;
        }
    }

    /// Sums the ring of a channel whose rows `row` and `row - 1` are stored.
    pub fn sum_ring(&mut self, channel: usize, row: usize) {
        let (here, above) = (self.slot(channel, row), self.slot(channel, row - 1));
        self.ring_nonzero[channel] = self.nonzero[here] || self.nonzero[above];
        if !self.ring_nonzero[channel] {
            return;
        }
        let padded = self.padded_width();
        let here = &self.magnitudes[here * self.stride..][..self.stride];
        let above = &self.magnitudes[above * self.stride..][..self.stride];
        let ring = &mut self.rings[channel * self.stride + PAD..][..padded];
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
