//! Along the rows, eight samples at a time in registers: a block of samples goes in, four low and four high values come
//! out, and the way back. Both give a block once they have seen the next one.

use super::lift::{self, Filter};
use super::quad::{
    add, evens, first, interleave_first, interleave_last, last, left_of, load, mul, odds, right_of,
    splat, store, Quad,
};

/// Four low and four high values.
#[derive(Clone, Copy)]
pub struct Halves {
    pub low: Quad,
    pub high: Quad,
}

/// Eight samples of a row, or four low values and four high ones.
pub type Block = [[f32; 4]; 2];

/// Samples of a [`Block`].
pub const BLOCK: usize = 8;

/// Nothing but zeros.
pub const NO_BLOCK: Block = [[0.0; 4]; 2];

impl Halves {
    #[inline(always)]
    pub fn load([low, high]: &Block) -> Self {
        Halves {
            low: load(low),
            high: load(high),
        }
    }

    #[inline(always)]
    pub fn store(self, [low, high]: &mut Block) {
        store(low, self.low);
        store(high, self.high);
    }
}

/// [`lift::lift`] of four values.
#[inline(always)]
pub fn lift<F: Filter>(value: Quad, factor: f32, own: Quad, other: Quad) -> Quad {
    let sum = if F::BOTH_SIDES { add(own, other) } else { own };
    add(value, mul(splat(factor), sum))
}

/// The whole blocks of a row.
#[inline(always)]
pub fn blocks(row: &[f32]) -> &[Block] {
    row.as_chunks().0.as_chunks().0
}

#[inline(always)]
pub fn blocks_mut(row: &mut [f32]) -> &mut [Block] {
    row.as_chunks_mut().0.as_chunks_mut().0
}

/// The samples behind the whole blocks of a row of at least 2, and those that follow: beyond its end a row goes on as the
/// filter expects it there, mirrored at the last sample or repeating it.
pub struct RowEnd {
    pub block: Block,
    pub after: f32,
}

impl RowEnd {
    /// None for a row of whole blocks.
    #[inline(always)]
    pub fn of<F: Filter>(row: &[f32]) -> Option<Self> {
        let whole = row.len() / BLOCK * BLOCK;
        if whole == row.len() {
            return None;
        }
        let last = row.len() - 1;
        let at = |index: usize| match index {
            index if index <= last => row[index],
            index if F::BOTH_SIDES => {
                let within = index % (2 * last);
                row[within.min(2 * last - within)]
            }
            _ => row[last],
        };
        Some(RowEnd {
            block: std::array::from_fn(|half| std::array::from_fn(|i| at(whole + 4 * half + i))),
            after: at(whole + BLOCK),
        })
    }
}

/// The first block of a row, whole or not.
#[inline(always)]
pub fn first_block<'a>(row: &'a [f32], end: &'a Option<RowEnd>) -> &'a Block {
    match (blocks(row), end) {
        ([first, ..], _) => first,
        (_, Some(end)) => &end.block,
        _ => &NO_BLOCK,
    }
}

/// Samples to halves.
pub struct Splitter {
    even: Quad,
    odd: Quad,
    before: Quad,
}

impl Splitter {
    #[inline(always)]
    pub fn new<F: Filter>(first: &Block) -> Self {
        let [a, b, c, _] = first[0];
        let (even, odd) = apart(first);
        Splitter {
            even,
            odd,
            before: splat(lift::lift::<F>(b, F::PREDICT, a, c)),
        }
    }

    /// The halves of the block given before.
    #[inline(always)]
    pub fn push<F: Filter>(&mut self, block: &Block) -> Halves {
        let (even, odd) = apart(block);
        let halves = self.halves::<F>(even);
        self.even = even;
        self.odd = odd;
        halves
    }

    /// The halves of the last block, whose end is that of the row or is given.
    #[inline(always)]
    pub fn finish<F: Filter>(&mut self, end: &Option<RowEnd>) -> Halves {
        match end {
            Some(end) => self.halves::<F>(splat(end.after)),
            None => self.halves::<F>(last(self.even)),
        }
    }

    /// `after` begins with the sample after the block.
    #[inline(always)]
    fn halves<F: Filter>(&mut self, after: Quad) -> Halves {
        let next = right_of(self.even, after);
        let high = lift::<F>(self.odd, F::PREDICT, self.even, next);
        let left = left_of(self.before, high);
        let low = lift::<F>(self.even, F::UPDATE, high, left);
        self.before = high;
        Halves { low, high }
    }
}

/// All of a row of at least 2 samples.
pub fn split_row<F: Filter>(row: &[f32], halves: &mut [Block]) {
    let end = RowEnd::of::<F>(row);
    let mut splitter = Splitter::new::<F>(first_block(row, &end));
    let mut targets = halves.iter_mut();
    for (block, halves) in blocks(row).iter().skip(1).zip(&mut targets) {
        splitter.push::<F>(block).store(halves);
    }
    if let (Some(end), true) = (&end, row.len() > BLOCK) {
        for halves in targets.by_ref().take(1) {
            splitter.push::<F>(&end.block).store(halves);
        }
    }
    for halves in targets {
        splitter.finish::<F>(&end).store(halves);
    }
}

/// Halves to samples.
pub struct Merger {
    even: Quad,
    high: Quad,
}

impl Merger {
    #[inline(always)]
    pub fn new<F: Filter>(halves: Halves) -> Self {
        let left = left_of(first(halves.high), halves.high);
        Merger {
            even: lift::<F>(halves.low, -F::UPDATE, halves.high, left),
            high: halves.high,
        }
    }

    /// The samples of the halves given before.
    #[inline(always)]
    pub fn push<F: Filter>(&mut self, halves: Halves, target: &mut Block) {
        let left = left_of(self.high, halves.high);
        let even = lift::<F>(halves.low, -F::UPDATE, halves.high, left);
        self.write::<F>(right_of(self.even, even), target);
        self.even = even;
        self.high = halves.high;
    }

    /// The samples of the halves given last, which end `row`.
    #[inline(always)]
    pub fn finish<F: Filter>(&self, row: &mut [f32]) {
        // Mirrored at the last sample, what comes after an odd one is the even one before it.
        if let (0, [.., target]) = (row.len() % BLOCK, blocks_mut(row)) {
            return self.write::<F>(right_of(self.even, last(self.even)), target);
        }
        let whole = row.len() / BLOCK * BLOCK;
        let samples = &mut row[whole..];
        let mut even = [0.0; 4];
        store(&mut even, self.even);
        let next = std::array::from_fn(|i| even[(i + 1).min((samples.len() - 1) / 2)]);
        let mut block = NO_BLOCK;
        self.write::<F>(load(&next), &mut block);
        for (sample, value) in samples.iter_mut().zip(block.as_flattened()) {
            *sample = *value;
        }
    }

    #[inline(always)]
    fn write<F: Filter>(&self, next: Quad, target: &mut Block) {
        let odd = lift::<F>(self.high, -F::PREDICT, self.even, next);
        store(&mut target[0], interleave_first(self.even, odd));
        store(&mut target[1], interleave_last(self.even, odd));
    }
}

/// Takes [`split_row`] back.
pub fn merge_row<F: Filter>(halves: &[Block], row: &mut [f32]) {
    let mut sources = halves.iter().map(Halves::load);
    let Some(first) = sources.next() else { return };
    let mut merger = Merger::new::<F>(first);
    for (halves, target) in sources.zip(blocks_mut(row)) {
        merger.push::<F>(halves, target);
    }
    merger.finish::<F>(row);
}

/// The even and the odd samples of a block.
#[inline(always)]
fn apart(block: &Block) -> (Quad, Quad) {
    let (first, last) = (load(&block[0]), load(&block[1]));
    (evens(first, last), odds(first, last))
}
