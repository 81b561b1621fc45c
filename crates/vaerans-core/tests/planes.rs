//! The plane coder gives back what it was given, exactly or within the promised error, and refuses everything else.

use proptest::prelude::*;
use vaerans_core::planes::{self, decode, encode, encode_bound, Coding, Layout, Sample};
use vaerans_core::Error;

fn layout_of(width: usize, rows: usize, components: usize) -> Layout {
    Layout {
        width,
        rows,
        components,
    }
}

fn coded<S: Sample>(samples: &[S], layout: Layout, coding: Coding) -> Vec<u8> {
    let bound = encode_bound::<S>(layout).unwrap();
    let mut room = vec![0; bound];
    let length = encode(samples, layout, coding, &mut room).unwrap();
    room.truncate(length);
    room
}

fn round_trip<S: Sample + Default>(samples: &[S], layout: Layout, coding: Coding) -> Vec<S> {
    let bytes = coded(samples, layout, coding);
    let mut back = vec![S::default(); samples.len()];
    decode(&bytes, &mut back, layout).unwrap();
    back
}

/// Samples between flat and noise: a slope, and noise of an amplitude.
fn scene<S: Sample>(layout: Layout, amplitude: i32, seed: u64) -> Vec<S> {
    let mut state = seed | 1;
    let length = layout.width * layout.rows * layout.components;
    let sample = |i: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let noise = (state >> 20) as i32 % amplitude.max(1);
        let slope = (i / layout.components % layout.width) as i32 * amplitude / 16;
        S::narrow((slope + noise).clamp(S::MIN, S::MAX))
    };
    (0..length).map(sample).collect()
}

fn layouts() -> impl Strategy<Value = Layout> {
    (1usize..40, 1usize..40, 1usize..=4).prop_map(|(width, rows, components)| Layout {
        width,
        rows,
        components,
    })
}

fn check<S: Sample>(samples: &[S], back: &[S], max_error: i32) {
    for (&from, &to) in samples.iter().zip(back) {
        assert!((from.widen() - to.widen()).abs() <= max_error);
    }
}

macro_rules! round_trips {
    ($($name:ident: $type:ty;)*) => {$(
        proptest! {
            #[test]
            fn $name(
                layout in layouts(),
                amplitude in prop_oneof![Just(0), 1..600i32, Just(70_000)],
                max_error in prop_oneof![Just(0u32), 1u32..255],
                seed in any::<u64>(),
            ) {
                let samples = scene::<$type>(layout, amplitude, seed);
                let back = round_trip(&samples, layout, Coding::MaxError(max_error));
                check(&samples, &back, max_error as i32);
            }
        }
    )*};
}
round_trips! {
    u8_come_back_within_the_largest_error: u8;
    u16_come_back_within_the_largest_error: u16;
    differences_of_u8_come_back_within_the_largest_error: i16;
    differences_of_u16_come_back_within_the_largest_error: i32;
}

/// Mean squared error of a coding.
fn error<S: Sample + Default>(samples: &[S], layout: Layout, coding: Coding) -> f64 {
    let back = round_trip(samples, layout, coding);
    let squares = samples.iter().zip(&back).map(|(a, b)| {
        let difference = f64::from(a.widen() - b.widen());
        difference * difference
    });
    squares.sum::<f64>() / samples.len() as f64
}

macro_rules! wavelets {
    ($($name:ident: $type:ty, $least:expr;)*) => {$(
        proptest! {
            #[test]
            fn $name(
                (width, rows, components) in (1usize..80, 1usize..80, 1usize..=4),
                amplitude in prop_oneof![Just(0), 1..250i32],
                step in 1u32..2000,
                seed in any::<u64>(),
            ) {
                let layout = layout_of(width, rows, components);
                let samples = scene::<$type>(layout, amplitude, seed);
                let step = step.max($least);
                let levels = f64::from(step) / 64.0;
                // Uniform errors would be a twelfth; a dead zone, rounding, and few samples make it more.
                let got = error(&samples, layout, Coding::Step(step));
                prop_assert!(got <= levels * levels * 0.7 + 1.0, "{got} for {levels}");
                // Told without coding, but for a band that is kept raw.
                let mut told = samples.clone();
                planes::round_trip(&mut told, layout, step).unwrap();
                let bytes = coded(&samples, layout, Coding::Step(step));
                if bytes.len() < encode_bound::<$type>(layout).unwrap() {
                    let back = round_trip(&samples, layout, Coding::Step(step));
                    prop_assert!(told.iter().zip(&back).all(|(a, b)| a.widen() == b.widen()));
                }
            }
        }
    )*};
}
wavelets! {
    wavelets_of_u8_keep_to_their_step: u8, 1;
    wavelets_of_u16_keep_to_their_step: u16, 256;
    wavelets_of_differences_of_u8_keep_to_their_step: i16, 1;
    wavelets_of_differences_of_u16_keep_to_their_step: i32, 256;
}

#[test]
fn extremes_survive_the_wavelet() {
    let layout = layout_of(33, 18, 3);
    for (fine, coarse) in [(0u16, 65_535u16), (65_535, 0)] {
        let samples: Vec<u16> = (0..33 * 18 * 3)
            .map(|i| if i / 7 % 2 == 0 { fine } else { coarse })
            .collect();
        for step in [1, 64, 4096, 1 << 22] {
            let got = error(&samples, layout, Coding::Step(step));
            let levels = f64::from(step.max(256)) / 64.0;
            assert!(got <= levels * levels + 1.0, "{got} for {levels}");
        }
    }
}

#[test]
fn extremes_come_back() {
    let layout = layout_of(17, 9, 3);
    let mut flip = false;
    let samples: Vec<i32> = (0..17 * 9 * 3)
        .map(|i| {
            flip ^= i % 5 == 0;
            if flip {
                65_535
            } else {
                -65_535
            }
        })
        .collect();
    assert_eq!(round_trip(&samples, layout, Coding::MaxError(0)), samples);
}

#[test]
fn noise_is_stored_as_it_is_behind_the_head() {
    let layout = layout_of(64, 64, 3);
    let mut state = 7u32;
    let noise: Vec<u8> = (0..64 * 64 * 3)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let bytes = coded(&noise, layout, Coding::MaxError(0));
    assert_eq!(bytes[0] & 7, 0, "not stored as it is");
    assert_eq!(bytes.len(), 1 + noise.len());
    assert_eq!(round_trip(&noise, layout, Coding::MaxError(0)), noise);
}

/// Drawn shapes: few colours, in runs, the same shape again and again.
fn drawing(width: usize, rows: usize, components: usize) -> Vec<u8> {
    (0..width * rows * components)
        .map(|i| {
            let (x, y) = (i / components % width % 16, i / components / width % 12);
            let on = x * x + y * y < 90 && x + y > 5;
            if on {
                200 - 60 * (i % components) as u8
            } else {
                9
            }
        })
        .collect()
}

#[test]
fn drawn_pictures_come_back_for_a_fraction_of_a_bit_a_pixel() {
    for components in 1..=4 {
        let layout = layout_of(160, 120, components);
        let samples = drawing(160, 120, components);
        let bytes = coded(&samples, layout, Coding::MaxError(0));
        assert!(bytes.len() < 160 * 120 / 40, "{} bytes", bytes.len());
        assert_eq!(round_trip(&samples, layout, Coding::MaxError(0)), samples);
        let wide: Vec<i16> = samples.iter().map(|&s| i16::from(s) - 255).collect();
        assert_eq!(round_trip(&wide, layout, Coding::MaxError(0)), wide);
        let deep: Vec<u16> = samples.iter().map(|&s| u16::from(s) * 257).collect();
        assert_eq!(round_trip(&deep, layout, Coding::MaxError(0)), deep);
    }
}

#[test]
fn flat_pictures_cost_a_few_bytes() {
    for value in [0u8, 128, 255] {
        let bytes = coded(
            &vec![value; 512 * 512 * 4],
            layout_of(512, 512, 4),
            Coding::MaxError(0),
        );
        assert!(bytes.len() <= 24, "{} bytes", bytes.len());
    }
}

#[test]
fn values_outside_their_range_are_refused() {
    let refused = encode(
        &[256i16],
        layout_of(1, 1, 1),
        Coding::MaxError(0),
        &mut [0; 8],
    );
    assert!(matches!(refused, Err(Error::OutOfRange { .. })));
}

#[test]
fn every_truncation_and_every_flipped_bit_ends_without_a_panic() {
    let layout = layout_of(13, 7, 3);
    damage(&scene::<u8>(layout, 90, 3), layout);
    damage(&drawing(16, 12, 3), layout_of(16, 12, 3));
}

fn damage(samples: &[u8], layout: Layout) {
    for coding in [Coding::MaxError(0), Coding::MaxError(2), Coding::Step(200)] {
        let bytes = coded(samples, layout, coding);
        let mut back = vec![0u8; samples.len()];
        // A shorter stream is that of other samples once in 65,536 times, for which the container has its checksum.
        let accepted = (0..bytes.len())
            .filter(|&length| decode(&bytes[..length], &mut back, layout).is_ok())
            .count();
        assert!(accepted <= 1, "{accepted} of {}", bytes.len());
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(decode(&longer, &mut back, layout).is_err());
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decode(&damaged, &mut back, layout);
        }
    }
}

#[test]
fn another_shape_or_type_is_refused() {
    let layout = layout_of(8, 8, 3);
    let samples = scene::<u8>(layout, 50, 5);
    let bytes = coded(&samples, layout, Coding::MaxError(0));
    // Times the pixels, 0 in a usize of any width.
    for components in [0, 5, 1 << (usize::BITS - 6)] {
        let refused = decode::<u8>(&bytes, &mut [], layout_of(8, 8, components));
        assert!(matches!(refused, Err(Error::OutOfRange { .. })));
    }
    let refused = decode(&bytes, &mut [0u8; 191], layout);
    assert!(matches!(refused, Err(Error::Shape { .. })));
    let corrupt = |result: Result<(), Error>| matches!(result, Err(Error::Corrupt { .. }));
    assert!(corrupt(decode(&bytes, &mut [0u8; 64], layout_of(8, 8, 1))));
    assert!(corrupt(decode(&bytes, &mut [0i16; 192], layout)));
    assert!(corrupt(decode(&bytes, &mut [0u8; 216], layout_of(8, 9, 3))));
}

/// Found by fuzzing: long runs at the end of the range, broken off, add up to a bias beyond 32 bits.
#[test]
fn errors_of_the_whole_range_again_and_again_come_back() {
    let layout = layout_of(2026, 10, 2);
    let runs = [
        (45, 1),
        (65, 1),
        (67, 1),
        (45, 1),
        (46, 1),
        (0, 1),
        (23, 1),
        (0, 1),
        (19, 1),
        (43, 1),
        (255, 51),
        (239, 1),
        (255, 4),
        (22, 1),
        (255, 161),
        (0, 4),
        (56, 1),
        (71, 1),
        (30, 1),
        (55, 1),
        (45, 1),
        (65, 1),
        (67, 1),
        (45, 1),
        (55, 1),
        (72, 1),
        (73, 1),
        (42, 1),
        (40, 1),
        (50, 1),
        (34, 1),
        (51, 1),
        (236, 1),
        (7, 1),
        (0, 6),
        (71, 1),
        (55, 1),
        (72, 1),
        (75, 1),
        (58, 1),
        (46, 1),
    ];
    let period: Vec<i64> = runs
        .into_iter()
        .flat_map(|(value, count)| std::iter::repeat_n(value, count))
        .collect();
    let samples: Vec<i32> = (0..layout.width * layout.rows * layout.components)
        .map(|i| <i32 as Sample>::MIN + (131_070 * period[i % period.len()] / 255) as i32)
        .collect();
    let back = round_trip(&samples, layout, Coding::MaxError(63));
    check(&samples, &back, 63);
}
