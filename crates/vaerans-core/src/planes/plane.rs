//! Samples of a band, one component after the other, with a border so that neighbours need no special case.

use crate::memory::filled;
use crate::Error;

/// Samples on either side of a row, and rows above the first and below the last.
pub const BORDER: usize = 4;

/// Types that samples are handed over in, and what they may hold.
pub trait Sample: Copy {
    /// Code of the type in a band.
    const CODE: u8;
    const MIN: i32;
    const MAX: i32;
    /// Bytes of a sample that is stored as it is.
    const RAW_BYTES: usize;
    fn widen(self) -> i32;
    /// `value` is within MIN and MAX.
    fn narrow(value: i32) -> Self;
}

macro_rules! samples {
    ($($type:ty: $code:expr, $min:expr, $max:expr, $bytes:expr;)*) => {$(
        impl Sample for $type {
            const CODE: u8 = $code;
            const MIN: i32 = $min;
            const MAX: i32 = $max;
            const RAW_BYTES: usize = $bytes;
            fn widen(self) -> i32 {
                self as i32
            }
            fn narrow(value: i32) -> Self {
                value as $type
            }
        }
    )*};
}
// Differences of 8-bit and of 16-bit samples have one bit more than a power of two of bytes.
samples! {
    u8: 0, 0, 255, 1;
    u16: 1, 0, 65_535, 2;
    i16: 2, -255, 255, 2;
    i32: 3, -65_535, 65_535, 3;
}

/// One component of a band.
pub struct Plane {
    data: Vec<i32>,
    width: usize,
    rows: usize,
    stride: usize,
}

impl Plane {
    pub fn new(width: usize, rows: usize) -> Result<Self, Error> {
        let stride = width + 2 * BORDER;
        let length = stride * (rows + 2 * BORDER);
        Ok(Plane {
            data: filled(length, 0)?,
            width,
            rows,
            stride,
        })
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Index of a sample in `data`.
    pub fn at(&self, x: usize, row: usize) -> usize {
        (row + BORDER) * self.stride + BORDER + x
    }

    pub fn row(&self, row: usize) -> &[i32] {
        let start = self.at(0, row);
        &self.data[start..start + self.width]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [i32] {
        let start = self.at(0, row);
        &mut self.data[start..start + self.width]
    }

    pub fn data(&self) -> &[i32] {
        &self.data
    }

    pub fn data_mut(&mut self) -> &mut [i32] {
        &mut self.data
    }

    /// Makes the border left of a row that is about to be coded: the sample above its first one.
    pub fn open_row(&mut self, row: usize) {
        let start = self.at(0, row);
        let above = self.data[start - self.stride];
        self.data[start - BORDER..start].fill(above);
    }

    /// Makes the border right of a row that is complete: its last sample.
    pub fn close_row(&mut self, row: usize) {
        let end = self.at(0, row) + self.width;
        let last = self.data[end - 1];
        self.data[end..end + BORDER].fill(last);
    }

    /// Continues the sample left of index `i`, in the first row, up and to the right into the border.
    pub fn extend_up(&mut self, i: usize) {
        let value = self.data[i - 1];
        for row in 1..BORDER {
            let above = i - row * self.stride;
            self.data[above..above + 3].fill(value);
        }
    }

    /// Makes the row below the last, once that is complete: a copy.
    pub fn close(&mut self) {
        let start = self.at(0, self.rows) - BORDER;
        self.data.copy_within(start - self.stride..start, start);
    }
}
