//! The sum as it is.

use super::super::rows::BLOCK;
use super::DenseTerm;

/// Adds to each sum, of which there are whole blocks, the terms' samples of its column.
pub fn add_blocks(sums: &mut [i32], samples: &[i16], terms: &[DenseTerm]) {
    if terms.is_empty() {
        return;
    }
    for (index, block) in sums.chunks_exact_mut(BLOCK).enumerate() {
        let mut totals = [0i32; BLOCK];
        totals.copy_from_slice(block);
        for &(start, weight) in terms {
            let row = &samples[start + index * BLOCK..][..BLOCK];
            for (total, &sample) in totals.iter_mut().zip(row) {
                *total += i32::from(weight) * i32::from(sample);
            }
        }
        block.copy_from_slice(&totals);
    }
}
