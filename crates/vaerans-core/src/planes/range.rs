//! The bare coder: binary arithmetic coding of bits with 16-bit probabilities.
//!
//! The interval [low, high] of 32 bits is split in proportion; bytes that both ends agree on leave. At the end the
//! fewest bytes are written that name a value of the interval, zeros after them understood. The decoder keeps the same
//! interval, so it knows what those last bytes have to be and where the stream has to end; sixteen known bits before
//! them catch what else was damaged. Only streams that the encoder can write pass [`Decoder::finish`].

use crate::Error;

/// Probabilities are multiples of 2^-16.
pub const SCALE_BITS: u32 = 16;
/// The largest probability; the smallest is 1.
pub const PROBABILITY_MAX: u32 = (1 << SCALE_BITS) - 1;

/// Bits after the last, each as likely as not: damage that went unnoticed so far shows in them.
const END: u32 = 0x9d27;
const END_BITS: u32 = 16;

/// Either direction of the coder, so that a model is written once for both.
pub trait BitCoder {
    /// Whether `code` returns what it was given.
    const ENCODES: bool;
    /// Codes one bit that is 1 with probability `p` / 2^16, 1 to 65535. A decoder ignores `bit` and returns the coded
    /// one.
    fn code(&mut self, p: u32, bit: bool) -> bool;
    /// Whether going on is pointless: the output is full, or the input has ended.
    fn has_failed(&self) -> bool;
}

/// The highest value of the lower part, where the bit is 1.
#[inline(always)]
fn split(low: u32, high: u32, p: u32) -> u32 {
    low + ((u64::from(high - low) * u64::from(p)) >> SCALE_BITS) as u32
}

/// The value of [low, high] with most zero bytes at its end, and how many bytes come before those.
fn shortest(low: u32, high: u32) -> (u32, usize) {
    for length in 0..4 {
        let mask = u32::MAX.checked_shr(8 * length).unwrap_or(0);
        let value = low.checked_add(mask).map(|sum| sum & !mask);
        if let Some(value) = value.filter(|&value| value <= high) {
            return (value, length as usize);
        }
    }
    (low, 4)
}

pub struct Encoder<'a> {
    low: u32,
    high: u32,
    destination: &'a mut [u8],
    /// May pass the end of `destination`, where nothing is written any more.
    length: usize,
}

impl<'a> Encoder<'a> {
    pub fn new(destination: &'a mut [u8]) -> Self {
        Encoder {
            low: 0,
            high: u32::MAX,
            destination,
            length: 0,
        }
    }

    fn put(&mut self, byte: u8) {
        if let Some(slot) = self.destination.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
    }

    /// Ends the stream; its length in bytes, or `None` when it did not fit.
    pub fn finish(mut self) -> Option<usize> {
        for place in 0..END_BITS {
            self.code(1 << (SCALE_BITS - 1), END >> place & 1 == 1);
        }
        let (value, count) = shortest(self.low, self.high);
        for &byte in &value.to_be_bytes()[..count] {
            self.put(byte);
        }
        (!self.has_failed()).then_some(self.length)
    }
}

impl BitCoder for Encoder<'_> {
    const ENCODES: bool = true;

    #[inline(always)]
    fn code(&mut self, p: u32, bit: bool) -> bool {
        let middle = split(self.low, self.high, p);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.put((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 255;
        }
        bit
    }

    fn has_failed(&self) -> bool {
        self.length > self.destination.len()
    }
}

pub struct Decoder<'a> {
    low: u32,
    high: u32,
    value: u32,
    bytes: &'a [u8],
    /// Bytes that went into `value`, those after the end of `bytes` included.
    position: usize,
}

impl<'a> Decoder<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Decoder {
            low: 0,
            high: u32::MAX,
            value: 0,
            bytes,
            position: 0,
        };
        for _ in 0..4 {
            decoder.take();
        }
        decoder
    }

    #[inline(always)]
    fn take(&mut self) {
        let byte = self.bytes.get(self.position).copied().unwrap_or(0);
        self.value = self.value << 8 | u32::from(byte);
        self.position += 1;
    }

    /// Checks that the stream ends here, as the encoder would have ended it.
    pub fn finish(mut self) -> Result<(), Error> {
        let has_end = (0..END_BITS)
            .all(|place| self.code(1 << (SCALE_BITS - 1), false) == (END >> place & 1 == 1));
        let (value, count) = shortest(self.low, self.high);
        if has_end && value == self.value && self.position - 4 + count == self.bytes.len() {
            Ok(())
        } else {
            Err(Error::Corrupt {
                what: "a band that ends with its last sample",
            })
        }
    }
}

impl BitCoder for Decoder<'_> {
    const ENCODES: bool = false;

    #[inline(always)]
    fn code(&mut self, p: u32, _bit: bool) -> bool {
        let middle = split(self.low, self.high, p);
        let bit = self.value <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 255;
            self.take();
        }
        bit
    }

    fn has_failed(&self) -> bool {
        self.position > self.bytes.len() + 4
    }
}
