//! The restoration filter as it is defined, pixel by pixel and pair by pair, in wide integers and floats.

use vaerans_core::image::Size;
use vaerans_core::restoration::Adjustment;

pub const CLASSES: usize = 144;
pub const WEIGHTS: usize = 36;
const WIDE: [(i64, i64); 12] = [
    (0, 1),
    (0, 2),
    (1, -2),
    (1, -1),
    (1, 0),
    (1, 1),
    (1, 2),
    (2, -2),
    (2, -1),
    (2, 0),
    (2, 1),
    (2, 2),
];
pub const NEAR: [(i64, i64); 4] = [(0, 1), (1, -1), (1, 0), (1, 1)];

/// A picture, or a window of one that stands for itself: samples outside repeat the edge.
pub struct Picture {
    pub rgb: Vec<[i64; 3]>,
    pub width: i64,
    pub height: i64,
}

impl Picture {
    pub fn window(bytes: &[u8], size: Size, (x, y): (usize, usize), area: Size) -> Self {
        let at = |row: usize, column: usize| 3 * ((y + row) * size.width + x + column);
        let pixels =
            (0..area.height).flat_map(|row| (0..area.width).map(move |column| (row, column)));
        let rgb = pixels
            .map(|(row, column)| std::array::from_fn(|c| i64::from(bytes[at(row, column) + c])));
        Self {
            rgb: rgb.collect(),
            width: area.width as i64,
            height: area.height as i64,
        }
    }

    pub fn pixel(&self, row: i64, column: i64) -> [i64; 3] {
        let (row, column) = (
            row.clamp(0, self.height - 1),
            column.clamp(0, self.width - 1),
        );
        self.rgb[(row * self.width + column) as usize]
    }

    /// Luma, red - blue and 2 green - red - blue, in quarters of a level.
    fn sample(&self, component: usize, row: i64, column: i64) -> i64 {
        let [red, green, blue] = self.pixel(row, column);
        [
            red + 2 * green + blue,
            4 * (red - blue),
            4 * (2 * green - red - blue),
        ][component]
    }

    /// Of slopes at a place of the picture; outside the nearest one's.
    fn slopes(&self, row: i64, column: i64) -> (i64, i64) {
        let (row, column) = (
            row.clamp(0, self.height - 1),
            column.clamp(0, self.width - 1),
        );
        let luma = |row, column| self.sample(0, row, column);
        (
            luma(row, column + 1) - luma(row, column - 1),
            luma(row + 1, column) - luma(row - 1, column),
        )
    }

    pub fn class(&self, row: i64, column: i64) -> usize {
        let (mut across, mut down, mut both) = (0, 0, 0);
        for y in row - 2..=row + 2 {
            for x in column - 2..=column + 2 {
                let (a, b) = self.slopes(y, x);
                across += a * a;
                down += b * b;
                both += a * b;
            }
        }
        let (p, r) = ((across - down) as f64, (2 * both) as f64);
        let sum = (across + down) as f64;
        let (large, small) = (p.abs().max(r.abs()), p.abs().min(r.abs()));
        // Eighths of a turn of the angle that is twice the slope's; the straight ones reach to a tangent of 0.4.
        let direction = if large > 0.0 && small / large < 0.4 {
            match (r.abs() > p.abs(), p > 0.0, r > 0.0) {
                (false, true, _) => 0,
                (true, _, true) => 2,
                (false, false, _) => 4,
                (true, _, false) => 6,
            }
        } else {
            match (p > 0.0, r > 0.0) {
                (true, true) => 1,
                (false, true) => 3,
                (false, false) => 5,
                (true, false) => 7,
            }
        };
        let strength = [6_400.0, 25_000.0, 80_000.0, 250_000.0, 900_000.0]
            .iter()
            .filter(|&&bound| sum > bound)
            .count();
        let length = large + 0.375 * small;
        let coherence = usize::from(length > 15.0 / 32.0 * (sum + 80.0))
            + usize::from(length > 13.0 / 16.0 * (sum + 80.0));
        (direction * 6 + strength) * 3 + coherence
    }

    pub fn pair(&self, component: usize, row: i64, column: i64, (down, across): (i64, i64)) -> i64 {
        let sample = |sign: i64| self.sample(component, row + sign * down, column + sign * across);
        sample(1) + sample(-1) - 2 * sample(0)
    }

    /// What is added to luma and to both differences, with 14 bits below a level.
    pub fn parts(&self, weights: &[i64], row: i64, column: i64) -> [i64; 3] {
        let (luma, colours) = weights.split_at(12);
        let plane = |component: usize, places: &[(i64, i64)], weights: &[i64]| {
            let at =
                |(down, across): (i64, i64)| self.sample(component, row + down, column + across);
            let pairs = places
                .iter()
                .zip(weights)
                .map(|(&(y, x), w)| w * (at((y, x)) + at((-y, -x))));
            let own = (-2 * weights.iter().sum::<i64>()).clamp(-32768, 32767);
            pairs.sum::<i64>() + own * at((0, 0))
        };
        let colour = |weights: &[i64]| {
            (0..3)
                .map(|c| plane(c, &NEAR, &weights[4 * c..][..4]))
                .sum()
        };
        [
            plane(0, &WIDE, luma),
            colour(&colours[..12]),
            colour(&colours[12..]),
        ]
    }
}

/// Weights of every class at a rate, turned by an adjustment.
pub fn weights_at(knots: &[Vec<i16>], rate: u32, adjustment: &Adjustment) -> Vec<Vec<i64>> {
    let place = f64::from(rate) / 4095.0 * (knots.len() - 1) as f64;
    let knot = (place.floor() as usize).min(knots.len() - 2);
    // Exactly, over 4095.
    let above = i64::from(rate) * (knots.len() as i64 - 1) - 4095 * knot as i64;
    let at = |index: usize| {
        let (low, high) = (
            i64::from(knots[knot][index]),
            i64::from(knots[knot + 1][index]),
        );
        (low * (4095 - above) + high * above + 2047).div_euclid(4095)
    };
    let own = adjustment.0.map(i64::from);
    let turned = |class: usize| {
        let mut weights: Vec<i64> = (0..WEIGHTS)
            .map(|index| at(class * WEIGHTS + index))
            .collect();
        for (index, weight) in weights.iter_mut().enumerate() {
            let (component, index) = (index / 12, index % 12);
            let start = [0, 5, 14][component];
            *weight = (*weight * (64 + own[start])).div_euclid(64);
            let pair = match component {
                0 => NEAR.iter().position(|near| *near == WIDE[index]),
                _ if index < 4 => Some(index),
                _ if index / 4 == component => Some(4 + index % 4),
                _ => None,
            };
            if let Some(pair) = pair {
                *weight += 8 * own[start + 1 + pair];
            }
            *weight = (*weight).clamp(-4095, 4095);
        }
        weights
    };
    (0..CLASSES).map(turned).collect()
}

pub fn restored(picture: &Picture, weights: &[Vec<i64>]) -> Vec<u8> {
    let mut out = Vec::new();
    for row in 0..picture.height {
        for column in 0..picture.width {
            let own = &weights[picture.class(row, column)];
            let [luma, orange, green] = picture.parts(own, row, column);
            let changes = [
                luma + orange - green,
                luma + 2 * green,
                luma - orange - green,
            ];
            for (sample, change) in picture.pixel(row, column).into_iter().zip(changes) {
                let rounded = (change + (1 << 13)) >> 14;
                out.push((sample + rounded.clamp(-32768, 32767)).clamp(0, 255) as u8);
            }
        }
    }
    out
}
