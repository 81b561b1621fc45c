//! Rows, one at a time.

use super::lift::{Filter, Signals, Weights};

/// Splits a row of at least 2 samples into low | high. `scratch` holds as many values as the row.
pub fn split_row<F: Filter>(row: &mut [f32], weights: Weights, scratch: &mut [f32]) {
    Signals::<1>::of_row(row).split::<F>(weights, scratch);
}

/// Takes [`split_row`] back; `weights` are those of the way back.
pub fn merge_row<F: Filter>(row: &mut [f32], weights: Weights, scratch: &mut [f32]) {
    Signals::<1>::of_row(row).merge::<F>(weights, scratch);
}
