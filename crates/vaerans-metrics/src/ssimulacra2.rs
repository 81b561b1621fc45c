//! SSIMULACRA 2.1 (Jon Sneyers, Cloudinary): 108 terms of structure and edges over six scales of an XYB picture.
//!
//! Written out here because the crates that have it ask for fused multiply-adds, which WASM does not know and computes
//! one by one in software: fast-ssim2 0.9.1 took 14 times as long. The reference blurs by a recursive filter whose
//! answer to an impulse is finite, nine samples long; so a window does the same, and rows can be streamed.

mod score;
mod xyb;

use crate::gaussian::Window;
use crate::Pair;
use score::{score, Terms};
use xyb::{XybRow, LINEAR_OF_SRGB};

/// What the reference program refuses to go below.
pub const SSIMULACRA2_MIN_SIDE: usize = 8;

const SCALES: usize = 6;
const RADIUS: usize = 4;
const TAPS: usize = 2 * RADIUS + 1;

/// Charalampidis 2016, truncated cosines of sigma 1.5: the sum of beta_k cos(k pi n / 10) for k = 1, 3, 5.
const BLUR: Window<{ RADIUS + 1 }, TAPS> = Window([
    0.264_621_1,
    0.212_928_6,
    0.109_335_37,
    0.036_011_115,
    0.009_414_368,
]);

/// 100 for equal pictures, about 30 for low quality, below 0 for very bad ones. The samples are taken as sRGB. `None`
/// below 8 pixels a side.
pub fn ssimulacra2(pair: Pair) -> Option<f64> {
    if pair.short_side() < SSIMULACRA2_MIN_SIDE {
        return None;
    }
    let mut source = Source::Picture(pair);
    let mut terms = Vec::with_capacity(SCALES);
    for scale in 0..SCALES {
        let (width, height) = source.size();
        // As in the reference, of the scale before.
        if width.min(height) < SSIMULACRA2_MIN_SIDE {
            break;
        }
        if scale > 0 {
            source = Source::Planes(source.halved());
        }
        terms.push(source.terms());
    }
    Some(score(&terms))
}

/// Linear red, green, blue of one picture, then of the other.
type Rows = [Vec<f32>; 6];

enum Source<'a> {
    Picture(Pair<'a>),
    Planes(Planes),
}

struct Planes {
    width: usize,
    height: usize,
    samples: Rows,
}

impl Source<'_> {
    fn size(&self) -> (usize, usize) {
        match self {
            Source::Picture(pair) => (pair.width, pair.height),
            Source::Planes(planes) => (planes.width, planes.height),
        }
    }

    fn read_row(&self, y: usize, rows: &mut Rows) {
        match self {
            Source::Picture(pair) => {
                let stride = pair.width * pair.channels;
                let linear_of_srgb: &[f32; 256] = &LINEAR_OF_SRGB;
                for (index, row) in rows.iter_mut().enumerate() {
                    let picture = if index < 3 { pair.a } else { pair.b };
                    let channel = if pair.channels == 3 { index % 3 } else { 0 };
                    let samples = picture[y * stride + channel..(y + 1) * stride].iter();
                    for (value, &sample) in row.iter_mut().zip(samples.step_by(pair.channels)) {
                        *value = linear_of_srgb[usize::from(sample)];
                    }
                }
            }
            Source::Planes(Planes { width, samples, .. }) => {
                for (row, plane) in rows.iter_mut().zip(samples) {
                    row.copy_from_slice(&plane[y * width..(y + 1) * width]);
                }
            }
        }
    }

    /// Means of 2x2 samples; the last column and row count twice where a side is odd.
    fn halved(&self) -> Planes {
        let (width, height) = self.size();
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let mut samples: Rows = std::array::from_fn(|_| vec![0.0; half_width * half_height]);
        let mut upper: Rows = std::array::from_fn(|_| vec![0.0; width]);
        let mut lower = upper.clone();
        for y in 0..half_height {
            self.read_row(2 * y, &mut upper);
            self.read_row((2 * y + 1).min(height - 1), &mut lower);
            for (plane, (upper, lower)) in samples.iter_mut().zip(upper.iter().zip(&lower)) {
                let row = &mut plane[y * half_width..(y + 1) * half_width];
                for (x, value) in row.iter_mut().enumerate() {
                    let (left, right) = (2 * x, (2 * x + 1).min(width - 1));
                    *value = 0.25 * (upper[left] + upper[right] + lower[left] + lower[right]);
                }
            }
        }
        Planes {
            width: half_width,
            height: half_height,
            samples,
        }
    }

    fn terms(&self) -> Terms {
        let (width, height) = self.size();
        let mut linear: Rows = std::array::from_fn(|_| vec![0.0; width]);
        // Zeros stand left and right of every row, and above and below the picture.
        let mut padded: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; width + 2 * RADIUS]);
        let mut xyb: [XybRow; 2] = std::array::from_fn(|_| XybRow::new(width));
        let mut channels: [Channel; 3] = std::array::from_fn(|_| Channel::new(width));
        let mut terms = Terms::default();
        for y in 0..height + RADIUS {
            if y < height {
                self.read_row(y, &mut linear);
                let [xyb_a, xyb_b] = &mut xyb;
                xyb_a.convert(&linear[..3]);
                xyb_b.convert(&linear[3..]);
            }
            for (index, channel) in channels.iter_mut().enumerate() {
                if y < height {
                    channel.put_row(y, &xyb[0].0[index], &xyb[1].0[index], &mut padded);
                } else {
                    channel.put_zeros(y);
                }
                if let Some(middle) = y.checked_sub(RADIUS) {
                    channel.take_row(middle);
                    terms.add_row(index, channel);
                }
            }
        }
        terms.divide_by((width * height) as f64);
        terms
    }
}

/// The rows of one channel that are in flight, and the blurred row that came out last.
pub struct Channel {
    width: usize,
    /// Blurred along the row, nine rows each: a, b, a² + b², ab.
    rings: [Vec<f32>; 4],
    /// The samples themselves, as many rows.
    rows: [Vec<f32>; 2],
    /// Blurred both ways.
    blurred: [Vec<f32>; 4],
    middle_slot: usize,
}

impl Channel {
    fn new(width: usize) -> Self {
        Channel {
            width,
            rings: std::array::from_fn(|_| vec![0.0; TAPS * width]),
            rows: std::array::from_fn(|_| vec![0.0; TAPS * width]),
            blurred: std::array::from_fn(|_| vec![0.0; width]),
            middle_slot: 0,
        }
    }

    fn slot(&self, y: usize) -> std::ops::Range<usize> {
        let start = y % TAPS * self.width;
        start..start + self.width
    }

    fn put_row(&mut self, y: usize, a: &[f32], b: &[f32], padded: &mut [Vec<f32>; 4]) {
        let slot = self.slot(y);
        self.rows[0][slot.clone()].copy_from_slice(a);
        self.rows[1][slot.clone()].copy_from_slice(b);
        let [pad_a, pad_b, squares, products] = padded
            .each_mut()
            .map(|row| &mut row[RADIUS..RADIUS + a.len()]);
        pad_a.copy_from_slice(a);
        pad_b.copy_from_slice(b);
        for x in 0..a.len() {
            squares[x] = a[x] * a[x] + b[x] * b[x];
            products[x] = a[x] * b[x];
        }
        for (ring, row) in self.rings.iter_mut().zip(padded) {
            BLUR.along(row, &mut ring[slot.clone()]);
        }
    }

    fn put_zeros(&mut self, y: usize) {
        let slot = self.slot(y);
        for ring in &mut self.rings {
            ring[slot.clone()].fill(0.0);
        }
    }

    /// Blurs down around row `middle`.
    fn take_row(&mut self, middle: usize) {
        self.middle_slot = self.slot(middle).start;
        for (ring, blurred) in self.rings.iter().zip(&mut self.blurred) {
            let rows = std::array::from_fn(|tap| {
                // Row `middle - RADIUS + tap`, which may be one above the picture.
                let start = (middle + TAPS - RADIUS + tap) % TAPS * self.width;
                &ring[start..start + self.width]
            });
            BLUR.across(rows, blurred);
        }
    }

    /// The samples of both pictures in the row that was taken.
    fn middle_rows(&self) -> [&[f32]; 2] {
        let slot = self.middle_slot..self.middle_slot + self.width;
        [&self.rows[0][slot.clone()], &self.rows[1][slot]]
    }
}
