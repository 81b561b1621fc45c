//! Fits a context model's file: `fit_context PRIOR GAINS LATENTS OUT [STEPS [KEPT]]`, all files little-endian.
//!
//! - PRIOR: for each latent grid, coarse to fine, u32 channels, u32 knots, then f32 arrays as `fit::weights::Prior` has
//!   them, in its order; or a context model, whose weights and network stay as they are
//! - GAINS: f32 natural logarithms [knot][channel of any grid]
//! - LATENTS: for each picture and each of its grids u32 channels, height, width, then f32 [channel][height][width]
//!
//! STEPS 0 keeps the prior's weights and fits tables only. KEPT weights are kept in every grid.

mod prior;

use std::error::Error;
use std::{env, fs};

use vaerans_core::context::fit::run::{Latent, Options, Training};
use vaerans_core::context::fit::weights::FloatWeights;
use vaerans_core::context::{ContextModel, GridModel};

use prior::PriorShape;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [prior, gains, latents, out, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fit_context PRIOR GAINS LATENTS OUT [STEPS [KEPT]]".into());
    };
    let start = Start::read(&fs::read(prior)?)?;
    let counts = start.channels();
    let log_gains = split_gains(&floats(&fs::read(gains)?), &counts);
    let latents = read_latents(&fs::read(latents)?, &counts)?;
    let mut options = Options::default();
    if let Some(steps) = rest.first() {
        options.steps = steps.parse()?;
    }
    if let Some(kept) = rest.get(1) {
        options.kept_weights = kept.parse()?;
    }
    let training_of = |index: usize| Training {
        log_gains: &log_gains[index],
        latents: &latents[index],
        coarse: None,
    };
    let coarsest = training_of(0);
    let mut grids = Vec::new();
    for index in 0..counts.len() {
        let training = Training {
            coarse: (index > 0).then_some(&coarsest),
            ..training_of(index)
        };
        let grid = match &start {
            Start::Model(model) => training.recount(&model.grids()[index], options.rates_per_set),
            Start::Weights(weights) => {
                training.fit(&weights[index], options, |pass, step, bits| {
                    eprintln!(
                        "grid {index} pass {pass} step {step}: {bits:.3} bits a latent sample"
                    );
                })
            }
        };
        grids.push(grid.map_err(|error| error.to_string())?);
    }
    let model = ContextModel::new(grids).map_err(|error| error.to_string())?;
    let bytes = model.to_bytes();
    eprintln!("{} pictures, {} bytes", latents[0].len(), bytes.len());
    fs::write(out, bytes)?;
    Ok(())
}

/// What a fit begins with.
enum Start {
    /// The weights of every grid.
    Weights(Vec<Vec<FloatWeights>>),
    Model(ContextModel),
}

impl Start {
    fn read(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        if bytes.starts_with(b"VCTX") {
            let model = ContextModel::parse(bytes).map_err(|error| error.to_string())?;
            Ok(Self::Model(model))
        } else {
            Ok(Self::Weights(read_priors(bytes)?))
        }
    }

    /// Of every grid.
    fn channels(&self) -> Vec<usize> {
        match self {
            Self::Weights(weights) => weights.iter().map(Vec::len).collect(),
            Self::Model(model) => model.grids().iter().map(GridModel::channels).collect(),
        }
    }
}

/// The weights of every grid.
fn read_priors(mut bytes: &[u8]) -> Result<Vec<Vec<FloatWeights>>, Box<dyn Error>> {
    let mut grids: Vec<Vec<FloatWeights>> = Vec::new();
    while grids.is_empty() || !bytes.is_empty() {
        let (head, tail) = bytes
            .split_at_checked(8)
            .ok_or("a prior begins with its sizes")?;
        let [channels, knots] = [0, 4].map(|at| u32_at(head, at) as usize);
        let shape = PriorShape {
            channels,
            knots,
            coarse_channels: grids.last().map_or(0, Vec::len),
        };
        let (arrays, after) = shape
            .length()
            .and_then(|length| tail.split_at_checked(4 * length))
            .ok_or("the prior's length does not suit its sizes")?;
        bytes = after;
        grids.extend(shape.weights(&floats(arrays)));
    }
    Ok(grids)
}

/// [knot][channel of any grid] to [grid], [knot][channel].
fn split_gains(log_gains: &[f32], counts: &[usize]) -> Vec<Vec<f32>> {
    let mut grids = vec![Vec::new(); counts.len()];
    for mut knot in log_gains.chunks_exact(counts.iter().sum()) {
        for (grid, &count) in grids.iter_mut().zip(counts) {
            let (own, others) = knot.split_at(count);
            grid.extend_from_slice(own);
            knot = others;
        }
    }
    grids
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let fours = bytes.chunks_exact(4);
    fours.map(|four| f32::from_bits(u32_at(four, 0))).collect()
}

/// [grid], [picture].
fn read_latents(mut bytes: &[u8], counts: &[usize]) -> Result<Vec<Vec<Latent>>, Box<dyn Error>> {
    let mut grids: Vec<Vec<Latent>> = counts.iter().map(|_| Vec::new()).collect();
    while !bytes.is_empty() {
        for (grid, &expected) in grids.iter_mut().zip(counts) {
            let (head, tail) = bytes
                .split_at_checked(12)
                .ok_or("a latent begins with its sizes")?;
            let [channels, height, width] = [0, 4, 8].map(|at| u32_at(head, at) as usize);
            if channels != expected {
                let found = format!("expected a latent of {expected} channels, got {channels}");
                return Err(found.into());
            }
            let (values, after) = tail
                .split_at_checked(4 * channels * height * width)
                .ok_or("a latent ends before its last sample")?;
            grid.push(Latent {
                width,
                height,
                values: floats(values),
            });
            bytes = after;
        }
    }
    Ok(grids)
}
