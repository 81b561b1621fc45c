//! Fits a context model's file: `fit_context PRIOR GAINS LATENTS OUT [STEPS [KEPT]]`, all files little-endian.
//!
//! - PRIOR: u32 channels, u32 knots, then f32 arrays as `fit::weights::Prior` has them, in its order
//! - GAINS: f32 natural logarithms [knot][channel]
//! - LATENTS: for each picture u32 channels, height, width, then f32 [channel][height][width]
//!
//! STEPS 0 keeps the prior's weights and fits tables only.

use std::error::Error;
use std::{env, fs};

use vaerans_core::context::fit::run::{Latent, Options, Training};
use vaerans_core::context::fit::weights::Prior;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [prior, gains, latents, out, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fit_context PRIOR GAINS LATENTS OUT [STEPS [KEPT]]".into());
    };
    let prior = fs::read(prior)?;
    let (head, tail) = prior
        .split_at_checked(8)
        .ok_or("a prior begins with its sizes")?;
    let (channels, knots) = (u32_at(head, 0) as usize, u32_at(head, 4) as usize);
    let arrays = floats(tail);
    let lengths = [knots, 25, 25, channels, channels, channels].map(|n| n * channels);
    if arrays.len() != lengths.iter().sum::<usize>() || channels == 0 || knots < 2 {
        return Err("the prior's length does not suit its sizes".into());
    }
    let mut left = arrays.as_slice();
    let [log_bases, same, mean_same, here, ring, mean_here] = lengths.map(|length| {
        let (array, after) = left.split_at(length);
        left = after;
        array
    });
    let weights = Prior {
        channels,
        knots,
        log_bases,
        same,
        mean_same,
        here,
        ring,
        mean_here,
    }
    .to_weights();

    let log_gains = floats(&fs::read(gains)?);
    let latents = read_latents(&fs::read(latents)?, channels)?;
    let mut options = Options::default();
    if let Some(steps) = rest.first() {
        options.steps = steps.parse()?;
    }
    if let Some(kept) = rest.get(1) {
        options.kept_weights = kept.parse()?;
    }
    let training = Training {
        log_gains: &log_gains,
        latents: &latents,
    };
    let model = training
        .fit(&weights, options, |pass, step, bits| {
            eprintln!("pass {pass} step {step}: {bits:.3} bits a latent sample");
        })
        .map_err(|error| error.to_string())?;
    let bytes = model.to_bytes();
    eprintln!("{} pictures, {} bytes", latents.len(), bytes.len());
    fs::write(out, bytes)?;
    Ok(())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let fours = bytes.chunks_exact(4);
    fours.map(|four| f32::from_bits(u32_at(four, 0))).collect()
}

fn read_latents(mut bytes: &[u8], channels: usize) -> Result<Vec<Latent>, Box<dyn Error>> {
    let mut latents = Vec::new();
    while !bytes.is_empty() {
        let (head, tail) = bytes
            .split_at_checked(12)
            .ok_or("a latent begins with its sizes")?;
        let sizes = [0, 4, 8].map(|at| u32_at(head, at) as usize);
        let [own_channels, height, width] = sizes;
        if own_channels != channels {
            return Err(
                format!("expected latents of {channels} channels, got {own_channels}").into(),
            );
        }
        let (values, after) = tail
            .split_at_checked(4 * channels * height * width)
            .ok_or("a latent ends before its last sample")?;
        latents.push(Latent {
            width,
            height,
            values: floats(values),
        });
        bytes = after;
    }
    Ok(latents)
}
