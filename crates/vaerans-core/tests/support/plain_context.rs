//! The context coder's contexts once more, symbol by symbol from the words of the model file's description: no rows, no
//! lists of what is not zero, no blocks.

use vaerans_core::context::Band;

/// The coder's integer logarithm: another one would round other slopes.
#[allow(dead_code)]
#[path = "../../src/log2.rs"]
mod log2;

const TABLES: usize = 448;

/// Rows up and columns right of the own-channel taps, in the file's order.
const OWN: [(isize, isize); 10] = [
    (-2, -1),
    (-2, 0),
    (-2, 1),
    (-1, -2),
    (-1, -1),
    (-1, 0),
    (-1, 1),
    (-1, 2),
    (0, -2),
    (0, -1),
];
const RING: [(isize, isize); 5] = [(0, -1), (0, 1), (-1, -1), (-1, 0), (-1, 1)];
/// Of the value lists: here, west, east, above.
const PLACES: [(isize, isize); 4] = [(0, 0), (0, -1), (0, 1), (-1, 0)];

struct Channel {
    scale_taps: Vec<i64>,
    mean_taps: Vec<i64>,
    /// Channel and weight, list by list as in the file.
    lists: Vec<Vec<(usize, i64)>>,
}

/// Weights of the network in the file's order.
struct PlainNet {
    /// First channels of the groups that see the row itself.
    starts: Vec<usize>,
    biases: Vec<i64>,
    enter: Vec<i64>,
    here: Vec<i64>,
    middle_biases: Vec<i64>,
    middle: Vec<i64>,
    leave_biases: Vec<i64>,
    leave: Vec<i64>,
}

pub struct PlainGrid {
    net: Option<PlainNet>,
    adapts: bool,
    learning: Vec<u8>,
    knots: Vec<Vec<i64>>,
    channels: Vec<Channel>,
    /// [set][table], frequencies of the cells.
    sets: Vec<Vec<Vec<u32>>>,
}

impl PlainGrid {
    pub fn read(file: &[u8], coarse: usize) -> Self {
        let (count, knots, sets) = (usize::from(file[5]) + 1, file[6], file[7]);
        let mut rest = &file[8..];
        let mut take = |length: usize| {
            let (head, tail) = rest.split_at(length);
            rest = tail;
            head
        };
        let knots = (0..knots)
            .map(|_| {
                let bases = take(4 * count).chunks_exact(4);
                let base = |b: &[u8]| i64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                bases.map(base).collect()
            })
            .collect::<Vec<Vec<i64>>>();
        take(knots.len() * count);
        let weight = |b: &[u8]| i64::from(i16::from_le_bytes([b[0], b[1]]));
        let channels = (0..count)
            .map(|_| Channel {
                scale_taps: take(20).chunks_exact(2).map(weight).collect(),
                mean_taps: take(20).chunks_exact(2).map(weight).collect(),
                lists: (0..if coarse > 0 { 8 } else { 6 })
                    .map(|_| {
                        let length = usize::from(take(1)[0]);
                        let links = take(3 * length).chunks_exact(3);
                        links
                            .map(|b| (usize::from(b[0]), weight(&b[1..])))
                            .collect()
                    })
                    .collect(),
            })
            .collect();
        let net = ((file[4] - 1) & 2 != 0).then(|| {
            let mut starts = vec![0];
            let sees_row = (file[4] - 1) & 8 != 0;
            if sees_row {
                let groups = usize::from(take(1)[0]);
                starts = take(groups)
                    .iter()
                    .map(|&start| usize::from(start))
                    .collect();
            }
            let groups = starts.len();
            let mut numbers = |count: usize| take(2 * count).chunks_exact(2).map(weight).collect();
            PlainNet {
                starts,
                biases: numbers(64 * knots.len()),
                enter: numbers(count * 2 * 5 * 64),
                here: numbers(if sees_row { count * 5 * 64 } else { 0 }),
                middle_biases: numbers(groups * 32),
                middle: numbers(groups * 32 * 64),
                leave_biases: numbers(count),
                leave: numbers(32 * count),
            }
        });
        let adapts = (file[4] - 1) & 4 != 0;
        let learning = if adapts {
            let count = usize::from(take(1)[0]);
            take(count).to_vec()
        } else {
            Vec::new()
        };
        let sets = (0..sets)
            .map(|_| {
                let table = |_| {
                    let cells = 2 * usize::from(take(1)[0]) + 1;
                    let frequencies = take(2 * cells).chunks_exact(2);
                    frequencies
                        .map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])))
                        .collect()
                };
                (0..TABLES).map(table).collect()
            })
            .collect();
        Self {
            net,
            adapts,
            learning,
            knots,
            channels,
            sets,
        }
    }

    /// Bits of every symbol.
    pub fn bits(
        &self,
        rate: u32,
        (symbols, band): (&[i16], Band),
        coarse: Option<(&[i16], Band)>,
    ) -> Vec<f32> {
        let spans = (self.knots.len() - 1) as f64;
        let along = f64::from(rate) / 4095.0 * spans;
        let knot = (along as usize).min(self.knots.len() - 2);
        let set = (f64::from(rate) / 4095.0 * (self.sets.len() - 1) as f64).round() as usize;
        let value = |(symbols, band): (&[i16], Band), channel: usize, y: isize, x: isize| {
            let inside =
                (0..band.height as isize).contains(&y) && (0..band.width as isize).contains(&x);
            if !inside {
                return 0;
            }
            let at = channel * band.plane_stride + y as usize * band.width + x as usize;
            i64::from(symbols[at]).clamp(-2047, 2047)
        };
        let size = |value: i64| value.abs().min(24);
        let own = (symbols, band);
        let mut bits = vec![0.0; symbols.len()];
        let hidden: Vec<Vec<Vec<i64>>> = (0..band.width * band.height)
            .map(|at| {
                let (y, x) = ((at / band.width) as isize, (at % band.width) as isize);
                let seen = |channel, dy, dx| size(value(own, channel, y + dy, x + dx));
                let net = self.net.as_ref();
                net.map_or(Vec::new(), |net| {
                    net.hidden(self.channels.len(), along, seen)
                })
            })
            .collect();
        let mut scales = vec![vec![19; band.width * band.height]; self.learning.len()];
        for (index, channel) in self.channels.iter().enumerate() {
            let place = self.learning.iter().position(|&c| usize::from(c) == index);
            let mut learner = Learner::new(place.unwrap_or(0));
            let (low, high) = (
                self.knots[knot][index] as f64,
                self.knots[knot + 1][index] as f64,
            );
            let base = (low + (high - low) * (along - knot as f64)).round() as i64 + 128;
            let mut pace = Pace::default();
            for at in 0..band.width * band.height {
                let (y, x) = ((at / band.width) as isize, (at % band.width) as isize);
                let (mut scale, mut mean) = (base, 0);
                let taps = channel.scale_taps.iter().zip(&channel.mean_taps);
                for ((scale_tap, mean_tap), (dy, dx)) in taps.zip(OWN) {
                    let neighbour = value(own, index, y + dy, x + dx);
                    scale += scale_tap * size(neighbour);
                    mean += mean_tap * neighbour;
                }
                for &(other, weight) in &channel.lists[0] {
                    scale += weight * size(value(own, other, y, x));
                }
                for &(other, weight) in &channel.lists[1] {
                    for (dy, dx) in RING {
                        scale += weight * size(value(own, other, y + dy, x + dx));
                    }
                }
                for (list, (dy, dx)) in channel.lists[2..6].iter().zip(PLACES) {
                    for &(other, weight) in list {
                        mean += weight * value(own, other, y + dy, x + dx);
                    }
                }
                if let Some(cells) = coarse {
                    let ratio = (band.width / cells.1.width) as isize;
                    for &(other, weight) in &channel.lists[6] {
                        scale += weight * size(value(cells, other, y / ratio, x / ratio));
                    }
                    for &(other, weight) in &channel.lists[7] {
                        mean += weight * value(cells, other, y / ratio, x / ratio);
                    }
                }
                // The two symbols to the left come after all factors.
                for (tap, dx) in [(8, -2), (9, -1)] {
                    scale -= channel.scale_taps[tap] * size(value(own, index, y, x + dx));
                }
                if let Some(net) = &self.net {
                    let group = net.starts.iter().rposition(|&start| start <= index);
                    let factor = net.factor(index, &hidden[at][group.unwrap_or(0)]);
                    scale = (scale.min((128 << 14) - 1) * factor / 256).max(128);
                }
                let factor = pace.factor();
                if factor != 256 {
                    scale = (scale.min((128 << 14) - 1) * factor / 256).max(128);
                }
                for (tap, dx) in [(8, -2), (9, -1)] {
                    let weight = (channel.scale_taps[tap] * factor / 256).min(32767);
                    scale += weight * size(value(own, index, y, x + dx));
                }
                let symbol = symbols[index * band.plane_stride + at];
                if let Some(place) = place {
                    scales[place][at] = scale.clamp(4915, (128 << 14) - 1) >> 8;
                    let ratio = |other: usize| 256 * scales[place][at] / scales[other][at];
                    let slopes = (0..place).flat_map(|other| {
                        let ratio = ratio(other);
                        let from = usize::from(self.learning[other]);
                        let value = &value;
                        let slope = move |(dy, dx): (isize, isize)| {
                            let inside =
                                y + dy >= 0 && (0..band.width as isize).contains(&(x + dx));
                            let there = if inside {
                                value(own, from, y + dy, x + dx)
                            } else {
                                value(own, from, y, x)
                            };
                            // Half of it, in 64ths.
                            ((value(own, from, y, x) - there) * ratio) >> 3
                        };
                        [(0, -1), (0, 1), (-1, -1), (-1, 0), (-1, 1)].map(slope)
                    });
                    let inside = |dy: isize, dx: isize| {
                        y + dy >= 0 && (0..band.width as isize).contains(&(x + dx))
                    };
                    let neighbours = [
                        (0, -1),
                        (0, -2),
                        (-1, 0),
                        (-1, -1),
                        (-1, 1),
                        (-1, -2),
                        (-1, 2),
                        (-2, 0),
                        (-2, -1),
                        (-2, 1),
                    ]
                    .map(|(dy, dx)| {
                        if inside(dy, dx) {
                            ((value(own, index, y + dy, x + dx) << 14) - mean) >> 8
                        } else {
                            0
                        }
                    });
                    let errors = [
                        (0, -1, 2),
                        (-1, 0, 2),
                        (-1, -1, 1),
                        (-1, 1, 1),
                        (0, -2, 1),
                        (-2, 0, 1),
                    ];
                    let error = errors
                        .map(|(dy, dx, weight): (isize, isize, i64)| {
                            let before = (at as isize + dy * band.width as isize + dx) as usize;
                            weight
                                * if inside(dy, dx) {
                                    learner.errors[before]
                                } else {
                                    427
                                }
                        })
                        .iter()
                        .sum::<i64>()
                        / 8;
                    let differences = neighbours.into_iter().chain(slopes).collect();
                    mean = learner.predict(differences, mean);
                    let value = i64::from(symbol).clamp(-2047, 2047);
                    learner.learn(mean, scales[place][at], value);
                    scale = (scale.min((128 << 14) - 1) * (128 + 77 * error / 256) / 256)
                        .clamp(128, (128 << 14) - 1);
                }
                if self.adapts {
                    self.note(&mut pace, set, scale, mean, symbol);
                    if at % band.width == band.width - 1 {
                        pace.end_row();
                    }
                }
                bits[index * band.plane_stride + at] = self.bits_of(set, scale, mean, symbol);
            }
        }
        bits
    }

    /// Bits of a symbol under sums of 14 bits below one: a quarter octave of the scale and an eighth of the half unit that
    /// the mean is off a whole number choose the table, and from 2^16 on its cells are wider than one.
    fn bits_of(&self, set: usize, scale: i64, mean: i64, symbol: i16) -> f32 {
        let (class, sixteenth, residual) = place_of(scale, mean, symbol);
        let (frequency, raw) = self.coded(set, class, sixteenth, residual);
        14.0 - (frequency as f32).log2() + raw as f32
    }

    /// Frequency and raw bits. Behind an escape the distance from the table's end has an Exp-Golomb number, of order 2 from 8
    /// cells a side on, and a sign.
    fn coded(&self, set: usize, class: i64, sixteenth: i64, residual: i64) -> (u32, u32) {
        let (side, sign) = if sixteenth < 8 {
            (7 - sixteenth, -1)
        } else {
            (sixteenth - 8, 1)
        };
        let below = (class / 4 - 9).max(0) as u32;
        let cell = (sign * residual + ((1 << below) >> 1)) >> below;
        let index = 2 * cell.unsigned_abs() as usize - usize::from(cell > 0);
        let cells = &self.sets[set][(class * 8 + side) as usize];
        match cells.get(index) {
            Some(&frequency) => (frequency, below),
            None => {
                let side = cells.len() as u64 / 2;
                let order = if side > 7 { 2 } else { 0 };
                let bits = (cell.unsigned_abs() - (side + 1) + (1 << order)).ilog2();
                let escape = 16384 - cells.iter().sum::<u32>();
                (escape, below + 2 * bits - order + 2)
            }
        }
    }

    /// Takes note of what a symbol says of its channel's pace: 65536ths of a bit by a quarter of an octave, less what its
    /// table leads to expect. Residuals count as -8 to 7, and cells wider than one not at all.
    fn note(&self, pace: &mut Pace, set: usize, scale: i64, mean: i64, symbol: i16) {
        let (class, sixteenth, residual) = place_of(scale, mean, symbol);
        if class >= 40 {
            return;
        }
        let below = (class - 1).max(0);
        let slope = |residual: i64| {
            let units = |class: i64| {
                let (frequency, raw) = self.coded(set, class, sixteenth, residual);
                (i64::from(14 + raw) << 16) - log2::log2(u64::from(frequency)) as i64
            };
            (units(class + 1) - units(below)) / (class + 1 - below)
        };
        let mut expected = Vec::new();
        let side = if sixteenth < 8 {
            7 - sixteenth
        } else {
            sixteenth - 8
        };
        let cells = &self.sets[set][(class * 8 + side) as usize];
        for (index, &frequency) in cells.iter().enumerate() {
            let magnitude = (index as i64 + 1) / 2;
            let cell = if index % 2 == 1 {
                magnitude
            } else {
                -magnitude
            };
            let residual = if sixteenth < 8 { -cell } else { cell };
            expected.push((residual, i64::from(frequency)));
        }
        let (escape, reach) = (16384 - cells.iter().sum::<u32>(), cells.len() as i64 / 2);
        expected.push((reach + 1, i64::from(escape / 2)));
        expected.push((-reach - 1, i64::from(escape - escape / 2)));
        let slopes: Vec<(i64, i64)> = expected
            .into_iter()
            .map(|(residual, share)| (slope(residual.clamp(-8, 7)), share))
            .collect();
        let mean: i64 = slopes
            .iter()
            .map(|(slope, share)| slope * share)
            .sum::<i64>()
            >> 14;
        let squares = slopes
            .iter()
            .map(|(slope, share)| ((slope - mean) >> 4).pow(2) * share);
        pace.slope += slope(residual.clamp(-8, 7)) - mean;
        pace.seen += ((squares.sum::<i64>() >> 22) * 45_426) >> 16;
    }
}

/// A scale's class, the mean's fraction from -1/2 in 16ths, and what the symbol is beside the whole mean.
fn place_of(scale: i64, mean: i64, symbol: i16) -> (i64, i64, i64) {
    let scale = scale.min((128 << 14) - 1);
    let octave = i64::from(scale.ilog2());
    let quarter = (scale >> (octave - 2)) & 3;
    let base = (mean + 8192).div_euclid(16384);
    let sixteenth = (mean + 8192).rem_euclid(16384) / 1024;
    (
        (octave - 7) * 4 + quarter,
        sixteenth,
        i64::from(symbol) - base,
    )
}

/// How a channel's means are learned: normalised least mean squares over differences in 64ths.
struct Learner {
    /// In 2^-20.
    weights: Vec<i64>,
    differences: Vec<i64>,
    /// Of all places so far beside their scales, in 256ths.
    errors: Vec<i64>,
}

impl Learner {
    fn new(others: usize) -> Self {
        Self {
            weights: vec![0; 10 + 5 * others],
            differences: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn predict(&mut self, differences: Vec<i64>, mean: i64) -> i64 {
        let pairs = self.weights.iter().zip(&differences);
        let sum: i64 = pairs.map(|(weight, difference)| weight * difference).sum();
        self.differences = differences;
        (mean + sum.div_euclid(1 << 12)).clamp(-32766 << 14, 32766 << 14)
    }

    fn learn(&mut self, mean: i64, scale: i64, value: i64) {
        let error = ((value << 14) - mean).div_euclid(256);
        self.errors.push((error.abs() * 256 / scale).min(6 * 256));
        let squares: i64 = self.differences.iter().map(|d| d * d).sum();
        let step =
            error.clamp(-3 * scale, 3 * scale) * 102 * (1 << 20) / (10 * scale * scale + squares);
        for (weight, difference) in self.weights.iter_mut().zip(&self.differences) {
            *weight += (step * difference + 512).div_euclid(1024);
            *weight = (*weight).clamp(-4 << 20, 4 << 20);
        }
    }
}

/// How a channel's scales adapt, row by row.
#[derive(Default)]
struct Pace {
    /// In 256ths of a quarter of an octave.
    shift: i64,
    information: i64,
    /// Of the row so far.
    slope: i64,
    seen: i64,
}

impl Pace {
    /// In 256ths, a 16th of an octave apart.
    fn factor(&self) -> i64 {
        let steps = (self.shift + 32).div_euclid(64);
        let factor = 256.0 * (steps as f64 / 16.0).exp2();
        ((factor + 1e-9) as i64).min(1023)
    }

    fn end_row(&mut self) {
        self.information += self.seen - self.information / 8;
        self.shift -= 256 * self.slope / (self.information + 3 * 65536);
        self.shift = self.shift.clamp(-2048, 2048);
        (self.slope, self.seen) = (0, 0);
    }
}

impl PlainNet {
    /// Units of the second layer of every group, in 1024ths: of the eighths that magnitudes in two rows above and five columns
    /// count, and what the groups before have in the row itself.
    fn hidden(
        &self,
        channels: usize,
        along: f64,
        seen: impl Fn(usize, isize, isize) -> i64,
    ) -> Vec<Vec<i64>> {
        let knot = (along as usize).min(self.biases.len() / 64 - 2);
        let mut first: Vec<i64> = (0..64)
            .map(|unit| {
                let at = |knot: usize| self.biases[64 * knot + unit] as f64;
                (at(knot) + ((at(knot + 1) - at(knot)) * (along - knot as f64)).floor()) as i64
            })
            .collect();
        let add = |first: &mut [i64], magnitude: i64, weights: &[i64]| {
            let feature = (8.0 * ((magnitude as f64 + 0.25).sqrt() - 0.5)).round() as i64;
            for (unit, weight) in first.iter_mut().zip(weights) {
                *unit = (*unit + weight * feature).clamp(-32768, 32767);
            }
        };
        for channel in 0..channels {
            for row in 0..2 {
                for column in 0..5 {
                    let from = ((channel * 2 + row as usize) * 5 + column as usize) * 64;
                    let magnitude = seen(channel, row - 2, column - 2);
                    add(&mut first, magnitude, &self.enter[from..]);
                }
            }
        }
        let mut groups = Vec::new();
        for (group, &start) in self.starts.iter().enumerate() {
            let before = self.starts[..group].last().copied().unwrap_or(start);
            for channel in before..start {
                for column in 0..5 {
                    let from = (channel * 5 + column as usize) * 64;
                    add(&mut first, seen(channel, 0, column - 2), &self.here[from..]);
                }
            }
            let weights = self.middle[group * 32 * 64..].chunks_exact(64).take(32);
            let second = weights
                .zip(&self.middle_biases[group * 32..])
                .map(|(weights, bias)| {
                    let products = weights
                        .iter()
                        .zip(&first)
                        .map(|(w, v)| w * v.clamp(&0, &4095));
                    (bias * 256 + products.sum::<i64>())
                        .div_euclid(256)
                        .clamp(0, 4095)
                });
            groups.push(second.collect());
        }
        groups
    }

    /// In 256ths.
    fn factor(&self, channel: usize, hidden: &[i64]) -> i64 {
        let weights = &self.leave[channel * 32..];
        let products = weights.iter().zip(hidden).map(|(w, v)| w * v);
        let sum = self.leave_biases[channel] * 1024 + products.sum::<i64>();
        (256 + sum.div_euclid(1 << 14)).clamp(16, 1023)
    }
}
