//! Pseudo-random numbers that are the same everywhere, also in TypeScript without big integers.

/// xorshift32, multiplied, top bits.
pub struct Noise(u32);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Noise(((seed ^ seed >> 32) as u32).wrapping_mul(0x85EB_CA6B) | 1)
    }

    /// 0 to `below` - 1.
    pub fn next(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0.wrapping_mul(0x9E37_79B1) >> 8) % below
    }
}
