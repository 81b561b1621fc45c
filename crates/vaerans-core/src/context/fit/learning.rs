//! Which channels are to learn while they are coded.

use super::super::model::GridModel;
use super::run::Training;
use super::walk::{code_length_of, code_lengths};
use crate::gains::RATE_MAX;
use crate::Error;

/// Pictures that are looked at, and the rates.
const PICTURES: usize = 8;
const RATES: [u32; 3] = [RATE_MAX / 6, RATE_MAX / 2, 3 * RATE_MAX / 4];
/// Channels with fewer of a picture's bits are left out of account.
const SHARE_LEAST: f64 = 0.005;
/// What learning has to save of a channel's bits, at half of the pictures and rates.
const SAVING_LEAST: f64 = 0.01;

/// Channels of `model`, which adapts, that take fewer bits if they learn; rising.
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
                let learning = GridModel {
                    learning: vec![channel as u8],
                    ..model.clone()
                };
                let bits = code_length_of(&learning, rate, &symbols, size, channel)?;
                savings.push(1.0 - bits / before);
            }
        }
    }
    let pays = |&channel: &usize| {
        let savings = &mut savings.clone()[channel];
        savings.sort_by(f64::total_cmp);
        savings
            .get(savings.len() / 2)
            .is_some_and(|&middle| middle > SAVING_LEAST)
    };
    Ok((0..channels)
        .filter(pays)
        .map(|channel| channel as u8)
        .collect())
}
