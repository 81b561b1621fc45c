//! Squared differences, one at a time.

/// Their sum over at most 32768 samples: 255² times that stays below 2^31, and 32 bits are what vectorises.
pub fn squared_error(a: &[u8], b: &[u8]) -> u32 {
    let mut sum = 0u32;
    for (&a, &b) in a.iter().zip(b) {
        let difference = i32::from(a) - i32::from(b);
        sum += (difference * difference) as u32;
    }
    sum
}
