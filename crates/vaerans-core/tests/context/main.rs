//! The context coder: what goes in comes out, always as the same bytes, and no bytes do harm.

mod cost;
mod files;

#[path = "../support/cuts.rs"]
mod cuts;
#[path = "../support/toy_context.rs"]
mod toy_context;
#[path = "../support/toy_noise.rs"]
mod toy_noise;

use proptest::prelude::*;
use toy_context::{adapting, latents, model_file, with_all, with_net};
use toy_noise::Noise;
use vaerans_core::context::{decode, encode, encode_bound, Band, ContextModel, Grid};
use vaerans_core::gains::RATE_MAX;
use vaerans_core::Error;

fn toy_model(channels: usize) -> ContextModel {
    ContextModel::parse(&model_file(channels)).expect("the toy model is one")
}

/// The toy model as it is, with a network, with scales that adapt, and with all there is.
fn toy_models(channels: usize) -> [ContextModel; 4] {
    let styles: [fn(Vec<u8>) -> Vec<u8>; 4] = [|file| file, with_net, adapting, with_all];
    styles.map(|style| {
        ContextModel::parse(&style(model_file(channels))).expect("the toy model is one")
    })
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
        for model in toy_models(channels) {
            assert_round_trip(&model, rate, &symbols, dense(width, height));
        }
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
        for model in toy_models(16) {
            let _ = decoded(&model, 2000, &bytes, 16 * width * height, dense(width, height));
        }
    }

}

#[test]
fn extremes_come_back_within_the_bound() {
    for channels in [1, 3, 16, 96, 128, 256] {
        for (model, (width, height)) in toy_models(channels).iter().flat_map(|model| {
            [(1, 1), (1, 40), (40, 1), (33, 32), (17, 5)].map(|size| (model, size))
        }) {
            let length = channels * width * height;
            let band = dense(width, height);
            for symbol in [0, 1, -1, i16::MIN, i16::MAX] {
                assert_round_trip(model, 0, &vec![symbol; length], band);
            }
            let alternate: Vec<i16> = (0..length)
                .map(|i| if i % 3 == 0 { i16::MIN } else { i16::MAX })
                .collect();
            assert_round_trip(model, RATE_MAX, &alternate, band);
            let mut single = vec![0; length];
            single[length / 2] = -5;
            assert_round_trip(model, 2048, &single, band);
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
fn flags_begin_at_1024_samples_and_four_lanes_at_65536_symbols() {
    let silence = |channels: usize, width: usize, height: usize| {
        let (model, band) = (toy_model(channels), dense(width, height));
        let symbols = vec![0; channels * width * height];
        let bytes = encoded(&model, 900, &symbols, band);
        assert_eq!(
            decoded(&model, 900, &bytes, symbols.len(), band),
            Ok(symbols)
        );
        bytes
    };
    // Behind flags that say so, zeros cost nothing, however many.
    assert_eq!(silence(4, 32, 32), silence(4, 205, 5));
    assert_ne!(silence(4, 32, 32), silence(4, 33, 31));
    let (one, four) = (silence(16, 63, 65), silence(16, 64, 64));
    assert_eq!(four[..4], one[..4]);
    assert_eq!(four[4..16], [0, 0, 1, 0].repeat(3));
    assert_eq!(four[16..], one[4..]);
}

#[test]
fn the_bound_is_six_bytes_a_symbol_two_a_channel_and_the_states() {
    let model = toy_model(3);
    assert_eq!(encode_bound(&model, &[(5, 7)]), Some(16 + 3 * (6 * 35 + 2)));
    assert_eq!(encode_bound(&model, &[(usize::MAX, 2)]), None);
}

#[test]
fn every_truncation_is_refused_and_every_flipped_bit_is_survived() {
    const ROUNDS: usize = 50;
    let mut noise = Noise::new(11);
    for round in 0..ROUNDS {
        let channels = [4, 16][round % 2];
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
fn scales_that_adapt_save_bits_where_symbols_are_larger_or_smaller_than_foreseen() {
    let mut noise = Noise::new(21);
    let [fixed, _, adapting, _] = toy_models(16);
    let band = dense(64, 48);
    for nonzero in [2, 250] {
        let symbols = latents(&mut noise, 16 * band.plane_stride, nonzero, 0);
        let [before, after] =
            [&fixed, &adapting].map(|model| encoded(model, 2048, &symbols, band).len());
        assert!(
            100 * after < 97 * before,
            "{nonzero}: {after} for {before} bytes"
        );
    }
}
