//! The model's integers and their file.
//!
//! File: its latent grids, coarse to fine, one or two. A grid, little-endian: `VCTX`, version u8 = 1, or 2 for a grid
//! that looks at a coarser one, 2 more where there is a network, 4 more where scales adapt (`adaptation`), 8 more where the
//! network sees the row itself, channels - 1 u8, base knots u8 (2..=64), table sets u8
//! (1..=16); then
//! - bases u32 [knot][channel]: the scale sum of a symbol with no non-zero neighbour;
//! - chances u8 [knot][channel]: chance in 256ths that a channel is alive;
//! - a channel at a time: own scale taps i16 [10], own mean taps i16 [10], then six lists
//!   (magnitude here, magnitude in the ring, value here, west, east, above), each a count u8
//!   and as many pairs of earlier channel u8, channels rising, and weight i16; for a finer grid two lists
//!   more (magnitude and value of the cell of the coarser grid that a place lies in) of its channels;
//! - the network that sees what is around (`row_net`), if any;
//! - where scales adapt, the channels that learn (`learner`): a count u8, at most 8, and as many u8, rising;
//! - the table sets (`tables`), and nothing after them.
//!
//! Weights and bases have 14 bits below one.

use std::ops::Range;

use super::classes::{FRACTION_BITS, LEAST_SCALE};
use super::input::Input;
use super::row_net::{RateNet, RowNet};
use super::rows::{MAGNITUDE_LIMIT, VALUE_LIMIT};
use super::tables::TableSet;
use super::GRIDS_MAX;
use crate::gains::RATE_MAX;
use crate::Error;

/// Whatever is wrong with a model file.
pub const BAD_MODEL: Error = Error::Corrupt {
    what: "a context model file of a known version",
};

const MAGIC: [u8; 4] = *b"VCTX";
/// Of the coarsest grid without a network.
const VERSION: u8 = 1;
/// What a finer grid has more.
const FINER: u8 = 1;
/// What a grid with a network has more.
const WITH_NET: u8 = 2;
/// What a grid has more whose scales adapt to the band.
const ADAPTING: u8 = 4;
/// What a grid has more whose network sees the row itself.
const ROW_SEEN: u8 = 8;
const KNOTS_MAX: usize = 64;
const SETS_MAX: usize = 16;
/// Channels that learn: each sees all before it.
pub const LEARNING_MAX: usize = 8;
/// Scale sums stay below this, so that no addition overflows.
const SCALE_SUM_LIMIT: i64 = 1 << 30;
/// Mean sums stay within this, so that they round to -32767..=32767.
const MEAN_SUM_LIMIT: i64 = 32767 << FRACTION_BITS;

/// Columns of the own-channel taps: rows -2, -1 and 0 of the causal 5x5, corners left out.
pub const ABOVE2: [isize; 3] = [-1, 0, 1];
pub const ABOVE1: [isize; 5] = [-2, -1, 0, 1, 2];
/// Index of the tap two to the left; the one next to the symbol follows.
pub const WEST2: usize = 8;
pub const OWN_TAPS: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// An earlier channel, or, from the grid's own count on, one of the coarser grid.
    pub channel: u16,
    pub weight: i16,
}

/// Where in an earlier channel a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Here,
    West,
    East,
    Above,
}

/// In the file a place is its index here.
pub const PLACES: [Place; 4] = [Place::Here, Place::West, Place::East, Place::Above];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueLink {
    pub place: Place,
    pub link: Link,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelWeights {
    pub scale_taps: [i16; OWN_TAPS],
    pub mean_taps: [i16; OWN_TAPS],
    pub magnitude_links: Vec<Link>,
    pub ring_links: Vec<Link>,
    pub value_links: Vec<ValueLink>,
}

/// All that the context coder knows beforehand of a model's latents.
#[derive(Debug, Clone)]
pub struct ContextModel {
    /// Coarse to fine.
    pub(super) grids: Vec<GridModel>,
}

/// What it knows of one latent grid.
#[derive(Debug, Clone)]
pub struct GridModel {
    pub(super) channels: Vec<ChannelWeights>,
    /// Channels of the next coarser grid, or 0.
    pub(super) coarse_channels: usize,
    /// [knot][channel]
    pub(super) bases: Vec<Vec<u32>>,
    /// [knot][channel]
    pub(super) chances: Vec<Vec<u8>>,
    pub(super) net: Option<RowNet>,
    /// Whether scales adapt to the band.
    pub(super) adapts: bool,
    /// Channels that learn while they are coded, rising; only where scales adapt.
    pub(super) learning: Vec<u8>,
    pub(super) sets: Vec<TableSet>,
}

/// A grid's model at one rate.
pub struct RateModel<'a> {
    pub channels: &'a [ChannelWeights],
    pub coarse_channels: usize,
    pub bases: Vec<i32>,
    /// Chance in 256ths, from 1 to 255, that a channel is alive.
    pub chances: Vec<u32>,
    pub net: Option<RateNet<'a>>,
    pub adapts: bool,
    pub learning: &'a [u8],
    pub tables: &'a TableSet,
}

impl ContextModel {
    /// A model of these grids, coarse to fine; refused where `parse` would refuse its bytes.
    pub fn new(grids: Vec<GridModel>) -> Result<Self, Error> {
        let before = std::iter::once(0).chain(grids.iter().map(GridModel::channels));
        let fit = |(grid, before): (&GridModel, usize)| grid.coarse_channels == before;
        if !(1..=GRIDS_MAX).contains(&grids.len()) || !grids.iter().zip(before).all(fit) {
            return Err(BAD_MODEL);
        }
        grids.iter().try_for_each(GridModel::check_sums)?;
        Ok(Self { grids })
    }

    /// Coarse to fine, one or two.
    pub fn grids(&self) -> &[GridModel] {
        &self.grids
    }

    /// Everything that depends on the rate, 0 to `RATE_MAX`, grid by grid.
    pub fn at_rate(&self, rate: u32) -> Result<Vec<RateModel<'_>>, Error> {
        self.grids.iter().map(|grid| grid.at_rate(rate)).collect()
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut input = Input::new(bytes);
        let mut grids: Vec<GridModel> = Vec::new();
        while grids.is_empty() || !input.is_empty() {
            if grids.len() == GRIDS_MAX {
                return Err(BAD_MODEL);
            }
            let coarse_channels = grids.last().map_or(0, GridModel::channels);
            grids.push(GridModel::parse(&mut input, coarse_channels)?);
        }
        Ok(Self { grids })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.grids.iter().for_each(|grid| grid.write(&mut out));
        out
    }
}

impl GridModel {
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Everything that depends on the rate, 0 to `RATE_MAX`.
    pub fn at_rate(&self, rate: u32) -> Result<RateModel<'_>, Error> {
        if rate > RATE_MAX {
            return Err(Error::OutOfRange {
                what: "a rate from 0 to 4095",
            });
        }
        let place = rate as usize * (self.bases.len() - 1);
        let step = RATE_MAX as usize;
        let knot = (place / step).min(self.bases.len() - 2);
        let above = (place - knot * step) as u64;
        let mix = |low: u64, high: u64| {
            let step = step as u64;
            (low * (step - above) + high * above + step / 2) / step
        };
        let bases = self.bases[knot].iter().zip(&self.bases[knot + 1]);
        let chances = self.chances[knot].iter().zip(&self.chances[knot + 1]);
        Ok(RateModel {
            channels: &self.channels,
            coarse_channels: self.coarse_channels,
            bases: bases
                .map(|(&a, &b)| mix(a.into(), b.into()) as i32 + LEAST_SCALE)
                .collect(),
            chances: chances
                .map(|(&a, &b)| (mix(a.into(), b.into()) as u32).clamp(1, 255))
                .collect(),
            net: self.net.as_ref().map(|net| RateNet {
                net,
                biases: net.biases(knot, above as i64, step as i64),
            }),
            adapts: self.adapts,
            learning: &self.learning,
            tables: &self.sets[self.set_of(rate)],
        })
    }

    /// Table sets stand at equal distances over the rates; the nearest one serves.
    pub fn set_of(&self, rate: u32) -> usize {
        let spans = self.sets.len() - 1;
        (2 * rate as usize * spans + RATE_MAX as usize) / (2 * RATE_MAX as usize)
    }

    fn parse(input: &mut Input<'_>, coarse_channels: usize) -> Result<Self, Error> {
        let header = input.take(8)?;
        let (knots, sets) = (usize::from(header[6]), usize::from(header[7]));
        let more = header[4].wrapping_sub(version(coarse_channels, None, false));
        let known = more & !(WITH_NET | ADAPTING | ROW_SEEN) == 0;
        let blind = more & WITH_NET == 0 && more & ROW_SEEN != 0;
        if header[..4] != MAGIC || !known || blind {
            return Err(BAD_MODEL);
        }
        if !(2..=KNOTS_MAX).contains(&knots) || !(1..=SETS_MAX).contains(&sets) {
            return Err(BAD_MODEL);
        }
        let count = usize::from(header[5]) + 1;
        let mut model = Self {
            channels: Vec::with_capacity(count),
            coarse_channels,
            bases: Vec::with_capacity(knots),
            chances: Vec::with_capacity(knots),
            net: None,
            adapts: more & ADAPTING != 0,
            learning: Vec::new(),
            sets: Vec::with_capacity(sets),
        };
        for _ in 0..knots {
            let row = input.take(4 * count)?.chunks_exact(4);
            model.bases.push(
                row.map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect(),
            );
        }
        for _ in 0..knots {
            model.chances.push(input.take(count)?.to_vec());
        }
        for channel in 0..count {
            let mut weights = ChannelWeights {
                scale_taps: input.numbers()?,
                mean_taps: input.numbers()?,
                magnitude_links: input.links(0, channel)?,
                ring_links: input.links(0, channel)?,
                value_links: input.value_links(channel)?,
            };
            if coarse_channels > 0 {
                let magnitudes = input.links(count, coarse_channels)?;
                weights.magnitude_links.extend(magnitudes);
                let values = input.links(count, coarse_channels)?.into_iter();
                let here = |link| ValueLink {
                    place: Place::Here,
                    link,
                };
                weights.value_links.extend(values.map(here));
            }
            model.channels.push(weights);
        }
        if more & WITH_NET != 0 {
            model.net = Some(RowNet::parse(input, count, knots, more & ROW_SEEN != 0)?);
        }
        if model.adapts {
            let learning = usize::from(input.take(1)?[0]);
            model.learning = input.take(learning)?.to_vec();
            let rises = model.learning.is_sorted_by(|a, b| a < b);
            let last = model.learning.last().copied().map_or(0, usize::from);
            if !rises || last >= count || learning > LEARNING_MAX {
                return Err(BAD_MODEL);
            }
        }
        for _ in 0..sets {
            model.sets.push(TableSet::parse(input)?);
        }
        model.check_sums()?;
        Ok(model)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(MAGIC);
        let version = version(self.coarse_channels, self.net.as_ref(), self.adapts);
        out.extend([version, (self.channels() - 1) as u8]);
        out.extend([self.bases.len() as u8, self.sets.len() as u8]);
        out.extend(
            self.bases
                .iter()
                .flatten()
                .flat_map(|base| base.to_le_bytes()),
        );
        out.extend(self.chances.iter().flatten());
        let count = self.channels();
        for weights in &self.channels {
            out.extend(weights.scale_taps.iter().flat_map(|tap| tap.to_le_bytes()));
            out.extend(weights.mean_taps.iter().flat_map(|tap| tap.to_le_bytes()));
            let values_at = |place: Place| {
                let values = weights.value_links.iter();
                let there = values.filter(move |value| value.place == place);
                there.map(|value| &value.link)
            };
            write_links(out, &weights.magnitude_links, 0..count);
            write_links(out, &weights.ring_links, 0..count);
            for place in PLACES {
                write_links(out, values_at(place), 0..count);
            }
            if self.coarse_channels > 0 {
                let coarse = count..count + self.coarse_channels;
                write_links(out, &weights.magnitude_links, coarse.clone());
                write_links(out, values_at(Place::Here), coarse);
            }
        }
        if let Some(net) = &self.net {
            net.write(out);
        }
        if self.adapts {
            out.push(self.learning.len() as u8);
            out.extend(&self.learning);
        }
        for set in &self.sets {
            set.write(out);
        }
    }

    /// Refuses weights whose sums could leave their limits, and negative scale weights.
    fn check_sums(&self) -> Result<(), Error> {
        let absolute = |weight: i16| i64::from(weight).abs();
        for (channel, weights) in self.channels.iter().enumerate() {
            let scales = weights.scale_taps.iter().copied();
            let here = weights.magnitude_links.iter().map(|link| link.weight);
            let ring = weights.ring_links.iter().map(|link| link.weight);
            if scales
                .clone()
                .chain(here.clone())
                .chain(ring.clone())
                .any(|weight| weight < 0)
            {
                return Err(BAD_MODEL);
            }
            let base = self
                .bases
                .iter()
                .map(|bases| i64::from(bases[channel]))
                .max()
                .unwrap_or(0);
            let scale = base
                + scales.chain(here).map(absolute).sum::<i64>() * i64::from(MAGNITUDE_LIMIT)
                + ring.map(absolute).sum::<i64>() * 5 * i64::from(MAGNITUDE_LIMIT);
            let values = weights.value_links.iter().map(|value| value.link.weight);
            let mean = weights
                .mean_taps
                .iter()
                .copied()
                .chain(values)
                .map(absolute)
                .sum::<i64>()
                * i64::from(VALUE_LIMIT);
            if scale >= SCALE_SUM_LIMIT || mean >= MEAN_SUM_LIMIT {
                return Err(BAD_MODEL);
            }
        }
        Ok(())
    }
}

fn version(coarse_channels: usize, net: Option<&RowNet>, adapts: bool) -> u8 {
    let finer = u8::from(coarse_channels > 0) * FINER;
    let with_net = u8::from(net.is_some()) * WITH_NET;
    let row_seen = u8::from(net.is_some_and(RowNet::sees_row)) * ROW_SEEN;
    VERSION + finer + with_net + u8::from(adapts) * ADAPTING + row_seen
}

/// Writes the links to these channels, counted from the first of them.
fn write_links<'a>(
    out: &mut Vec<u8>,
    links: impl IntoIterator<Item = &'a Link>,
    channels: Range<usize>,
) {
    let length_at = out.len();
    out.push(0);
    for link in links {
        if channels.contains(&usize::from(link.channel)) {
            out[length_at] += 1;
            out.push((usize::from(link.channel) - channels.start) as u8);
            out.extend(link.weight.to_le_bytes());
        }
    }
}

/// A weight as the file holds it, saturating.
pub(super) fn fixed_point(weight: f64) -> i16 {
    (weight * f64::from(1 << FRACTION_BITS))
        .round()
        .clamp(-32768.0, 32767.0) as i16
}
