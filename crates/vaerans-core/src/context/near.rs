//! The first cells of a table, which nearly all symbols are of, found without a branch.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::reached;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::reached;

/// Indices below this are found here: two vectors of starts.
const NEAR: usize = 16;

/// In a line of cache of its own.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Near {
    /// Of the intervals, then the end of the last, then numbers above every slot.
    starts: [i16; NEAR + 1],
    /// Indices that are found.
    count: u16,
}

impl Near {
    /// `starts` begin with 0, rise and end with 2^14; the last interval is not one of a cell.
    pub fn new(starts: &[u16]) -> Self {
        let mut near = [i16::MAX; NEAR + 1];
        for (to, &start) in near.iter_mut().zip(starts) {
            *to = start as i16;
        }
        Self {
            starts: near,
            count: NEAR.min(starts.len() - 2) as u16,
        }
    }

    /// One that finds nothing.
    pub fn none() -> Self {
        Self {
            starts: [i16::MAX; NEAR + 1],
            count: 0,
        }
    }

    /// Index, start and frequency of the interval that holds `slot`, if it is one of the first cells.
    #[inline(always)]
    pub fn find(&self, slot: u32) -> Option<(usize, u32, u32)> {
        let index = reached(&self.starts, slot as i16);
        if index >= usize::from(self.count) {
            return None;
        }
        let [start, end] = [index, index + 1].map(|at| self.starts[at] as u32);
        Some((index, start, end - start))
    }
}
