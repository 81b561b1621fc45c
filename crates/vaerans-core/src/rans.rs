//! The bare coder: asymmetric numeral systems over a range of 2^14, with 32-bit states and 16-bit words.
//!
//! A state x stays in [2^16, 2^32). Coding an interval [start, start + size) of the 2^14 slots maps
//!
//! ```text
//! x -> (x / size) * 2^14 + x mod size + start
//! ```
//!
//! after moving the low 16 bits out as a word if the result would reach 2^32. Decoding reads the slot x mod 2^14, finds
//! the interval that holds it, and maps back, taking a word in when x falls below 2^16. The encoder runs over the
//! symbols from last to first and its words are read from last to first; any number of states (lanes) may share one
//! stream of words as long as both sides visit them in opposite order.
//!
//! Which interval belongs to which symbol is the business of the model above; where the words lie is that of
//! [`WordWriter`] and [`WordReader`].

/// Probabilities are multiples of 2^-14.
pub const SCALE_BITS: u32 = 14;

/// The sum of the sizes of all intervals of a table.
pub const SCALE: u32 = 1 << SCALE_BITS;

/// Bytes of a state at the start of a stream.
pub const STATE_BYTES: usize = 4;

/// Where an encoder begins and a decoder has to end.
const STATE_START: u32 = 1 << 16;

/// Most raw bits in one `put_bits` or `take_bits`.
pub const RAW_BITS_MAX: u32 = 16;

/// An interval of the slots with what makes the division by its size a multiplication.
///
/// With m = ceil(2^46 / size), x / size equals (x * m) >> 46: after renormalisation x < size * 2^18, and m * size exceeds
/// 2^46 by less than size, so the product exceeds x / size * 2^46 by less than size * 2^18, which is at most 2^46 / size.
/// For the same reason x * m < 2^64.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodeInterval {
    multiplier: u64,
    start: u32,
    size: u32,
}

/// Bits of `EncodeInterval`'s multiplier below one.
const MULTIPLIER_BITS: u32 = 46;

impl EncodeInterval {
    /// `size` is 1 to 2^14 and `start + size` at most 2^14; anything else is brought into range, which codes nonsense
    /// but harms nothing.
    pub fn new(start: u32, size: u32) -> Self {
        let start = start.min(SCALE - 1);
        let size = size.clamp(1, SCALE - start);
        EncodeInterval {
            multiplier: (1u64 << MULTIPLIER_BITS).div_ceil(u64::from(size)),
            start,
            size,
        }
    }

    /// Whether the result would reach 2^32.
    #[inline(always)]
    fn fills(&self, x: u32) -> bool {
        // size = 2^14 makes the limit 2^32, which no state reaches.
        x >> (32 - SCALE_BITS) >= self.size
    }

    #[inline(always)]
    fn next_state(&self, x: u32) -> u32 {
        let quotient = ((u64::from(x) * self.multiplier) >> MULTIPLIER_BITS) as u32;
        x + self.start + quotient * (SCALE - self.size)
    }

    /// Whether this is no interval but the default.
    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.size == 0
    }
}

/// One lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(u32);

impl State {
    /// Where encoding begins.
    pub const START: State = State(STATE_START);

    pub fn from_bytes(bytes: [u8; STATE_BYTES]) -> Self {
        State(u32::from_le_bytes(bytes))
    }

    pub fn to_bytes(self) -> [u8; STATE_BYTES] {
        self.0.to_le_bytes()
    }

    /// Codes one interval.
    #[inline(always)]
    pub fn put(&mut self, interval: &EncodeInterval, words: &mut WordWriter) {
        let mut x = self.0;
        if interval.fills(x) {
            words.put(x as u16);
            x >>= 16;
        }
        self.0 = interval.next_state(x);
    }

    /// The same without a branch on whether a word moves out, for symbols of which many cost bits: nobody foresees it.
    #[inline(always)]
    pub fn put_steadily(&mut self, interval: &EncodeInterval, words: &mut WordWriter) {
        let (x, fills) = (self.0, interval.fills(self.0));
        words.put_if(fills, x as u16);
        self.0 = interval.next_state(if fills { x >> 16 } else { x });
    }

    /// Codes the low `count` bits of `value` (0 to 16), all equally likely.
    #[inline(always)]
    pub fn put_bits(&mut self, value: u32, count: u32, words: &mut WordWriter) {
        debug_assert!(count <= RAW_BITS_MAX && value >> count == 0);
        let mut x = self.0;
        if u64::from(x) >= 1u64 << (32 - count) {
            words.put(x as u16);
            x >>= 16;
        }
        self.0 = x << count | value;
    }

    /// The slot that the next symbol's interval holds.
    #[inline(always)]
    pub fn slot(self) -> u32 {
        self.0 & (SCALE - 1)
    }

    /// Removes the interval that holds the slot. Wraps on intervals that do not, which only hostile bytes could reach
    /// if the model above let them; nothing here indexes by the state.
    #[inline(always)]
    pub fn take(&mut self, start: u32, size: u32, words: &mut WordReader) {
        self.0 = refill(self.without(start, size), words);
    }

    /// The same without a branch on whether a word comes in, as `put_steadily`.
    #[inline(always)]
    pub fn take_steadily(&mut self, start: u32, size: u32, words: &mut WordReader) {
        let x = self.without(start, size);
        let is_small = x < STATE_START;
        let word = words.take_if(is_small);
        self.0 = if is_small {
            x << 16 | u32::from(word)
        } else {
            x
        };
    }

    #[inline(always)]
    fn without(self, start: u32, size: u32) -> u32 {
        (self.0 >> SCALE_BITS)
            .wrapping_mul(size)
            .wrapping_add(self.slot().wrapping_sub(start))
    }

    /// Removes `count` raw bits (0 to 16) and returns them.
    #[inline(always)]
    pub fn take_bits(&mut self, count: u32, words: &mut WordReader) -> u32 {
        debug_assert!(count <= RAW_BITS_MAX);
        let value = self.0 & ((1 << count) - 1);
        self.0 = refill(self.0 >> count, words);
        value
    }

    /// Whether a decoder is back where the encoder began: true for every undamaged stream.
    pub fn is_start(self) -> bool {
        self == State::START
    }
}

#[inline(always)]
fn refill(x: u32, words: &mut WordReader) -> u32 {
    if x < STATE_START {
        x << 16 | u32::from(words.take())
    } else {
        x
    }
}

/// Writes words towards the front of a buffer, so that a reader finds the last one first.
pub struct WordWriter<'a> {
    bytes: &'a mut [u8],
    start: usize,
    overflow: bool,
}

impl<'a> WordWriter<'a> {
    /// Begins at the end of `bytes`.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        let start = bytes.len();
        WordWriter {
            bytes,
            start,
            overflow: false,
        }
    }

    /// Adds a word in front; once there is no room, nothing more is written.
    #[inline(always)]
    pub fn put(&mut self, word: u16) {
        self.put_bytes(word.to_le_bytes());
    }

    /// Adds a word in front if `wanted`; what lies there is overwritten in any case.
    #[inline(always)]
    fn put_if(&mut self, wanted: bool, word: u16) {
        let room = self.start.checked_sub(2);
        match room.and_then(|start| Some((start, self.bytes.get_mut(start..start + 2)?))) {
            Some((start, target)) => {
                target.copy_from_slice(&word.to_le_bytes());
                self.start = if wanted { start } else { self.start };
            }
            None => self.overflow |= wanted,
        }
    }

    /// Adds bytes in front, for what follows the words in the encoder's order: the final states.
    #[inline(always)]
    pub fn put_bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        let room = self.start.checked_sub(N);
        match room.and_then(|start| Some((start, self.bytes.get_mut(start..start + N)?))) {
            Some((start, target)) if !self.overflow => {
                target.copy_from_slice(&bytes);
                self.start = start;
            }
            _ => self.overflow = true,
        }
    }

    /// Where the written bytes begin (they end with the buffer), or `None` when they did not fit.
    pub fn finish(self) -> Option<usize> {
        (!self.overflow).then_some(self.start)
    }
}

/// Reads words from the front of hostile bytes.
pub struct WordReader<'a> {
    bytes: &'a [u8],
    overread: bool,
}

impl<'a> WordReader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        WordReader {
            bytes,
            overread: false,
        }
    }

    /// The next word; after the last one 0 for ever, which `is_finished` remembers.
    #[inline(always)]
    pub fn take(&mut self) -> u16 {
        self.take_if(true)
    }

    /// The next word, which is gone only if `wanted`.
    #[inline(always)]
    fn take_if(&mut self, wanted: bool) -> u16 {
        match self.bytes.split_first_chunk() {
            Some((&word, rest)) => {
                self.bytes = if wanted { rest } else { self.bytes };
                u16::from_le_bytes(word)
            }
            None => {
                self.overread |= wanted;
                0
            }
        }
    }

    /// Whether every byte was read and none beyond.
    pub fn is_finished(&self) -> bool {
        self.bytes.is_empty() && !self.overread
    }

    /// Whether more words were asked for than there are: decoding may stop early.
    pub fn is_overread(&self) -> bool {
        self.overread
    }
}
