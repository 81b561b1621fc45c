//! The restoration filter against its definition, pixel by pixel and pair by pair, in wide integers and floats.

use proptest::prelude::*;
use vaerans_core::image::Size;
use vaerans_core::restoration::{Adjustment, Observations, Restoration};
use vaerans_core::Error;

const CLASSES: usize = 144;
const WEIGHTS: usize = 36;
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
const NEAR: [(i64, i64); 4] = [(0, 1), (1, -1), (1, 0), (1, 1)];

/// A picture, or a window of one that stands for itself: samples outside repeat the edge.
struct Picture {
    rgb: Vec<[i64; 3]>,
    width: i64,
    height: i64,
}

impl Picture {
    fn window(bytes: &[u8], size: Size, (x, y): (usize, usize), area: Size) -> Self {
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

    fn pixel(&self, row: i64, column: i64) -> [i64; 3] {
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

    fn class(&self, row: i64, column: i64) -> usize {
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

    fn pair(&self, component: usize, row: i64, column: i64, (down, across): (i64, i64)) -> i64 {
        let sample = |sign: i64| self.sample(component, row + sign * down, column + sign * across);
        sample(1) + sample(-1) - 2 * sample(0)
    }

    /// What is added to luma and to both differences, with 14 bits below a level.
    fn parts(&self, weights: &[i64], row: i64, column: i64) -> [i64; 3] {
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
fn weights_at(knots: &[Vec<i16>], rate: u32, adjustment: &Adjustment) -> Vec<Vec<i64>> {
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

fn restored(picture: &Picture, weights: &[Vec<i64>]) -> Vec<u8> {
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

fn file_of(knots: &[Vec<i16>]) -> Vec<u8> {
    let mut file = b"VRST\x01".to_vec();
    file.push(knots.len() as u8 - 1);
    file.extend(
        knots
            .iter()
            .flatten()
            .flat_map(|weight| weight.to_le_bytes()),
    );
    file
}

/// Numbers that look like noise.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    })
}

fn knots(count: usize, largest: i64, seed: u64) -> Vec<Vec<i16>> {
    let mut numbers = noise(seed).map(|n| (n as i64 % (2 * largest + 1) - largest) as i16);
    (0..count)
        .map(|_| numbers.by_ref().take(CLASSES * WEIGHTS).collect())
        .collect()
}

/// Edges of all directions and strengths, and noise.
fn picture(size: Size, seed: u64) -> Vec<u8> {
    let mut grain = noise(seed);
    let (a, b, c) = (
        seed as i64 % 7 - 3,
        seed as i64 / 7 % 7 - 3,
        1 + seed as i64 % 5,
    );
    let mut out = Vec::new();
    for row in 0..size.height as i64 {
        for column in 0..size.width as i64 {
            let edge = if (a * row + b * column + c * c).rem_euclid(4 * c + 9) > 2 * c {
                40 * c
            } else {
                7 * c
            };
            let spread = 1 + seed % 60;
            for channel in 0..3 {
                let grain = (grain.next().unwrap_or(0) % spread) as i64;
                out.push((edge + channel * 9 + grain).clamp(0, 255) as u8);
            }
        }
    }
    out
}

fn windows() -> impl Strategy<Value = (Size, (usize, usize), Size)> {
    let side = || prop_oneof![Just(1usize), Just(2), Just(3), Just(9), 1..40usize];
    let parts = || {
        (
            side(),
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
        )
    };
    let cut = |(side, start, length): (usize, prop::sample::Index, prop::sample::Index)| {
        let start = start.index(side);
        (side, start, 1 + length.index(side - start))
    };
    (parts(), parts()).prop_map(move |(across, down)| {
        let ((width, x, part_width), (height, y, part_height)) = (cut(across), cut(down));
        let area = Size {
            width: part_width,
            height: part_height,
        };
        (Size { width, height }, (x, y), area)
    })
}

fn adjustments() -> impl Strategy<Value = Adjustment> {
    let numbers = prop::collection::vec(any::<i8>(), Adjustment::LENGTH);
    prop_oneof![
        Just(Adjustment::default()),
        numbers.prop_map(|numbers| Adjustment(std::array::from_fn(|index| numbers[index]))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_window_is_filtered_as_the_definition_says_and_nothing_else(
        (size, at, area) in windows(), count in 2usize..5, rate in 0u32..=4095, seed in any::<u64>(),
        largest in prop_oneof![Just(300i64), Just(4095)], adjustment in adjustments(),
    ) {
        let knots = knots(count, largest, seed);
        let before = picture(size, seed >> 7);
        let mut after = before.clone();
        let filter = Restoration::at_rate(&file_of(&knots), rate, &adjustment).unwrap();
        filter.apply(&mut after, size, at, area).unwrap();
        let window = Picture::window(&before, size, at, area);
        let expected = restored(&window, &weights_at(&knots, rate, &adjustment));
        let found = Picture::window(&after, size, at, area).rgb.concat();
        prop_assert_eq!(found, expected.into_iter().map(i64::from).collect::<Vec<_>>());
        for (index, (a, b)) in before.iter().zip(&after).enumerate() {
            let (row, column) = (index / 3 / size.width, index / 3 % size.width);
            let inside = (at.1..at.1 + area.height).contains(&row) && (at.0..at.0 + area.width).contains(&column);
            prop_assert!(inside || a == b);
        }
    }

    #[test]
    fn observations_are_the_sums_of_every_eighth_pixel((size, at, area) in windows(), seed in any::<u64>()) {
        let knots = knots(2, 300, seed);
        let none = Adjustment::default();
        let filter = Restoration::at_rate(&file_of(&knots), 2000, &none).unwrap();
        let original = picture(size, seed >> 9);
        let mut decoded = picture(size, seed >> 8);
        let mut found = Observations::default();
        found.add(&filter, &mut decoded, &original, size, at, area).unwrap();
        let (got, wanted) = (Picture::window(&decoded, size, at, area), Picture::window(&original, size, at, area));
        let weights = weights_at(&knots, 2000, &none);
        let mut expected = vec![0.0; Observations::NUMBERS];
        for row in 0..got.height {
            for column in (0..got.width).filter(|column| column % 8 == 3 * row % 8) {
                let parts = got.parts(&weights[got.class(row, column)], row, column).map(|part| part as f64 / 16384.0);
                let [r, g, b]: [f64; 3] =
                    std::array::from_fn(|c| (wanted.pixel(row, column)[c] - got.pixel(row, column)[c]) as f64);
                let errors = [(r + g + b) / 3.0, (r - b) / 2.0, (2.0 * g - r - b) / 6.0];
                for component in 0..3 {
                    let mut features = vec![parts[component]];
                    let planes = if component == 0 { vec![0] } else { vec![0, component] };
                    for plane in planes {
                        features.extend(NEAR.map(|at| got.pair(plane, row, column, at) as f64 / 4.0));
                    }
                    let missing = errors[component] - parts[component];
                    let sums = &mut expected[91 * component..][..91];
                    for (i, a) in features.iter().enumerate() {
                        for (j, b) in features[..=i].iter().enumerate() {
                            sums[9 * i + j] += a * b;
                        }
                        sums[81 + i] += a * missing;
                    }
                    sums[90] += missing * missing;
                }
            }
        }
        for (found, expected) in found.to_numbers().zip(expected) {
            prop_assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{found} {expected}");
        }
    }
}

#[test]
fn flat_pictures_stay_as_they_are() {
    let size = Size {
        width: 20,
        height: 12,
    };
    let filter =
        Restoration::at_rate(&file_of(&knots(2, 1365, 5)), 77, &Adjustment::default()).unwrap();
    for level in [0, 128, 255] {
        let mut flat = vec![level; 720];
        filter.apply(&mut flat, size, (0, 0), size).unwrap();
        assert_eq!(flat, vec![level; 720]);
    }
}

#[test]
fn slopes_on_a_bound_and_patterns_without_a_slope_have_the_class_of_the_definition() {
    let size = Size {
        width: 9,
        height: 9,
    };
    let weights = knots(2, 300, 11);
    let none = Adjustment::default();
    let filter = Restoration::at_rate(&file_of(&weights), 0, &none).unwrap();
    let weights = weights_at(&weights, 0, &none);
    // Of luma in quarters of a level, across and down: 100 times the sum of their squares is a bound of strength.
    let ramps = [(8, 0), (15, 5), (20, 20), (30, 40), (90, 30), (0, 8)];
    let luma = |kind: usize, row: i64, column: i64| match ramps.get(kind) {
        Some((across, down)) => (across * column + down * row).min(1020),
        None => 400 + 200 * ((row + column * (kind as i64 - 5)) % 2),
    };
    for kind in 0..ramps.len() + 2 {
        let mut bytes = Vec::new();
        for place in 0..81 {
            let luma = luma(kind, place / 9, place % 9);
            let green = (luma / 4).min(255);
            let red = (luma - 2 * green).min(255);
            bytes.extend([red as u8, green as u8, (luma - 2 * green - red) as u8]);
        }
        let expected = restored(&Picture::window(&bytes, size, (0, 0), size), &weights);
        filter.apply(&mut bytes, size, (0, 0), size).unwrap();
        assert_eq!(bytes, expected, "pattern {kind}");
    }
}

#[test]
fn edges_of_all_classes_occur_in_the_pictures_of_these_tests() {
    let size = Size {
        width: 40,
        height: 40,
    };
    let mut seen = [false; CLASSES];
    for seed in 0..400 {
        let picture = Picture::window(&picture(size, seed), size, (0, 0), size);
        for place in 0..1600 {
            seen[picture.class(place / 40, place % 40)] = true;
        }
    }
    // A place without any slope has no other direction.
    let rare = seen.iter().filter(|&&seen| !seen).count();
    assert!(rare <= 12, "{rare} classes never occur");
}

#[test]
fn what_is_no_filter_is_refused() {
    let good = file_of(&knots(2, 4095, 1));
    let none = Adjustment::default();
    let refused = |file: &[u8]| {
        assert!(matches!(
            Restoration::at_rate(file, 0, &none),
            Err(Error::Corrupt { .. })
        ));
    };
    assert!(Restoration::at_rate(&good, 4095, &none).is_ok());
    for length in [0, 5, 6, good.len() - 1] {
        refused(&good[..length]);
    }
    refused(&[good.as_slice(), &[0]].concat());
    refused(&[good.as_slice(), &[0, 0]].concat());
    for (at, byte) in [(0, b'X'), (4, 2), (5, 0), (5, 2), (5, 64)] {
        let mut bad = good.clone();
        bad[at] = byte;
        refused(&bad);
    }
    for weight in [4096i16, -4096, i16::MIN] {
        let mut bad = good.clone();
        let last = bad.len() - 2;
        bad[last..].copy_from_slice(&weight.to_le_bytes());
        refused(&bad);
    }
    assert!(matches!(
        Restoration::at_rate(&good, 4096, &none),
        Err(Error::OutOfRange { .. })
    ));
}

#[test]
fn windows_that_are_not_inside_are_refused() {
    let filter =
        Restoration::at_rate(&file_of(&knots(2, 9, 1)), 0, &Adjustment::default()).unwrap();
    let size = Size {
        width: 4,
        height: 3,
    };
    let mut rgb = vec![0; 36];
    for (at, area) in [
        ((1, 0), size),
        ((0, 1), size),
        (
            (0, 0),
            Size {
                width: 0,
                height: 3,
            },
        ),
    ] {
        assert!(filter.apply(&mut rgb, size, at, area).is_err());
    }
    assert!(filter.apply(&mut rgb[..35], size, (0, 0), size).is_err());
    let original = vec![0; 35];
    let mut found = Observations::default();
    assert!(found
        .add(&filter, &mut rgb, &original, size, (0, 0), size)
        .is_err());
}
