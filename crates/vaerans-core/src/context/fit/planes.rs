//! What a picture's symbols offer to the sums, as planes of floats that are shifted once.

use super::super::model::{Place, ABOVE1, ABOVE2, PLACES};
use super::super::rows::{MAGNITUDE_LIMIT, VALUE_LIMIT};

/// Features of an earlier channel: magnitude here, ring, and a value at every place.
pub const FEATURES: usize = 2 + PLACES.len();

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest = a.len() / 16 * 16;
    sums.iter().sum::<f32>()
        + a[rest..]
            .iter()
            .zip(&b[rest..])
            .map(|(a, b)| a * b)
            .sum::<f32>()
}

/// Features of one picture, shifted planes made once.
pub struct Planes {
    width: usize,
    height: usize,
    pub alive: Vec<bool>,
    pub magnitudes: Vec<Vec<f32>>,
    pub values: Vec<Vec<f32>>,
    /// [feature][channel][place]
    pub features: [Vec<Vec<f32>>; FEATURES],
}

impl Planes {
    pub fn new(symbols: &[i16], channels: usize, width: usize, height: usize) -> Self {
        let area = width * height;
        let mut planes = Self {
            width,
            height,
            alive: symbols
                .chunks_exact(area)
                .map(|plane| plane.iter().any(|&s| s != 0))
                .collect(),
            magnitudes: Vec::new(),
            values: Vec::new(),
            features: std::array::from_fn(|_| vec![Vec::new(); channels]),
        };
        for channel in 0..channels {
            let plane = &symbols[channel * area..][..area];
            let value = |&s: &i16| f32::from(s.clamp(-VALUE_LIMIT, VALUE_LIMIT));
            let values: Vec<f32> = plane.iter().map(value).collect();
            let limit = f32::from(MAGNITUDE_LIMIT);
            let magnitudes: Vec<f32> = values.iter().map(|v| v.abs().min(limit)).collect();
            if planes.alive[channel] {
                let mut ring = vec![0.0; area];
                for (dy, dx) in [(0, -1), (0, 1), (-1, -1), (-1, 0), (-1, 1)] {
                    planes.add_shifted(&magnitudes, dy, dx, 1.0, &mut ring);
                }
                planes.features[0][channel] = magnitudes.clone();
                planes.features[1][channel] = ring;
                for (index, place) in PLACES.iter().enumerate() {
                    let (dy, dx) = match place {
                        Place::Here => (0, 0),
                        Place::West => (0, -1),
                        Place::East => (0, 1),
                        Place::Above => (-1, 0),
                    };
                    let mut shifted = vec![0.0; area];
                    planes.add_shifted(&values, dy, dx, 1.0, &mut shifted);
                    planes.features[2 + index][channel] = shifted;
                }
            }
            planes.magnitudes.push(magnitudes);
            planes.values.push(values);
        }
        planes
    }

    /// First column and length of what a row overlaps with itself moved by `dx`.
    fn overlap(&self, dx: isize) -> (usize, usize) {
        let skip = dx.unsigned_abs().min(self.width);
        (if dx < 0 { skip } else { 0 }, self.width - skip)
    }

    fn add_shifted(&self, plane: &[f32], dy: isize, dx: isize, weight: f32, sums: &mut [f32]) {
        let (first, length) = self.overlap(dx);
        for row in dy.unsigned_abs()..self.height {
            let to = row * self.width + first;
            let from = ((row as isize + dy) * self.width as isize + first as isize + dx) as usize;
            let source = &plane[from..from + length];
            sums[to..to + length]
                .iter_mut()
                .zip(source)
                .for_each(|(s, p)| *s += weight * p);
        }
    }

    fn tap_offset(tap: usize) -> (isize, isize) {
        match tap {
            0..3 => (-2, ABOVE2[tap]),
            3..8 => (-1, ABOVE1[tap - 3]),
            _ => (0, tap as isize - 10),
        }
    }

    pub fn add_tap(&self, plane: &[f32], tap: usize, weight: f32, sums: &mut [f32]) {
        let (dy, dx) = Self::tap_offset(tap);
        self.add_shifted(plane, dy, dx, weight, sums);
    }

    pub fn tap_slope(&self, plane: &[f32], tap: usize, slopes: &[f32]) -> f32 {
        let (dy, dx) = Self::tap_offset(tap);
        let (first, length) = self.overlap(dx);
        let mut sum = 0.0;
        for row in dy.unsigned_abs()..self.height {
            let to = row * self.width + first;
            let from = ((row as isize + dy) * self.width as isize + first as isize + dx) as usize;
            sum += dot(&slopes[to..to + length], &plane[from..from + length]);
        }
        sum
    }
}
