//! The whole fit of a grid: from a training prior and latents of training pictures to its part of a context model.

use super::super::model::GridModel;
use super::super::tables::TableSet;
use super::assemble;
use super::learning::choose_learning;
use super::lengths::CodeLengths;
use super::tables::{fit_tables, Counts};
use super::train::{StepSizes, Trainer};
use super::weights::FloatWeights;
use crate::gains::{gains_at_rate, RATE_MAX};
use crate::quantise::quantise;
use crate::Error;

/// The encoder's output for one picture, [channel][height][width].
pub struct Latent {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// What a grid is fitted to.
pub struct Training<'a> {
    /// Natural logarithms, [knot][channel].
    pub log_gains: &'a [f32],
    pub latents: &'a [Latent],
    /// That of the coarser grid, with the same pictures.
    pub coarse: Option<&'a Training<'a>>,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Gradient steps in each of three passes: all weights, two times as many as are kept, those kept. 0 fits tables only.
    pub steps: usize,
    /// Weights kept, taps and links of all channels together. Decoding time grows with them.
    pub kept_weights: usize,
    /// Table sets, at equal distances over the rates.
    pub sets: usize,
    /// Rates at which each picture is counted, for each set.
    pub rates_per_set: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            steps: 3500,
            kept_weights: 3300,
            sets: 9,
            rates_per_set: 2,
        }
    }
}

/// Steps of the first pass; the passes after it go half as far.
const STEP_SIZES: StepSizes = StepSizes {
    scale: 8e-4,
    mean: 2e-4,
    log_base: 1e-2,
};

impl Training<'_> {
    fn own_symbols(&self, index: usize, rate: u32) -> Result<Vec<i16>, Error> {
        let latent = &self.latents[index];
        let area = latent.width * latent.height;
        let mut gains = vec![0.0; latent.values.len() / area];
        gains_at_rate(self.log_gains, rate, &mut gains)?;
        let mut symbols = vec![0; latent.values.len()];
        quantise(&latent.values, &mut symbols, &gains, area)?;
        Ok(symbols)
    }

    /// The symbols of a picture, followed by those of the coarser grid, every one of them in all places of its cell.
    pub(super) fn symbols(&self, index: usize, rate: u32) -> Result<Vec<i16>, Error> {
        let mut symbols = self.own_symbols(index, rate)?;
        if let Some(coarse) = self.coarse {
            let (fine, cells) = (&self.latents[index], &coarse.latents[index]);
            let ratio = fine.width / cells.width;
            for row in coarse.own_symbols(index, rate)?.chunks_exact(cells.width) {
                for _ in 0..ratio {
                    let places = row
                        .iter()
                        .flat_map(|&cell| std::iter::repeat_n(cell, ratio));
                    symbols.extend(places);
                }
            }
        }
        Ok(symbols)
    }

    /// Tables for these weights from every `stride`th picture.
    fn tables_of(
        &self,
        weights: &[FloatWeights],
        options: Options,
        stride: usize,
    ) -> Result<Vec<TableSet>, Error> {
        let blank = fit_tables(&Counts::default());
        let model = assemble(weights, vec![blank; options.sets]);
        self.tables(&model, options.rates_per_set, stride)
    }

    /// Tables for the contexts of a model from every `stride`th picture, each at `rates_per_set` rates of every set.
    fn tables(
        &self,
        model: &GridModel,
        rates_per_set: usize,
        stride: usize,
    ) -> Result<Vec<TableSet>, Error> {
        let mut counts = vec![Counts::default(); model.sets.len()];
        let rates = rates_per_set * model.sets.len();
        for (index, latent) in self.latents.iter().enumerate().step_by(stride) {
            // The rates of one picture lie between those of another.
            let offset = (index * 7919 % 997) as f64 / 997.0;
            for place in 0..rates {
                let along = (place as f64 + offset) / rates as f64;
                let rate = (along * f64::from(RATE_MAX)) as u32;
                let symbols = self.symbols(index, rate)?;
                let size = (latent.width, latent.height);
                counts[model.set_of(rate)].add_picture(&model.at_rate(rate)?, &symbols, size)?;
            }
        }
        Ok(counts.iter().map(fit_tables).collect())
    }

    /// Chances in 256ths that a channel is alive, [knot][channel].
    fn chances(&self, channels: usize, knots: usize) -> Result<Vec<Vec<u8>>, Error> {
        let mut chances = Vec::new();
        for knot in 0..knots as u32 {
            let rate = knot * RATE_MAX / (knots as u32 - 1);
            let mut alive = vec![0.5; channels];
            for (index, latent) in self.latents.iter().enumerate() {
                let symbols = self.own_symbols(index, rate)?;
                let planes = symbols.chunks_exact(latent.width * latent.height);
                for (count, plane) in alive.iter_mut().zip(planes) {
                    *count += f64::from(plane.iter().any(|&symbol| symbol != 0));
                }
            }
            let share = 256.0 / (self.latents.len() as f64 + 1.0);
            let chance = |&count: &f64| (count * share).clamp(1.0, 255.0) as u8;
            chances.push(alive.iter().map(chance).collect());
        }
        Ok(chances)
    }

    /// A model whose scales adapt to the band and some of whose channels learn, with chances and tables counted anew, for
    /// weights that were trained elsewhere.
    pub fn recount(&self, model: &GridModel, rates_per_set: usize) -> Result<GridModel, Error> {
        let mut adapting = GridModel {
            adapts: true,
            learning: Vec::new(),
            chances: self.chances(model.channels(), model.bases.len())?,
            ..model.clone()
        };
        adapting.learning = choose_learning(self, &adapting)?;
        let sets = self.tables(&adapting, rates_per_set, 1)?;
        Ok(GridModel { sets, ..adapting })
    }

    /// Fits the grid's model, starting from `weights` (one for each channel, with at least 2 knots). `report` is told the pass, the
    /// step and the mean bits a sample since it was last told.
    pub fn fit(
        &self,
        weights: &[FloatWeights],
        options: Options,
        mut report: impl FnMut(usize, usize, f64),
    ) -> Result<GridModel, Error> {
        let mut trainer = Trainer::new(weights);
        let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
        for pass in 0..if options.steps > 0 { 3 } else { 0 } {
            if pass > 0 {
                trainer.prune(options.kept_weights * (3 - pass));
            }
            let (mut lengths, mut bits, mut samples) = (Vec::new(), 0.0, 0);
            for step in 0..options.steps {
                if step % options.steps.div_ceil(2) == 0 {
                    let sets = self.tables_of(&trainer.weights(), options, 4)?;
                    lengths = sets.iter().map(CodeLengths::new).collect();
                }
                // Sixteen strata of rates, one after the other.
                let along = ((step % 16) as f64 + noise.next()) / 16.0;
                let rate = (along * f64::from(RATE_MAX)) as u32;
                let index = (noise.next() * self.latents.len() as f64) as usize;
                let (latent, symbols) = (&self.latents[index], self.symbols(index, rate)?);
                let set = (along * (options.sets - 1) as f64 + 0.5) as usize;
                let sizes = sizes_at(pass, step as f32, options.steps as f32);
                let size = (latent.width, latent.height);
                bits += f64::from(trainer.step(&lengths[set], along as f32, &symbols, size, sizes));
                samples += latent.width * latent.height;
                if (step + 1) % 500 == 0 {
                    report(pass, step + 1, bits / samples as f64);
                    (bits, samples) = (0.0, 0);
                }
            }
        }
        let weights = if options.steps > 0 {
            trainer.weights()
        } else {
            weights.to_vec()
        };
        let sets = self.tables_of(&weights, options, 1)?;
        self.recount(&assemble(&weights, sets), options.rates_per_set)
    }
}

/// Short steps at first, then long ones, in the end almost none.
fn sizes_at(pass: usize, step: f32, steps: f32) -> StepSizes {
    let warm = ((step + 1.0) / 30.0).min(1.0);
    let part = if pass == 0 { 1.0 } else { 0.5 };
    let factor = part * warm * (1.0 - step / steps).max(0.02);
    StepSizes {
        scale: STEP_SIZES.scale * factor,
        mean: STEP_SIZES.mean * factor,
        log_base: STEP_SIZES.log_base * factor,
    }
}

/// xorshift; the same numbers in every run.
struct Noise(u64);

impl Noise {
    /// 0 to just below 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f64 / f64::from(1 << 24)
    }
}
