//! Rows of a plane whose first part holds low values and whose rest holds high ones, as many or one less.

use super::lift::Filter;
use super::quad::{load, store};
use super::rows::{Block, Halves, NO_BLOCK};

pub struct HalfRow<'a> {
    low: &'a [f32],
    high: &'a [f32],
}

impl<'a> HalfRow<'a> {
    #[inline(always)]
    pub fn new(row: &'a [f32]) -> Self {
        let (low, high) = row.split_at(row.len().div_ceil(2));
        HalfRow { low, high }
    }

    /// Four of each, as long as there are.
    #[inline(always)]
    pub fn whole(&self) -> impl ExactSizeIterator<Item = Halves> + 'a {
        let (lows, highs) = (self.low.as_chunks().0, self.high.as_chunks().0);
        lows.iter().zip(highs).map(|(low, high)| Halves {
            low: load(low),
            high: load(high),
        })
    }

    /// What is left of both, if anything. Beyond the last high value goes on what a filter expects at an edge.
    #[inline(always)]
    pub fn end<F: Filter>(&self) -> Option<Halves> {
        let whole = self.high.len() / 4 * 4;
        if whole == self.low.len() {
            return None;
        }
        let after = match self.high.last() {
            Some(&high) if F::BOTH_SIDES => high,
            _ => 0.0,
        };
        let or = |side: &[f32], i: usize, other| side.get(whole + i).copied().unwrap_or(other);
        Some(Halves {
            low: load(&std::array::from_fn(|i| or(self.low, i, 0.0))),
            high: load(&std::array::from_fn(|i| or(self.high, i, after))),
        })
    }

    pub fn read<F: Filter>(&self, blocks: &mut [Block]) {
        let mut targets = blocks.iter_mut();
        for (halves, block) in self.whole().zip(&mut targets) {
            halves.store(block);
        }
        for (halves, block) in self.end::<F>().into_iter().zip(targets) {
            halves.store(block);
        }
    }
}

/// [`HalfRow`] to write to.
pub struct HalfRowMut<'a> {
    low: &'a mut [f32],
    high: &'a mut [f32],
}

impl<'a> HalfRowMut<'a> {
    #[inline(always)]
    pub fn new(row: &'a mut [f32]) -> Self {
        let (low, high) = row.split_at_mut(row.len().div_ceil(2));
        HalfRowMut { low, high }
    }

    /// Where four of each belong, as long as there are.
    #[inline(always)]
    pub fn whole(&mut self) -> impl ExactSizeIterator<Item = (&mut [f32; 4], &mut [f32; 4])> {
        let (lows, highs) = (self.low.as_chunks_mut().0, self.high.as_chunks_mut().0);
        lows.iter_mut().zip(highs)
    }

    /// Four of each, or fewer at the end.
    #[inline(always)]
    pub fn write_block(&mut self, index: usize, halves: Halves) {
        if let Some((low, high)) = self.whole().nth(index) {
            store(low, halves.low);
            return store(high, halves.high);
        }
        let mut block = NO_BLOCK;
        halves.store(&mut block);
        for (side, values) in [&mut *self.low, &mut *self.high].into_iter().zip(block) {
            for (target, value) in side[4 * index..].iter_mut().zip(values) {
                *target = value;
            }
        }
    }

    pub fn write(&mut self, blocks: &[Block]) {
        let mut sources = blocks.iter();
        for ((low, high), block) in self.whole().zip(&mut sources) {
            [*low, *high] = *block;
        }
        for block in sources {
            self.write_block(blocks.len() - 1, Halves::load(block));
        }
    }
}
