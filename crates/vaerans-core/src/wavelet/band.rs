//! One level of a band with at least two rows and two columns: rows and columns in one sweep, two rows at a time, so that
//! the band goes through the cache once. What a step needs of the rows before it stays in rows of blocks. At the lower
//! edge a step is given rows that mirror those it lacks.

use super::columns;
use super::halves::{HalfRow, HalfRowMut};
use super::lift::Filter;
use super::quad::store;
use super::rows::{
    blocks, blocks_mut, first_block, merge_row, split_row, Block, Halves, Merger, RowEnd, Splitter,
    BLOCK, NO_BLOCK,
};
use crate::image::Size;

/// Blocks of scratch for a band of this size: the half of its rows that waits, and three rows. Saturates.
pub fn scratch_blocks(size: Size) -> usize {
    let rows = size.height.div_ceil(2).saturating_add(3);
    size.width.div_ceil(BLOCK).saturating_mul(rows)
}

/// The top left corner of a plane whose rows lie `stride` apart.
pub struct Band<'a> {
    pub plane: &'a mut [f32],
    pub stride: usize,
    pub size: Size,
}

impl Band<'_> {
    /// Low rows to the front, where what they are made of has been read; high ones wait in `scratch`.
    pub fn split<F: Filter>(&mut self, scratch: &mut [Block]) {
        let Size { width, height } = self.size;
        let stride = self.stride;
        let (low_count, high_count) = (height.div_ceil(2), height / 2);
        let row_blocks = width.div_ceil(BLOCK);
        let (evens, rest) = scratch.split_at_mut(row_blocks);
        let (spare, waiting) = rest.split_at_mut(row_blocks);
        let first = &self.plane[..width];
        split_row::<F>(first, evens);
        if height == 2 {
            // It is written over when its mirror image is needed.
            spare.as_flattened_mut().as_flattened_mut()[..width].copy_from_slice(first);
        }
        for i in 0..high_count {
            let (befores, highs) = waiting.split_at_mut(i * row_blocks);
            let highs = &mut highs[..row_blocks];
            let (written, sources) = self.plane.split_at_mut((2 * i + 1) * stride);
            let (target, written) = written[i * stride..].split_at_mut(width);
            let odd = &sources[..width];
            let next = if 2 * i + 2 < height {
                &sources[stride..][..width]
            } else if i > 0 {
                &written[i * stride - width..][..width]
            } else {
                &spare.as_flattened().as_flattened()[..width]
            };
            let target = HalfRowMut::new(target);
            match befores.rchunks_exact(row_blocks).next() {
                Some(before) => {
                    split_two_rows::<F, false>([odd, next], before, evens, highs, target);
                }
                None => split_two_rows::<F, true>([odd, next], spare, evens, highs, target),
            }
        }
        if low_count > high_count {
            spare.fill(NO_BLOCK);
            let last = match F::BOTH_SIDES {
                true => &waiting[(high_count - 1) * row_blocks..][..row_blocks],
                false => &*spare,
            };
            for (even, high) in evens.iter_mut().zip(last) {
                let high = Halves::load(high);
                columns::low::<F>(Halves::load(even), high, high).store(even);
            }
            HalfRowMut::new(&mut self.plane[high_count * stride..][..width]).write(evens);
        }
        let rows = self.plane[low_count * stride..].chunks_mut(stride);
        for (row, high) in rows.zip(waiting.chunks_exact(row_blocks)).take(high_count) {
            HalfRowMut::new(&mut row[..width]).write(high);
        }
    }

    /// Takes [`Band::split`] back. Here the low rows wait; what is written never reaches the high ones still to be read.
    pub fn merge<F: Filter>(&mut self, scratch: &mut [Block]) {
        let Size { width, height } = self.size;
        let stride = self.stride;
        let (low_count, high_count) = (height.div_ceil(2), height / 2);
        let row_blocks = width.div_ceil(BLOCK);
        let (evens, rest) = scratch.split_at_mut(row_blocks);
        let (befores, rest) = rest.split_at_mut(row_blocks);
        let (spare, lows) = rest.split_at_mut(row_blocks);
        let rows = self.plane.chunks(stride);
        for (row, low) in rows.zip(lows.chunks_exact_mut(row_blocks)).take(low_count) {
            HalfRow::new(&row[..width]).read::<F>(low);
        }
        HalfRow::new(&self.plane[low_count * stride..][..width]).read::<F>(befores);
        for ((even, low), high) in evens.iter_mut().zip(&*lows).zip(&*befores) {
            let [low, high] = [low, high].map(Halves::load);
            columns::even::<F>(low, high, high).store(even);
        }
        // The high row after the last one: what stands there is not yet written over.
        let spare = &mut spare.as_flattened_mut().as_flattened_mut()[..width];
        let mirrored = match (low_count > high_count, F::BOTH_SIDES) {
            (true, true) => Some(high_count - 1),
            (true, false) => None,
            (false, _) => Some(high_count.saturating_sub(2)),
        };
        match mirrored {
            Some(i) => spare.copy_from_slice(&self.plane[(low_count + i) * stride..][..width]),
            None => spare.fill(0.0),
        }
        for i in 0..high_count {
            let (targets, sources) = self.plane.split_at_mut((2 * i + 2) * stride);
            let (even_row, odd_row) = targets[2 * i * stride..].split_at_mut(stride);
            let low_at = (i + 1).min(low_count - 1);
            let high = if i + 1 < high_count {
                &sources[(low_count - i - 1) * stride..][..width]
            } else {
                &*spare
            };
            merge_two_rows::<F>(
                &lows[low_at * row_blocks..][..row_blocks],
                HalfRow::new(high),
                evens,
                befores,
                [&mut even_row[..width], &mut odd_row[..width]],
            );
        }
        if low_count > high_count {
            merge_row::<F>(evens, &mut self.plane[(height - 1) * stride..][..width]);
        }
    }
}

/// An odd row and the even one after it: gives the high row between two even ones and the low row above it, and leaves
/// the halves of the even row in `evens`. `before` is the high row before, unless there is none.
#[inline(always)]
fn split_two_rows<F: Filter, const IS_FIRST: bool>(
    rows: [&[f32]; 2],
    before: &[Block],
    evens: &mut [Block],
    highs: &mut [Block],
    mut target: HalfRowMut,
) {
    let column = |[odd, next]: [Halves; 2], before: &Block, even: &mut Block, high: &mut Block| {
        let even_halves = Halves::load(even);
        let high_halves = columns::high::<F>(odd, even_halves, next);
        let before = match IS_FIRST {
            true => high_halves,
            false => Halves::load(before),
        };
        high_halves.store(high);
        next.store(even);
        columns::low::<F>(even_halves, before, high_halves)
    };
    let ends = [RowEnd::of::<F>(rows[0]), RowEnd::of::<F>(rows[1])];
    let [odds, nexts] = [blocks(rows[0]), blocks(rows[1])];
    let mut odd = Splitter::new::<F>(first_block(rows[0], &ends[0]));
    let mut next = Splitter::new::<F>(first_block(rows[1], &ends[1]));
    let whole = odds.len();
    let sources = match (odds.split_first(), nexts.split_first()) {
        (Some((_, odds)), Some((_, nexts))) => odds.iter().zip(nexts),
        _ => [].iter().zip(&[]),
    };
    let columns = before.iter().zip(&mut *evens).zip(&mut *highs);
    for (((odd_block, next_block), ((before, even), high)), (left, right)) in
        sources.zip(columns).zip(target.whole())
    {
        let halves = [odd.push::<F>(odd_block), next.push::<F>(next_block)];
        let low = column(halves, before, even, high);
        store(left, low.low);
        store(right, low.high);
    }
    let mut at = whole.saturating_sub(1);
    if let [Some(odd_end), Some(next_end)] = &ends {
        if whole > 0 {
            let halves = [
                odd.push::<F>(&odd_end.block),
                next.push::<F>(&next_end.block),
            ];
            target.write_block(
                at,
                column(halves, &before[at], &mut evens[at], &mut highs[at]),
            );
        }
        at = whole;
    }
    let halves = [odd.finish::<F>(&ends[0]), next.finish::<F>(&ends[1])];
    target.write_block(
        at,
        column(halves, &before[at], &mut evens[at], &mut highs[at]),
    );
}

/// Writes two rows, an even and an odd one. `low` and `high` are the halves of the row after them, `befores` and `evens`
/// the high halves of the odd one and the even one itself, in whose place those of the next step are left.
#[inline(always)]
fn merge_two_rows<F: Filter>(
    low: &[Block],
    high: HalfRow,
    evens: &mut [Block],
    befores: &mut [Block],
    [even_row, odd_row]: [&mut [f32]; 2],
) {
    let column = |low: &Block, high: Halves, even: &mut Block, before: &mut Block| {
        let [low, even_halves, before_halves] = [low, &*even, &*before].map(Halves::load);
        let next = columns::even::<F>(low, before_halves, high);
        next.store(even);
        high.store(before);
        let odd = columns::odd::<F>(before_halves, even_halves, next);
        [even_halves, odd]
    };
    let end = high.end::<F>();
    let mut whole = high.whole();
    let last = whole.len();
    let mut columns = low.iter().zip(evens).zip(befores);
    let (Some(((low, even), before)), Some(high)) = (columns.next(), whole.next().or(end)) else {
        return;
    };
    let [even, odd] = column(low, high, even, before);
    let [mut evens, mut odds] = [Merger::new::<F>(even), Merger::new::<F>(odd)];
    let targets = blocks_mut(even_row).iter_mut().zip(blocks_mut(odd_row));
    for ((high, ((low, even), before)), (even_target, odd_target)) in
        whole.zip(&mut columns).zip(targets)
    {
        let [even, odd] = column(low, high, even, before);
        evens.push::<F>(even, even_target);
        odds.push::<F>(odd, odd_target);
    }
    if let (Some(high), Some(((low, even), before))) = (end, columns.next()) {
        let [even, odd] = column(low, high, even, before);
        evens.push::<F>(even, &mut blocks_mut(even_row)[last - 1]);
        odds.push::<F>(odd, &mut blocks_mut(odd_row)[last - 1]);
    }
    evens.finish::<F>(even_row);
    odds.finish::<F>(odd_row);
}
