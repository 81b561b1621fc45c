//! Stochastic gradient fit of the weights against real tables: what is minimised is the code
//! length that the tables give, linear between neighbouring classes and mean fractions.

use super::super::model::OWN_TAPS;
use super::lengths::CodeLengths;
use super::planes::{dot, Planes, FEATURES};
use super::weights::FloatWeights;

/// A weight with Adam's moments.
#[derive(Clone, Copy, Default)]
struct Weight {
    value: f32,
    slope: f32,
    first: f32,
    second: f32,
    pruned: bool,
}

impl Weight {
    fn new(value: f64) -> Self {
        Self {
            value: value as f32,
            ..Self::default()
        }
    }

    /// About what the code length would grow by without the weight: its square times the curvature, for which the
    /// mean square of the slope stands.
    fn worth(&self) -> f32 {
        self.value * self.value * self.second
    }

    fn step(&mut self, rate: f32, least: f32) {
        if self.pruned {
            return;
        }
        self.first += 0.1 * (self.slope - self.first);
        self.second += 0.005 * (self.slope * self.slope - self.second);
        self.value = (self.value - rate * self.first / (self.second.sqrt() + 1e-12)).max(least);
        self.slope = 0.0;
    }
}

struct Channel {
    log_bases: Vec<Weight>,
    scale_taps: [Weight; OWN_TAPS],
    mean_taps: [Weight; OWN_TAPS],
    /// (feature, earlier channel or one of the coarser grid, weight)
    links: Vec<(usize, usize, Weight)>,
}

pub struct Trainer {
    channels: Vec<Channel>,
    /// Channels of the coarser grid, numbered after the own ones.
    coarse_channels: usize,
}

/// How far one step moves weights, at most about.
#[derive(Clone, Copy)]
pub struct StepSizes {
    pub scale: f32,
    pub mean: f32,
    pub log_base: f32,
}

/// Features of the coarser grid's channels.
const MAGNITUDE_HERE: usize = 0;
const VALUE_HERE: usize = 2;

/// Whether a feature is a magnitude, which the scale is a sum of, and not a value, of which the mean is.
fn is_magnitude(feature: usize) -> bool {
    feature < 2
}

impl Trainer {
    /// Starts from `weights`; links of weight 0 may become others.
    pub fn new(weights: &[FloatWeights]) -> Self {
        let count = weights.len();
        let coarse_channels = weights.first().map_or(0, |first| first.coarse_values.len());
        let channels = weights.iter().map(|weights| {
            let mut links = Vec::new();
            let lists = [&weights.magnitudes, &weights.rings]
                .into_iter()
                .chain(&weights.values);
            for (feature, list) in lists.enumerate() {
                for (earlier, &weight) in list.iter().enumerate() {
                    links.push((feature, earlier, Weight::new(weight)));
                }
            }
            let magnitudes = (MAGNITUDE_HERE, &weights.coarse_magnitudes);
            for (feature, list) in [magnitudes, (VALUE_HERE, &weights.coarse_values)] {
                for (coarse, &weight) in list.iter().enumerate() {
                    links.push((feature, count + coarse, Weight::new(weight)));
                }
            }
            Channel {
                log_bases: weights
                    .bases
                    .iter()
                    .map(|base| Weight::new(base.max(1e-4).ln()))
                    .collect(),
                scale_taps: weights.scale_taps.map(Weight::new),
                mean_taps: weights.mean_taps.map(Weight::new),
                links,
            }
        });
        Self {
            channels: channels.collect(),
            coarse_channels,
        }
    }

    /// Every weight but the bases.
    fn prunable(&mut self) -> impl Iterator<Item = &mut Weight> {
        self.channels.iter_mut().flat_map(|channel| {
            let taps = channel.scale_taps.iter_mut().chain(&mut channel.mean_taps);
            taps.chain(channel.links.iter_mut().map(|link| &mut link.2))
        })
    }

    /// Keeps the `count` weights of most worth and sets the others to 0 for good.
    pub fn prune(&mut self, count: usize) {
        let mut worths: Vec<f32> = self.prunable().map(|weight| weight.worth()).collect();
        worths.sort_by(|a, b| b.total_cmp(a));
        let least = worths.get(count).copied().unwrap_or(0.0);
        for weight in self.prunable().filter(|weight| weight.worth() <= least) {
            *weight = Weight {
                pruned: true,
                ..Weight::default()
            };
        }
        for channel in &mut self.channels {
            channel.links.retain(|link| !link.2.pruned);
        }
    }

    pub fn weights(&self) -> Vec<FloatWeights> {
        let count = self.channels.len();
        let all = self.channels.iter().enumerate().map(|(channel, trained)| {
            let mut lists: [Vec<f64>; FEATURES] = std::array::from_fn(|_| vec![0.0; channel]);
            let mut coarse_lists: [Vec<f64>; FEATURES] =
                std::array::from_fn(|_| vec![0.0; self.coarse_channels]);
            for (feature, earlier, weight) in &trained.links {
                let value = f64::from(weight.value);
                match earlier.checked_sub(count) {
                    None => lists[*feature][*earlier] = value,
                    Some(coarse) => coarse_lists[*feature][coarse] = value,
                }
            }
            let [magnitudes, rings, here, west, east, above] = lists;
            FloatWeights {
                bases: trained
                    .log_bases
                    .iter()
                    .map(|w| f64::from(w.value).exp())
                    .collect(),
                scale_taps: trained.scale_taps.map(|w| f64::from(w.value)),
                mean_taps: trained.mean_taps.map(|w| f64::from(w.value)),
                magnitudes,
                rings,
                values: [here, west, east, above],
                coarse_magnitudes: std::mem::take(&mut coarse_lists[MAGNITUDE_HERE]),
                coarse_values: std::mem::take(&mut coarse_lists[VALUE_HERE]),
            }
        });
        all.collect()
    }

    /// One step on one picture (symbols as `walk` takes them) at one rate (0 to 1); returns its bits before the step.
    pub fn step(
        &mut self,
        lengths: &CodeLengths,
        rate: f32,
        symbols: &[i16],
        (width, height): (usize, usize),
        sizes: StepSizes,
    ) -> f32 {
        let area = width * height;
        let planes = Planes::new(
            symbols,
            self.channels.len() + self.coarse_channels,
            width,
            height,
        );
        let knots = self.channels[0].log_bases.len();
        let knot = ((rate * (knots - 1) as f32) as usize).min(knots - 2);
        let above = rate * (knots - 1) as f32 - knot as f32;
        let mut total = 0.0;
        let (mut scale, mut mean) = (vec![0.0f32; area], vec![0.0f32; area]);
        for (index, channel) in self.channels.iter_mut().enumerate() {
            if !planes.alive[index] {
                continue;
            }
            let own = &symbols[index * area..][..area];
            let low = channel.log_bases[knot].value.exp();
            let high = channel.log_bases[knot + 1].value.exp();
            scale.fill(low * (1.0 - above) + high * above);
            mean.fill(0.0);
            for tap in 0..OWN_TAPS {
                planes.add_tap(
                    &planes.magnitudes[index],
                    tap,
                    channel.scale_taps[tap].value,
                    &mut scale,
                );
                planes.add_tap(
                    &planes.values[index],
                    tap,
                    channel.mean_taps[tap].value,
                    &mut mean,
                );
            }
            for (feature, earlier, weight) in &channel.links {
                if planes.alive[*earlier] {
                    let sums = if is_magnitude(*feature) {
                        &mut scale
                    } else {
                        &mut mean
                    };
                    let plane = &planes.features[*feature][*earlier];
                    sums.iter_mut()
                        .zip(plane)
                        .for_each(|(s, p)| *s += weight.value * p);
                }
            }
            let mut base_slope = 0.0;
            for ((s, m), &symbol) in scale.iter_mut().zip(&mut mean).zip(own) {
                let (bits, in_scale, in_mean) = lengths.slopes(*s, *m, symbol);
                total += bits;
                *s = in_scale;
                *m = in_mean;
                base_slope += *s;
            }
            channel.log_bases[knot].slope = base_slope * low * (1.0 - above);
            channel.log_bases[knot + 1].slope = base_slope * high * above;
            for tap in 0..OWN_TAPS {
                channel.scale_taps[tap].slope =
                    planes.tap_slope(&planes.magnitudes[index], tap, &scale);
                channel.mean_taps[tap].slope = planes.tap_slope(&planes.values[index], tap, &mean);
            }
            for (feature, earlier, weight) in &mut channel.links {
                if planes.alive[*earlier] {
                    let slopes = if is_magnitude(*feature) {
                        &scale
                    } else {
                        &mean
                    };
                    weight.slope = dot(slopes, &planes.features[*feature][*earlier]);
                }
            }
        }
        // Every picture and rate counts about alike: bits of a tenth more matter a tenth more.
        let share = (total + 1000.0).powf(-0.7);
        for (index, channel) in self.channels.iter_mut().enumerate() {
            if !planes.alive[index] {
                continue;
            }
            let step = |weight: &mut Weight, size: f32, least: f32| {
                weight.slope *= share;
                weight.step(size, least);
            };
            channel.log_bases[knot..knot + 2]
                .iter_mut()
                .for_each(|w| step(w, sizes.log_base, -10.0));
            channel
                .scale_taps
                .iter_mut()
                .for_each(|w| step(w, sizes.scale, 0.0));
            channel
                .mean_taps
                .iter_mut()
                .for_each(|w| step(w, sizes.mean, f32::MIN));
            for (feature, earlier, weight) in &mut channel.links {
                if planes.alive[*earlier] {
                    match feature {
                        0 => step(weight, sizes.scale, 0.0),
                        1 => step(weight, sizes.scale * 0.2, 0.0),
                        _ => step(weight, sizes.mean, f32::MIN),
                    }
                }
            }
        }
        total
    }
}
