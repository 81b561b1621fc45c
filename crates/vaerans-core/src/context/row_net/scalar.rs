//! The second layer's sums, unit by unit.

use super::{FIRST, SECOND};

/// Products of each row of weights with the values, summed.
pub fn products(weights: &[[i16; FIRST]; SECOND], values: &[i16; FIRST]) -> [i32; SECOND] {
    weights.each_ref().map(|row| {
        let pairs = row.iter().zip(values);
        pairs.map(|(&w, &v)| i32::from(w) * i32::from(v)).sum()
    })
}
