//! The table fitter: from training symbols to the model's file. It may use floating point: what it makes are integers in
//! a file.

mod learning;
pub mod lengths;
mod planes;
pub mod run;
pub mod tables;
pub mod train;
pub mod walk;
pub mod weights;

use super::model::GridModel;
use super::tables::TableSet;
use weights::FloatWeights;

/// A grid's model of these weights, which does not adapt yet and holds a channel's being alive for as likely as not.
pub fn assemble(weights: &[FloatWeights], sets: Vec<TableSet>) -> GridModel {
    let bases: Vec<Vec<u32>> = weights.iter().map(FloatWeights::quantised_bases).collect();
    let knots = weights.first().map_or(0, |channel| channel.bases.len());
    GridModel {
        channels: weights
            .iter()
            .map(|channel| channel.quantise(weights.len()))
            .collect(),
        coarse_channels: weights
            .first()
            .map_or(0, |channel| channel.coarse_values.len()),
        bases: (0..knots)
            .map(|knot| bases.iter().map(|channel| channel[knot]).collect())
            .collect(),
        chances: vec![vec![128; weights.len()]; knots],
        net: None,
        adapts: false,
        learning: Vec::new(),
        sets,
    }
}
