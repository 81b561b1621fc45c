//! The context coder's contexts once more, symbol by symbol from the words of the model file's description: no rows, no
//! lists of what is not zero, no blocks.

use vaerans_core::context::Band;

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

pub struct PlainGrid {
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
        for (index, channel) in self.channels.iter().enumerate() {
            let (low, high) = (
                self.knots[knot][index] as f64,
                self.knots[knot + 1][index] as f64,
            );
            let base = (low + (high - low) * (along - knot as f64)).round() as i64 + 128;
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
                let symbol = symbols[index * band.plane_stride + at];
                bits[index * band.plane_stride + at] = self.bits_of(set, scale, mean, symbol);
            }
        }
        bits
    }

    /// Bits of a symbol under sums of 14 bits below one: a quarter octave of the scale and an eighth of the half unit that
    /// the mean is off a whole number choose the table, and from 2^16 on its cells are wider than one. Behind an escape the
    /// distance from the table's end has an Exp-Golomb number, of order 2 from 8 cells a side on, and a sign.
    fn bits_of(&self, set: usize, scale: i64, mean: i64, symbol: i16) -> f32 {
        let octave = scale.min((128 << 14) - 1).ilog2();
        let quarter = (scale.min((128 << 14) - 1) >> (octave - 2)) & 3;
        let base = (mean + 8192).div_euclid(16384);
        let sixteenth = (mean + 8192).rem_euclid(16384) / 1024;
        let (side, sign) = if sixteenth < 8 {
            (7 - sixteenth, -1)
        } else {
            (sixteenth - 8, 1)
        };
        let table = (((i64::from(octave) - 7) * 4 + quarter) * 8 + side) as usize;
        let below = octave.saturating_sub(16);
        let residual = sign * (i64::from(symbol) - base);
        let cell = (residual + ((1 << below) >> 1)) >> below;
        let index = 2 * cell.unsigned_abs() as usize - usize::from(cell > 0);
        let cells = &self.sets[set][table];
        let (frequency, raw) = match cells.get(index) {
            Some(&frequency) => (frequency, 0),
            None => {
                let side = cells.len() as u64 / 2;
                let order = if side > 7 { 2 } else { 0 };
                let bits = (cell.unsigned_abs() - (side + 1) + (1 << order)).ilog2();
                (16384 - cells.iter().sum::<u32>(), 2 * bits - order + 2)
            }
        };
        14.0 - (frequency as f32).log2() + (below + raw) as f32
    }
}
