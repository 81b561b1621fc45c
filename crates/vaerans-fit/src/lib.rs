//! The table fitter (`vaerans_core::context::fit`) for whoever has no Rust: latents in, a context model's file out.
//!
//! One fit an instance, in this order: `fit_input` and `fit_begin`, `fit_input` and `fit_add_latent` for every picture,
//! `fit_run`, then `fit_output` and `fit_output_length`. `fit_input` gives the offset of a buffer of f32 that the caller
//! fills before the next call. Exports return 0, or a negative status.
#![forbid(unsafe_code)]

use std::cell::RefCell;

use vaerans_core::context::fit::run::{Latent, Options, Training};
use vaerans_core::context::fit::weights::FloatWeights;
use vaerans_core::context::ContextModel;
use vaerans_core::gains::{gains_at_rate, RATE_MAX};
use wasm_bindgen::prelude::wasm_bindgen;

/// What a model file may hold.
const CHANNELS_MAX: usize = 256;

const OK: i32 = 0;
/// An argument that does not suit what was given before.
const BAD_ARGUMENT: i32 = -1;
/// The fitter itself refused, which only sizes can make it do.
const NOT_FITTED: i32 = -2;

/// Knots of the bases.
const BASE_KNOTS: usize = 17;
/// Shares of a symbol's scale that its neighbours explain before anything is learned, in the order of the own taps:
/// two rows above, one row above, two to the left, next to it.
const START_TAPS: [f64; 10] = [0.0, 0.03, 0.0, 0.02, 0.07, 0.2, 0.07, 0.02, 0.03, 0.2];
/// What the neighbours above leave to the base.
const START_BASE: f64 = 0.36;

#[derive(Default)]
struct Fit {
    channels: usize,
    log_gains: Vec<f32>,
    input: Vec<f32>,
    latents: Vec<Latent>,
    output: Vec<u8>,
}

thread_local! {
    static FIT: RefCell<Fit> = RefCell::default();
}

fn with_fit(body: impl FnOnce(&mut Fit) -> Result<(), i32>) -> i32 {
    FIT.with_borrow_mut(|fit| body(fit).err().unwrap_or(OK))
}

/// Makes room for `length` numbers and returns where they go.
#[wasm_bindgen]
pub fn fit_input(length: u32) -> u32 {
    FIT.with_borrow_mut(|fit| {
        fit.input = vec![0.0; length as usize];
        fit.input.as_mut_ptr().expose_provenance() as u32
    })
}

/// Begins a fit. The input is the gains' natural logarithms, [knot][channel].
#[wasm_bindgen]
pub fn fit_begin(channels: u32) -> i32 {
    with_fit(|fit| {
        let channels = channels as usize;
        let length = fit.input.len();
        if !(1..=CHANNELS_MAX).contains(&channels)
            || length < 2 * channels
            || length % channels != 0
        {
            return Err(BAD_ARGUMENT);
        }
        *fit = Fit {
            channels,
            log_gains: std::mem::take(&mut fit.input),
            ..Fit::default()
        };
        Ok(())
    })
}

/// Adds a picture. The input is its latent, [channel][height][width].
#[wasm_bindgen]
pub fn fit_add_latent(width: u32, height: u32) -> i32 {
    with_fit(|fit| {
        let (width, height) = (width as usize, height as usize);
        if width == 0 || height == 0 || fit.input.len() != fit.channels * width * height {
            return Err(BAD_ARGUMENT);
        }
        fit.latents.push(Latent {
            width,
            height,
            values: std::mem::take(&mut fit.input),
        });
        Ok(())
    })
}

/// Fits; the arguments are those of `Options`.
#[wasm_bindgen]
pub fn fit_run(steps: u32, kept_weights: u32, sets: u32, rates_per_set: u32) -> i32 {
    with_fit(|fit| {
        if fit.latents.is_empty() || !(1..=16).contains(&sets) || rates_per_set == 0 {
            return Err(BAD_ARGUMENT);
        }
        let weights = start_weights(fit).ok_or(NOT_FITTED)?;
        let training = Training {
            log_gains: &fit.log_gains,
            latents: &fit.latents,
            coarse: None,
        };
        let options = Options {
            steps: steps as usize,
            kept_weights: kept_weights as usize,
            sets: sets as usize,
            rates_per_set: rates_per_set as usize,
        };
        let grid = training.fit(&weights, options, |_, _, _| {});
        let model = grid.and_then(|grid| ContextModel::new(vec![grid]));
        fit.output = model.map_err(|_| NOT_FITTED)?.to_bytes();
        Ok(())
    })
}

/// Where the fitted model's file lies.
#[wasm_bindgen]
pub fn fit_output() -> u32 {
    FIT.with_borrow(|fit| fit.output.as_ptr().expose_provenance() as u32)
}

#[wasm_bindgen]
pub fn fit_output_length() -> u32 {
    FIT.with_borrow(|fit| fit.output.len() as u32)
}

/// Weights that know nothing of the latents but how large symbols are at every rate.
fn start_weights(fit: &Fit) -> Option<Vec<FloatWeights>> {
    let channels = fit.channels;
    let mut sums = vec![0.0f64; channels];
    let mut samples = 0;
    for latent in &fit.latents {
        let area = latent.width * latent.height;
        samples += area;
        for (sum, plane) in sums.iter_mut().zip(latent.values.chunks_exact(area)) {
            *sum += plane
                .iter()
                .map(|value| f64::from(value.abs()))
                .sum::<f64>();
        }
    }
    let mut bases = vec![Vec::with_capacity(BASE_KNOTS); channels];
    for knot in 0..BASE_KNOTS {
        let rate = knot as u32 * RATE_MAX / (BASE_KNOTS as u32 - 1);
        let mut gains = vec![0.0; channels];
        gains_at_rate(&fit.log_gains, rate, &mut gains).ok()?;
        for ((base, sum), gain) in bases.iter_mut().zip(&sums).zip(gains) {
            let size = sum / samples as f64 * f64::from(gain);
            // Below half a step nearly all symbols are zero, and faster so than sizes fall.
            let symbol = size * (-(0.5 / size.max(1e-6)).min(12.0)).exp().max(1e-4).sqrt();
            base.push((START_BASE * symbol).max(1e-4));
        }
    }
    let weights = bases
        .into_iter()
        .enumerate()
        .map(|(channel, bases)| FloatWeights {
            bases,
            scale_taps: START_TAPS,
            mean_taps: [0.0; 10],
            magnitudes: vec![0.0; channel],
            rings: vec![0.0; channel],
            values: std::array::from_fn(|_| vec![0.0; channel]),
            ..FloatWeights::default()
        });
    Some(weights.collect())
}
