//! Rows, four samples of each half at a time: what shuffles can do and a loop over every other sample cannot. Each value
//! takes the same steps as in `scalar`, so both give the same bits.
//!
//! No load or store here needs a pointer: the compiler makes one instruction of four neighbouring samples.

use core::arch::wasm32::{
    f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, i32x4_shuffle, v128,
};
use std::cell::Cell;

use super::lift::{lift, Filter, Signals, Weights};

/// Four samples.
type Quad = [Cell<f32>; 4];

/// Rows below this many samples are left to the loop.
const WIDTH_MIN: usize = 16;

#[inline(always)]
fn load(quad: &Quad) -> v128 {
    f32x4(quad[0].get(), quad[1].get(), quad[2].get(), quad[3].get())
}

#[inline(always)]
fn store(quad: &Quad, values: v128) {
    quad[0].set(f32x4_extract_lane::<0>(values));
    quad[1].set(f32x4_extract_lane::<1>(values));
    quad[2].set(f32x4_extract_lane::<2>(values));
    quad[3].set(f32x4_extract_lane::<3>(values));
}

/// [`lift`] of four values.
#[inline(always)]
fn lift4<F: Filter>(value: v128, factor: f32, own: v128, other: v128) -> v128 {
    let sum = if F::BOTH_SIDES {
        f32x4_add(own, other)
    } else {
        own
    };
    f32x4_add(value, f32x4_mul(f32x4_splat(factor), sum))
}

#[inline(always)]
fn cells(values: &mut [f32]) -> &[Cell<f32>] {
    Cell::from_mut(values).as_slice_of_cells()
}

/// The same as `scalar::split_row`.
pub fn split_row<F: Filter>(row: &mut [f32], weights: Weights, scratch: &mut [f32]) {
    if row.len() < WIDTH_MIN {
        return Signals::<1>::of_row(row).split::<F>(weights, scratch);
    }
    let samples = cells(row);
    let [first, rest @ ..] = blocks(samples) else {
        return;
    };
    let (mut even, mut odd) = deinterleave(first);
    let [a, b, c] = [&samples[0], &samples[1], &samples[2]].map(Cell::get);
    let mut before = f32x4_splat(lift::<F>(b, F::PREDICT, a, c));
    // A block is finished once the first even sample of the next one is known. Low values land where samples were read.
    let targets = samples
        .as_chunks()
        .0
        .iter()
        .zip(cells(scratch).as_chunks().0);
    for (block, (low_target, high_target)) in rest.iter().zip(targets) {
        let (next_even, next_odd) = deinterleave(block);
        let next = i32x4_shuffle::<1, 2, 3, 4>(even, next_even);
        let high = lift4::<F>(odd, F::PREDICT, even, next);
        let left = i32x4_shuffle::<3, 4, 5, 6>(before, high);
        let low = lift4::<F>(even, F::UPDATE, high, left);
        store(low_target, f32x4_mul(low, f32x4_splat(weights.low)));
        store(high_target, f32x4_mul(high, f32x4_splat(weights.high)));
        before = high;
        even = next_even;
        odd = next_odd;
    }
    let done = 4 * rest.len();
    let before = [f32x4_extract_lane::<3>(before)];
    Signals::<1>::of_row(row).split_from::<F>(done, before, weights, scratch);
}

/// The same as `scalar::merge_row`.
pub fn merge_row<F: Filter>(row: &mut [f32], weights: Weights, scratch: &mut [f32]) {
    if row.len() < WIDTH_MIN {
        return Signals::<1>::of_row(row).merge::<F>(weights, scratch);
    }
    let (lows, highs) = row.split_at(row.len().div_ceil(2));
    for (waiting, low) in scratch.iter_mut().zip(lows) {
        *waiting = low * weights.low;
    }
    let edge = f32x4_splat(highs[0] * weights.high);
    let samples = cells(row);
    let lows = cells(scratch).as_chunks().0;
    let highs = samples[samples.len().div_ceil(2)..].as_chunks().0;
    let ([first_low, lows @ ..], [first_high, highs @ ..]) = (lows, highs) else {
        return;
    };
    let high_weight = f32x4_splat(weights.high);
    let mut high = f32x4_mul(load(first_high), high_weight);
    let left = i32x4_shuffle::<3, 4, 5, 6>(edge, high);
    let mut even = lift4::<F>(load(first_low), -F::UPDATE, high, left);
    // A block is finished once the first even sample of the next one is known.
    for ((low, next_high), target) in lows.iter().zip(highs).zip(blocks(samples)) {
        let next_high = f32x4_mul(load(next_high), high_weight);
        let left = i32x4_shuffle::<3, 4, 5, 6>(high, next_high);
        let next_even = lift4::<F>(load(low), -F::UPDATE, next_high, left);
        let next = i32x4_shuffle::<1, 2, 3, 4>(even, next_even);
        let odd = lift4::<F>(high, -F::PREDICT, even, next);
        store(&target[0], i32x4_shuffle::<0, 4, 1, 5>(even, odd));
        store(&target[1], i32x4_shuffle::<2, 6, 3, 7>(even, odd));
        even = next_even;
        high = next_high;
    }
    let done = 4 * highs.len();
    Signals::<1>::of_row(row).merge_from::<F>(done, weights, scratch);
}

/// Eight samples of the row, four pairs of an even and an odd one.
#[inline(always)]
fn blocks(samples: &[Cell<f32>]) -> &[[Quad; 2]] {
    samples.as_chunks().0.as_chunks().0
}

/// The even and the odd samples of a block.
#[inline(always)]
fn deinterleave([left, right]: &[Quad; 2]) -> (v128, v128) {
    let (left, right) = (load(left), load(right));
    (
        i32x4_shuffle::<0, 2, 4, 6>(left, right),
        i32x4_shuffle::<1, 3, 5, 7>(left, right),
    )
}
