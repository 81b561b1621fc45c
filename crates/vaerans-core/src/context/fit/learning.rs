//! Which channels are to learn while they are coded.

use super::super::model::{GridModel, RateModel, LEARNING_MAX};
use super::run::Training;
use super::walk::{code_length_of, code_lengths};
use crate::gains::RATE_MAX;
use crate::Error;

/// Pictures that are looked at, and the rates.
const PICTURES: usize = 8;
const RATES: [u32; 3] = [RATE_MAX / 6, RATE_MAX / 2, 3 * RATE_MAX / 4];
/// Channels with fewer of a picture's bits are left out of account.
const SHARE_LEAST: f64 = 0.005;
/// What learning has to save of a channel's bits, at half of the pictures and rates at which it counts.
const SAVING_LEAST: f64 = 0.01;

/// Channels of `model`, which adapts, that take fewer bits if they learn, at most as many as may; rising.
pub fn choose_learning(training: &Training<'_>, model: &GridModel) -> Result<Vec<u8>, Error> {
    let channels = model.channels();
    let mut savings = vec![Vec::new(); channels];
    let stride = training.latents.len().div_ceil(PICTURES).max(1);
    for index in (0..training.latents.len()).step_by(stride) {
        let latent = &training.latents[index];
        let size = (latent.width, latent.height);
        for rate in RATES {
            let symbols = training.symbols(index, rate)?;
            let fixed = code_lengths(model, rate, &symbols, size)?;
            let total: f64 = fixed.iter().sum();
            for (channel, savings) in savings.iter_mut().enumerate() {
                let before = fixed[channel];
                if before < (SHARE_LEAST * total).max(1.0) {
                    continue;
                }
                let learning = RateModel {
                    learning: &[channel as u8],
                    ..model.at_rate(rate)?
                };
                let bits = code_length_of(&learning, &symbols, size, channel)?;
                savings.push(1.0 - bits / before);
            }
        }
    }
    let middle_saving = |(channel, mut savings): (usize, Vec<f64>)| {
        savings.sort_by(f64::total_cmp);
        let middle = *savings.get(savings.len() / 2)?;
        (middle > SAVING_LEAST).then_some((middle, channel as u8))
    };
    let mut paying: Vec<(f64, u8)> = savings
        .into_iter()
        .enumerate()
        .filter_map(middle_saving)
        .collect();
    paying.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut learning: Vec<u8> = paying
        .into_iter()
        .take(LEARNING_MAX)
        .map(|(_, channel)| channel)
        .collect();
    learning.sort_unstable();
    Ok(learning)
}
