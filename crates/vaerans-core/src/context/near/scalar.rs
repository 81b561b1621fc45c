//! The count written out.

use super::NEAR;

/// How many of the starts but the first, which rise, are not above `slot`, which is below 2^15.
pub fn reached(starts: &[i16; NEAR + 1], slot: i16) -> usize {
    let reached = |&start: &i16| u16::from(start <= slot);
    usize::from(starts[1..].iter().map(reached).sum::<u16>())
}
