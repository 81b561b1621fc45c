//! SSIM (Wang, Bovik, Sheikh, Simoncelli 2004) and MS-SSIM (Wang, Simoncelli, Bovik 2003), of each channel by itself,
//! then the mean of the channels.
//!
//! Rows are streamed: of a scale eleven filtered rows are held, and of the picture a quarter of its samples as floats.

use crate::gaussian::Window;
use crate::Pair;

const TAPS: usize = 11;
const RADIUS: usize = TAPS / 2;

/// A Gaussian of sigma 1.5, its taps summing to 1.
const GAUSSIAN: Window<{ RADIUS + 1 }, TAPS> = Window([
    0.266_011_7,
    0.213_005_54,
    0.109_360_69,
    0.036_000_773,
    0.007_598_758,
    0.001_028_380_1,
]);

/// The window's own size.
pub const SSIM_MIN_SIDE: usize = TAPS;
/// Four halvings leave the window's size.
pub const MS_SSIM_MIN_SIDE: usize = (TAPS - 1) * 16 + 1;

/// (0.01 * 255)² and (0.03 * 255)².
const C1: f32 = 6.5025;
const C2: f32 = 58.5225;

/// Of the five scales, finest first; the paper's.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// Samples are held less this: variances are small differences of large squares.
const MIDDLE: f32 = 128.0;

/// -1 to 1, and 1 for equal pictures; `None` below 11 pixels a side.
pub fn ssim(pair: Pair) -> Option<f64> {
    if pair.short_side() < SSIM_MIN_SIDE {
        return None;
    }
    Some(mean_of_channels(pair, |channel| {
        Source::Picture(pair, channel).statistics().similarity
    }))
}

/// 0 to 1, and 1 for equal pictures; `None` below 161 pixels a side. Negative contrasts count as 0, and where a side is
/// odd the next scale sees a row or column of zeros before it, as pytorch-msssim has it.
pub fn ms_ssim(pair: Pair) -> Option<f64> {
    if pair.short_side() < MS_SSIM_MIN_SIDE {
        return None;
    }
    Some(mean_of_channels(pair, |channel| {
        let mut source = Source::Picture(pair, channel);
        let mut product = 1.0;
        for (scale, weight) in WEIGHTS.into_iter().enumerate() {
            let Statistics {
                contrast,
                similarity,
            } = source.statistics();
            let is_last = scale == WEIGHTS.len() - 1;
            let value = if is_last { similarity } else { contrast };
            product *= value.max(0.0).powf(weight);
            if !is_last {
                source = Source::Planes(source.halved());
            }
        }
        product
    }))
}

fn mean_of_channels(pair: Pair, of_channel: impl Fn(usize) -> f64) -> f64 {
    (0..pair.channels).map(of_channel).sum::<f64>() / pair.channels as f64
}

/// One channel of both pictures at one scale.
enum Source<'a> {
    Picture(Pair<'a>, usize),
    Planes(Planes),
}

struct Planes {
    width: usize,
    height: usize,
    a: Vec<f32>,
    b: Vec<f32>,
}

/// Means over all places of the window.
struct Statistics {
    /// Contrast times structure.
    contrast: f64,
    /// The same times luminance: SSIM.
    similarity: f64,
}

impl Source<'_> {
    fn size(&self) -> (usize, usize) {
        match self {
            Source::Picture(pair, _) => (pair.width, pair.height),
            Source::Planes(planes) => (planes.width, planes.height),
        }
    }

    fn read_row(&self, y: usize, a: &mut [f32], b: &mut [f32]) {
        let width = a.len();
        match self {
            Source::Picture(pair, channel) => {
                let stride = width * pair.channels;
                for (picture, row) in [(pair.a, a), (pair.b, b)] {
                    let samples = picture[y * stride + channel..(y + 1) * stride].iter();
                    for (value, &sample) in row.iter_mut().zip(samples.step_by(pair.channels)) {
                        *value = f32::from(sample) - MIDDLE;
                    }
                }
            }
            Source::Planes(planes) => {
                a.copy_from_slice(&planes.a[y * width..(y + 1) * width]);
                b.copy_from_slice(&planes.b[y * width..(y + 1) * width]);
            }
        }
    }

    fn statistics(&self) -> Statistics {
        let (width, height) = self.size();
        let filtered_width = width - 2 * RADIUS;
        // a, b, a² + b², ab.
        let mut row: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; width]);
        let mut rings: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; TAPS * filtered_width]);
        let mut windows: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; filtered_width]);
        let mut contrast = 0.0;
        let mut similarity = 0.0;
        for y in 0..height {
            let [a, b, squares, products] = &mut row;
            self.read_row(y, a, b);
            let pairs = a.iter().zip(b.iter());
            for ((&a, &b), (square, product)) in pairs.zip(squares.iter_mut().zip(products)) {
                *square = a * a + b * b;
                *product = a * b;
            }
            let slot = y % TAPS * filtered_width;
            for (ring, row) in rings.iter_mut().zip(&row) {
                GAUSSIAN.along(row, &mut ring[slot..slot + filtered_width]);
            }
            if y + 1 < TAPS {
                continue;
            }
            for (ring, window) in rings.iter().zip(&mut windows) {
                let oldest = (y + 1) % TAPS;
                let rows = std::array::from_fn(|tap| {
                    let slot = (oldest + tap) % TAPS * filtered_width;
                    &ring[slot..slot + filtered_width]
                });
                GAUSSIAN.across(rows, window);
            }
            let sums = sum_row(&mut windows);
            contrast += sums.contrast;
            similarity += sums.similarity;
        }
        let places = (filtered_width * (height - 2 * RADIUS)) as f64;
        Statistics {
            contrast: contrast / places,
            similarity: similarity / places,
        }
    }

    /// Means of 2x2 samples.
    fn halved(&self) -> Planes {
        let (width, height) = self.size();
        // A side that is odd gets a zero before it.
        let (pad_x, pad_y) = (width % 2, height % 2);
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let mut padded: [Vec<f32>; 4] = std::array::from_fn(|_| vec![-MIDDLE; width + pad_x]);
        let halve = |upper: &[f32], lower: &[f32], dst: &mut [f32]| {
            let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
            for (value, (upper, lower)) in dst.iter_mut().zip(upper.iter().zip(lower)) {
                *value = 0.25 * (upper[0] + upper[1] + lower[0] + lower[1]);
            }
        };
        let [mut a, mut b] = [(); 2].map(|()| vec![0.0; half_width * half_height]);
        for y in 0..half_height {
            let [upper_a, upper_b, lower_a, lower_b] = &mut padded;
            let lower_y = 2 * y + 1 - pad_y;
            // The row above the first stays the zeros that it was made with.
            if let Some(upper_y) = lower_y.checked_sub(1) {
                self.read_row(upper_y, &mut upper_a[pad_x..], &mut upper_b[pad_x..]);
            }
            self.read_row(lower_y, &mut lower_a[pad_x..], &mut lower_b[pad_x..]);
            let range = y * half_width..(y + 1) * half_width;
            halve(upper_a, lower_a, &mut a[range.clone()]);
            halve(upper_b, lower_b, &mut b[range]);
        }
        Planes {
            width: half_width,
            height: half_height,
            a,
            b,
        }
    }
}

/// Contrast and similarity of a row of windows, summed; the windows are used up.
fn sum_row(windows: &mut [Vec<f32>; 4]) -> Statistics {
    let length = windows[0].len();
    // Lengths that the compiler can see leave no checks in the loop.
    let [mean_a, mean_b, squares, products] = windows.each_mut().map(|row| &mut row[..length]);
    for x in 0..length {
        let (a, b) = (mean_a[x], mean_b[x]);
        let contrast = (2.0 * (products[x] - a * b) + C2) / (squares[x] - (a * a + b * b) + C2);
        let (a, b) = (a + MIDDLE, b + MIDDLE);
        squares[x] = contrast;
        products[x] = contrast * ((2.0 * a * b + C1) / (a * a + b * b + C1));
    }
    Statistics {
        contrast: sum(squares),
        similarity: sum(products),
    }
}

/// In four lanes of doubles.
fn sum(values: &[f32]) -> f64 {
    let (blocks, rest) = values.as_chunks::<4>();
    let mut lanes = [0f64; 4];
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += f64::from(value);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().copied().map(f64::from).sum::<f64>()
}
