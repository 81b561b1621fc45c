//! The restoration filter against its definition, and what it refuses.

#[path = "support/plain_restoration.rs"]
mod plain_restoration;

use plain_restoration::{restored, weights_at, Picture, CLASSES, NEAR, WEIGHTS};
use proptest::prelude::*;
use vaerans_core::image::Size;
use vaerans_core::restoration::{Adjustment, Observations, Restoration};
use vaerans_core::Error;

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
