//! Trained weights in floating point, and the integers that the file holds.

use super::super::classes::FRACTION_BITS;
use super::super::model::{
    fixed_point, ChannelWeights, Link, Place, ValueLink, ABOVE1, ABOVE2, OWN_TAPS, PLACES,
};

/// One channel's trained weights.
#[derive(Debug, Clone, Default)]
pub struct FloatWeights {
    /// Scale without neighbours at each knot, in symbols.
    pub bases: Vec<f64>,
    pub scale_taps: [f64; OWN_TAPS],
    pub mean_taps: [f64; OWN_TAPS],
    /// One weight for every earlier channel; 0 where there is no link.
    pub magnitudes: Vec<f64>,
    /// Weight of the sum of the five ring places.
    pub rings: Vec<f64>,
    /// In the order of `PLACES`.
    pub values: [Vec<f64>; PLACES.len()],
    /// One weight for every channel of the coarser grid; empty where there is none.
    pub coarse_magnitudes: Vec<f64>,
    pub coarse_values: Vec<f64>,
}

/// Weights of the training prior (training/ exports them so): dense arrays, row-major.
pub struct Prior<'a> {
    pub channels: usize,
    pub knots: usize,
    /// [knot][channel], natural logarithm
    pub log_bases: &'a [f32],
    /// [channel][5][5], the causal half in use
    pub same: &'a [f32],
    pub mean_same: &'a [f32],
    /// [channel][earlier channel]
    pub here: &'a [f32],
    /// weight of the mean of the eight neighbours
    pub ring: &'a [f32],
    pub mean_here: &'a [f32],
    /// [channel][channel of the coarser grid], empty where there is none
    pub up: &'a [f32],
    pub mean_up: &'a [f32],
}

impl Prior<'_> {
    pub fn to_weights(&self) -> Vec<FloatWeights> {
        let (n, knots) = (self.channels, self.knots);
        let row = |matrix: &[f32], channel: usize| -> Vec<f64> {
            matrix[channel * n..channel * n + channel]
                .iter()
                .map(|&w| f64::from(w))
                .collect()
        };
        let coarse_row = |matrix: &[f32], channel: usize| -> Vec<f64> {
            let coarse = matrix.len() / n;
            let row = &matrix[channel * coarse..][..coarse];
            row.iter().map(|&w| f64::from(w)).collect()
        };
        let taps = |stencils: &[f32], channel: usize| {
            let mut taps = [0.0; OWN_TAPS];
            let above2 = ABOVE2.iter().map(|x| x + 2);
            let above1 = ABOVE1.iter().map(|x| 5 + x + 2);
            let west = [10, 11];
            for (tap, at) in taps.iter_mut().zip(above2.chain(above1).chain(west)) {
                *tap = f64::from(stencils[channel * 25 + at as usize]);
            }
            taps
        };
        let weights = (0..n).map(|channel| FloatWeights {
            bases: (0..knots)
                .map(|k| f64::from(self.log_bases[k * n + channel]).exp())
                .collect(),
            scale_taps: taps(self.same, channel),
            mean_taps: taps(self.mean_same, channel),
            magnitudes: row(self.here, channel),
            rings: row(self.ring, channel).iter().map(|w| w / 5.0).collect(),
            values: PLACES.map(|place| match place {
                Place::Here => row(self.mean_here, channel),
                _ => vec![0.0; channel],
            }),
            coarse_magnitudes: coarse_row(self.up, channel),
            coarse_values: coarse_row(self.mean_up, channel),
        });
        weights.collect()
    }
}

impl FloatWeights {
    /// In a grid of so many channels, after which the coarser grid's are numbered.
    pub fn quantise(&self, channels: usize) -> ChannelWeights {
        let links = |weights: &[f64], first: usize| -> Vec<Link> {
            let links = weights.iter().enumerate().map(|(channel, &weight)| Link {
                channel: (first + channel) as u16,
                weight: fixed_point(weight),
            });
            links.filter(|link| link.weight != 0).collect()
        };
        let mut magnitude_links = links(&self.magnitudes, 0);
        magnitude_links.extend(links(&self.coarse_magnitudes, channels));
        let own = PLACES.into_iter().zip(&self.values);
        let value_links = own
            .map(|(place, weights)| (place, links(weights, 0)))
            .chain([(Place::Here, links(&self.coarse_values, channels))])
            .flat_map(|(place, links)| {
                links.into_iter().map(move |link| ValueLink { place, link })
            });
        ChannelWeights {
            scale_taps: self.scale_taps.map(fixed_point),
            mean_taps: self.mean_taps.map(fixed_point),
            magnitude_links,
            ring_links: links(&self.rings, 0),
            value_links: value_links.collect(),
        }
    }

    /// Fixed-point bases, one for every knot.
    pub fn quantised_bases(&self) -> Vec<u32> {
        let one = f64::from(1 << FRACTION_BITS);
        self.bases
            .iter()
            .map(|base| (base * one).round().clamp(1.0, 1e8) as u32)
            .collect()
    }
}
