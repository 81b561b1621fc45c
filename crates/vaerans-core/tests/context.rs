//! The context coder: what goes in comes out, always as the same bytes, and no bytes do harm.

#[path = "support/cuts.rs"]
mod cuts;
#[path = "support/toy_context.rs"]
mod toy_context;
#[path = "support/toy_noise.rs"]
mod toy_noise;

use cuts::cuts;
use proptest::prelude::*;
use toy_context::{latents, model_file};
use toy_noise::Noise;
use vaerans_core::context::{choose, cost, decode, encode, encode_bound, Band, ContextModel, Grid};
use vaerans_core::gains::RATE_MAX;
use vaerans_core::quantise::quantise;
use vaerans_core::Error;

fn toy_model(channels: usize) -> ContextModel {
    ContextModel::parse(&model_file(channels)).expect("the toy model is one")
}

fn dense(width: usize, height: usize) -> Band {
    Band {
        plane_stride: width * height,
        width,
        height,
    }
}

/// The only grid of most models here.
fn only<T>(samples: &[T], band: Band) -> [Grid<&[T]>; 1] {
    [Grid { band, samples }]
}

fn only_mut(samples: &mut [i16], band: Band) -> [Grid<&mut [i16]>; 1] {
    [Grid { band, samples }]
}

fn encoded(model: &ContextModel, rate: u32, symbols: &[i16], band: Band) -> Vec<u8> {
    let bound = encode_bound(model, &[(band.width, band.height)]).expect("it is small");
    let mut bytes = vec![0; bound];
    let grids = only(symbols, band);
    let length = encode(model, rate, &grids, &mut bytes).expect("the bound suffices");
    bytes.truncate(length);
    bytes
}

fn decoded(
    model: &ContextModel,
    rate: u32,
    bytes: &[u8],
    length: usize,
    band: Band,
) -> Result<Vec<i16>, Error> {
    let mut symbols = vec![99; length];
    decode(model, rate, bytes, &mut only_mut(&mut symbols, band)).map(|()| symbols)
}

#[track_caller]
fn assert_round_trip(model: &ContextModel, rate: u32, symbols: &[i16], band: Band) {
    let bytes = encoded(model, rate, symbols, band);
    let back = decoded(model, rate, &bytes, symbols.len(), band);
    assert!(back.as_deref() == Ok(symbols));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_symbols_come_back(
        channels in prop::sample::select(vec![1usize, 2, 4, 5, 16, 33]),
        (width, height) in (1usize..48, 1usize..48),
        (nonzero, wide) in (prop::sample::select(vec![0u32, 2, 20, 128, 256]), 0u32..4),
        rate in 0..=RATE_MAX,
        seed: u64,
    ) {
        let symbols = latents(&mut Noise::new(seed), channels * width * height, nonzero, wide);
        assert_round_trip(&toy_model(channels), rate, &symbols, dense(width, height));
    }

    #[test]
    fn a_band_is_coded_in_its_place_and_nothing_else_is_touched(
        (width, height) in (1usize..20, 1usize..20),
        (above, below) in (0usize..3, 0usize..3),
        seed: u64,
    ) {
        let model = toy_model(4);
        let plane_stride = width * (above + height + below);
        let band = Band { plane_stride, width, height };
        let planes = latents(&mut Noise::new(seed), 4 * plane_stride, 60, 1);
        let bytes = encoded(&model, 1000, &planes[above * width..], band);
        let mut back = vec![77i16; planes.len()];
        let mut inside = only_mut(&mut back[above * width..], band);
        decode(&model, 1000, &bytes, &mut inside).expect("an honest stream");
        for (plane, original) in back.chunks(plane_stride).zip(planes.chunks(plane_stride)) {
            let inside = above * width..(above + height) * width;
            prop_assert_eq!(&plane[inside.clone()], &original[inside.clone()]);
            prop_assert!(plane[..inside.start].iter().all(|&s| s == 77));
            prop_assert!(plane[inside.end..].iter().all(|&s| s == 77));
        }
    }

    #[test]
    fn noise_is_never_more_than_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        (width, height) in (1usize..70, 1usize..70),
    ) {
        let _ = decoded(&toy_model(16), 2000, &bytes, 16 * width * height, dense(width, height));
    }

    #[test]
    fn a_changed_model_file_is_refused_or_codes_as_well_as_any(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        seed: u64,
    ) {
        let mut file = model_file(5);
        for (index, byte) in changes {
            let length = file.len();
            file[index.index(length)] = byte;
        }
        if let Ok(model) = ContextModel::parse(&file) {
            let band = dense(9, 7);
            let symbols = latents(&mut Noise::new(seed), model.grids()[0].channels() * 63, 200, 30);
            assert_round_trip(&model, 4000, &symbols, band);
        }
    }
}

#[test]
fn extremes_come_back_within_the_bound() {
    for channels in [1, 3, 16, 96, 128, 256] {
        let model = toy_model(channels);
        for (width, height) in [(1, 1), (1, 40), (40, 1), (33, 32), (17, 5)] {
            let length = channels * width * height;
            let band = dense(width, height);
            for symbol in [0, 1, -1, i16::MIN, i16::MAX] {
                assert_round_trip(&model, 0, &vec![symbol; length], band);
            }
            let alternate: Vec<i16> = (0..length)
                .map(|i| if i % 3 == 0 { i16::MIN } else { i16::MAX })
                .collect();
            assert_round_trip(&model, RATE_MAX, &alternate, band);
            let mut single = vec![0; length];
            single[length / 2] = -5;
            assert_round_trip(&model, 2048, &single, band);
        }
    }
}

#[test]
fn an_empty_stream_costs_its_states_and_about_a_bit_a_flag() {
    let model = toy_model(96);
    let band = dense(64, 48);
    let bytes = encoded(&model, 0, &vec![0; 96 * band.plane_stride], band);
    // 16 bytes of states, and flags that the toy model knows nothing of: about a bit each.
    assert!(bytes.len() <= 24 + 96 / 8 + 12, "{} bytes", bytes.len());
}

#[test]
fn every_truncation_is_refused_and_every_flipped_bit_is_survived() {
    let mut noise = Noise::new(11);
    for round in 0..50u32 {
        let channels = [4, 16][round as usize % 2];
        let model = toy_model(channels);
        let (width, height) = (1 + noise.next(9) as usize, 1 + noise.next(9) as usize);
        let band = dense(width, height);
        let length = channels * width * height;
        let symbols = latents(&mut noise, length, 40, 1);
        let rate = noise.next(4096);
        let mut bytes = encoded(&model, rate, &symbols, band);
        for end in 0..bytes.len() {
            assert!(decoded(&model, rate, &bytes[..end], length, band).is_err());
        }
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Errors and other symbols are both fine: the container has a checksum.
            let flipped = decoded(&model, rate, &bytes, length, band);
            assert!(flipped.as_deref() != Ok(&symbols));
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        bytes.extend([0, 0]);
        assert!(decoded(&model, rate, &bytes, length, band).is_err());
    }
}

#[test]
fn a_short_output_is_refused() {
    let model = toy_model(16);
    let band = dense(20, 20);
    let symbols = latents(&mut Noise::new(3), 16 * 400, 128, 2);
    let length = encoded(&model, 700, &symbols, band).len();
    for capacity in [0, 1, 3, length / 2, length - 1] {
        let result = encode(&model, 700, &only(&symbols, band), &mut vec![0; capacity]);
        assert!(matches!(result, Err(Error::OutputTooSmall { .. })));
    }
    assert_eq!(
        encode(&model, 700, &only(&symbols, band), &mut vec![0; length]),
        Ok(length)
    );
}

#[test]
fn bands_and_rates_out_of_range_are_refused() {
    let model = toy_model(4);
    let mut symbols = vec![0i16; 400];
    for (plane_stride, width, height) in [(100, 0, 10), (100, 10, 0), (99, 10, 10), (101, 10, 10)] {
        let band = Band {
            plane_stride,
            width,
            height,
        };
        assert!(encode(&model, 0, &only(&symbols, band), &mut [0; 999]).is_err());
        assert!(decode(&model, 0, &[0; 99], &mut only_mut(&mut symbols, band)).is_err());
    }
    assert!(encode(&model, 4096, &only(&symbols, dense(10, 10)), &mut [0; 999]).is_err());
    let huge = Band {
        plane_stride: usize::MAX / 2,
        width: 10,
        height: 10,
    };
    assert!(decode(&model, 0, &[0; 99], &mut only_mut(&mut symbols, huge)).is_err());
}

#[test]
fn a_model_file_is_read_whole_or_not_at_all() {
    let file = model_file(7);
    let model = ContextModel::parse(&file).expect("the toy model is one");
    assert_eq!(model.grids()[0].channels(), 7);
    assert_eq!(model.to_bytes(), file);
    for end in cuts(&file) {
        assert!(ContextModel::parse(&file[..end]).is_err());
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert!(ContextModel::parse(&longer).is_err());
}

/// A model of one channel that predicts nothing, with tables that all reach so far.
fn bare_file(knots: u8, sets: u8, reach: u8, zero: u16) -> Vec<u8> {
    const TAPS: usize = 20;
    const LISTS: usize = 6;
    let mut out = [b"VCTX".as_slice(), &[1, 0, knots, sets]].concat();
    out.extend(vec![1; 5 * usize::from(knots)]);
    out.extend([0; 2 * TAPS + LISTS]);
    for _ in 0..448 * usize::from(sets) {
        out.push(reach);
        out.extend(zero.to_le_bytes());
        out.extend([1u16.to_le_bytes(); 80][..2 * usize::from(reach.min(40))].concat());
        out.extend(vec![1; 4 * usize::from(reach.saturating_sub(40))]);
    }
    out
}

#[test]
fn a_model_file_is_taken_up_to_its_bounds_and_no_further() {
    let zero = 10_000;
    for (knots, sets, reach) in [(2, 1, 0), (64, 1, 40), (2, 16, 3)] {
        let file = bare_file(knots, sets, reach, zero);
        let model = ContextModel::parse(&file).expect("within the bounds");
        assert_eq!(model.to_bytes(), file);
        let symbols: Vec<i16> = (-60..60).collect();
        assert_round_trip(&model, 4095, &symbols, dense(12, 10));
    }
    for (knots, sets, reach) in [(1, 1, 0), (65, 1, 0), (2, 0, 0), (2, 17, 0), (2, 1, 41)] {
        assert!(ContextModel::parse(&bare_file(knots, sets, reach, zero)).is_err());
    }
    for at in 0..5 {
        let mut other = bare_file(2, 1, 1, zero);
        other[at] ^= 1;
        assert!(
            ContextModel::parse(&other).is_err(),
            "byte {at} of magic and version"
        );
    }
    // Frequencies leave the escape one at least.
    assert!(ContextModel::parse(&bare_file(2, 1, 1, 16_384 - 3)).is_ok());
    assert!(ContextModel::parse(&bare_file(2, 1, 1, 16_384 - 2)).is_err());
}

/// A model of two channels, the second with these weights: its base at the second knot, its scale and mean taps, and one
/// link to the ring around its place in the first.
fn weighted_file(base: u32, scale_taps: [i16; 10], mean_taps: [i16; 10], ring: i16) -> Vec<u8> {
    let mut out = [b"VCTX".as_slice(), &[1, 1, 2, 1]].concat();
    for base in [1, 1, 1, base] {
        out.extend(base.to_le_bytes());
    }
    out.extend([1; 4]);
    out.extend([0; 40 + 6]);
    for tap in scale_taps.into_iter().chain(mean_taps) {
        out.extend(tap.to_le_bytes());
    }
    out.extend([0, 1, 0]);
    out.extend(ring.to_le_bytes());
    out.extend([0; 4]);
    out.extend([0u8, 16, 39].repeat(448));
    out
}

#[test]
fn links_to_no_channel_and_links_twice_are_refused() {
    let file = weighted_file(1, [0; 10], [0; 10], 3);
    assert!(ContextModel::parse(&file).is_ok());
    // Before the second channel's lists lie the head, bases, chances, the first channel, and taps.
    let lists = 8 + 16 + 4 + 46 + 40;
    let mut beyond = file.clone();
    beyond[lists + 2] = 1;
    assert!(ContextModel::parse(&beyond).is_err());
    let mut twice = file;
    twice[lists + 1] = 2;
    twice.splice(lists + 5..lists + 5, [0, 3, 0]);
    assert!(ContextModel::parse(&twice).is_err());
}

#[test]
fn weights_whose_sums_could_leave_their_limits_are_refused() {
    let is_taken = |base: i64, scale: [i16; 10], mean: [i16; 10], ring: i16| {
        let base = u32::try_from(base).expect("a base of 32 bits");
        ContextModel::parse(&weighted_file(base, scale, mean, ring)).is_ok()
    };
    let none = [0; 10];
    let first = |tap: i16| [tap, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // Magnitudes of up to 24, five of them in a ring; sums stay below 2^30.
    let limit = 1i64 << 30;
    for (scale, ring) in [(0, 0), (30_000, 0), (0, 20_000), (7, 11)] {
        let most = limit - 24 * i64::from(scale) - 5 * 24 * i64::from(ring);
        assert!(is_taken(most - 1, first(scale), none, ring));
        assert!(!is_taken(most, first(scale), none, ring));
    }
    assert!(!is_taken(1, first(-1), none, 0));
    assert!(!is_taken(1, none, none, -1));
    // Values of up to 2047; sums stay below 32767 * 2^14.
    let mut mean = [i16::MAX; 10];
    (mean[0], mean[1]) = (0, 128);
    assert!(is_taken(1, none, mean, 0));
    mean[3] = -i16::MAX;
    assert!(is_taken(1, none, mean, 0));
    mean[0] = 1;
    assert!(!is_taken(1, none, mean, 0));
}

#[test]
fn the_costs_of_symbols_sum_to_the_length_of_the_stream() {
    let channels = 16;
    let model = toy_model(channels);
    for (width, height) in [(9, 7), (61, 43), (96, 80)] {
        let band = dense(width, height);
        let symbols = latents(&mut Noise::new(7), channels * width * height, 60, 1);
        let mut bits = vec![-1.0; symbols.len()];
        cost(&model, 1000, &only(&symbols, band), &mut [&mut bits]).expect("the shapes agree");
        assert!(bits.iter().all(|&bit| bit >= 0.0));
        let sum: f64 = bits.iter().map(|&bit| f64::from(bit)).sum();
        let length = encoded(&model, 1000, &symbols, band).len() as f64;
        // Four states of 4 bytes, a flag a channel, and the coder's own loss.
        let slack = 16.0 + channels as f64 / 4.0 + 0.001 * length;
        assert!(
            (length - sum / 8.0).abs() < slack,
            "{length} and {}",
            sum / 8.0
        );
    }
}

#[test]
fn costs_have_a_place_for_each_symbol() {
    let model = toy_model(2);
    let mut few = vec![0.0; 5];
    let result = cost(&model, 0, &only(&[0; 12], dense(3, 2)), &mut [&mut few]);
    assert!(matches!(result, Err(Error::Shape { .. })));
}

#[test]
fn a_lambda_of_zero_takes_the_nearest_symbols_and_a_larger_one_saves_bits() {
    let model = toy_model(16);
    let band = dense(30, 20);
    let mut noise = Noise::new(13);
    let gains: Vec<f32> = (1..=16).map(|gain| gain as f32 / 8.0).collect();
    let values: Vec<f32> = latents(&mut noise, 16 * 600, 128, 1)
        .into_iter()
        .map(|symbol| f32::from(symbol) + noise.next(1000) as f32 / 1000.0 - 0.5)
        .collect();
    let mut nearest = vec![0; values.len()];
    quantise(&values, &mut nearest, &gains, 600).expect("right shapes");
    let lengths: Vec<usize> = [0.0, 0.02, 0.1, 1.0]
        .into_iter()
        .map(|lambda| {
            let mut symbols = vec![77; values.len()];
            choose(
                &model,
                900,
                &only(&values, band),
                &gains,
                lambda,
                &mut [&mut symbols],
            )
            .expect("right shapes");
            if lambda == 0.0 {
                assert_eq!(symbols, nearest);
            }
            assert!(symbols
                .iter()
                .zip(&nearest)
                .all(|(a, b)| a.abs_diff(*b) <= 1));
            encoded(&model, 900, &symbols, band).len()
        })
        .collect();
    assert!(lengths.is_sorted_by(|a, b| a > b), "{lengths:?}");
}

#[test]
fn choosing_refuses_what_it_cannot_weigh() {
    let model = toy_model(4);
    let band = dense(5, 5);
    let values = [f32::NAN; 100];
    let mut symbols = [9i16; 100];
    for lambda in [-0.1, 1.1, f32::NAN] {
        assert!(choose(
            &model,
            0,
            &only(&values, band),
            &[1.0; 4],
            lambda,
            &mut [&mut symbols]
        )
        .is_err());
    }
    assert!(choose(
        &model,
        0,
        &only(&values, band),
        &[1.0; 3],
        0.1,
        &mut [&mut symbols]
    )
    .is_err());
    assert!(choose(
        &model,
        0,
        &only(&values[1..], band),
        &[1.0; 4],
        0.1,
        &mut [&mut symbols]
    )
    .is_err());
    assert!(choose(
        &model,
        4096,
        &only(&values, band),
        &[1.0; 4],
        0.1,
        &mut [&mut symbols]
    )
    .is_err());
    choose(
        &model,
        0,
        &only(&values, band),
        &[1.0; 4],
        0.1,
        &mut [&mut symbols],
    )
    .expect("no number is 0");
    assert_eq!(symbols, [0; 100]);
}
