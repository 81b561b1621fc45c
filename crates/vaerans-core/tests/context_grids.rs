//! The context coder with two latent grids: what goes in comes out, no bytes do harm, and a finer grid is predicted from
//! the coarser one exactly as a plain loop over the model's weights says.

#[path = "support/cuts.rs"]
mod cuts;
#[path = "support/plain_context.rs"]
mod plain_context;
#[path = "support/toy_context.rs"]
mod toy_context;
#[path = "support/toy_noise.rs"]
mod toy_noise;

use cuts::cuts;
use proptest::prelude::*;
use toy_context::{adapting, grid_file, latents, model_file, with_all, with_net};
use toy_noise::Noise;
use vaerans_core::context::{choose, cost, decode, encode, encode_bound, Band, ContextModel, Grid};
use vaerans_core::gains::RATE_MAX;
use vaerans_core::Error;

/// Channels and symbols of a coarse and of a fine grid.
struct Two {
    channels: [usize; 2],
    bands: [Band; 2],
    symbols: [Vec<i16>; 2],
}

impl Two {
    fn new(noise: &mut Noise, channels: [usize; 2], (width, height): (usize, usize)) -> Self {
        Self::with_ratio(noise, channels, (width, height), 2)
    }

    fn with_ratio(
        noise: &mut Noise,
        channels: [usize; 2],
        (width, height): (usize, usize),
        ratio: usize,
    ) -> Self {
        let bands = [1, ratio].map(|ratio| Band {
            plane_stride: ratio * ratio * width * height,
            width: ratio * width,
            height: ratio * height,
        });
        let symbols = [0, 1].map(|index| {
            let length = channels[index] * bands[index].plane_stride;
            latents(noise, length, 90, 1)
        });
        Self {
            channels,
            bands,
            symbols,
        }
    }

    fn model(&self) -> ContextModel {
        let [coarse, fine] = self.channels;
        let file = [model_file(coarse), grid_file(fine, coarse)].concat();
        ContextModel::parse(&file).expect("the toy model is one")
    }

    fn grids(&self) -> [Grid<&[i16]>; 2] {
        [0, 1].map(|index| Grid {
            band: self.bands[index],
            samples: self.symbols[index].as_slice(),
        })
    }

    fn encoded(&self, model: &ContextModel, rate: u32) -> Vec<u8> {
        let sizes = self.bands.map(|band| (band.width, band.height));
        let mut bytes = vec![0; encode_bound(model, &sizes).expect("it is small")];
        let length = encode(model, rate, &self.grids(), &mut bytes).expect("the bound suffices");
        bytes.truncate(length);
        bytes
    }

    fn decoded(
        &self,
        model: &ContextModel,
        rate: u32,
        bytes: &[u8],
    ) -> Result<[Vec<i16>; 2], Error> {
        let mut back = self.symbols.clone().map(|symbols| vec![99; symbols.len()]);
        let [coarse, fine] = &mut back;
        let mut grids = [(0, coarse), (1, fine)].map(|(index, samples)| Grid {
            band: self.bands[index],
            samples: samples.as_mut_slice(),
        });
        decode(model, rate, bytes, &mut grids).map(|()| back)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_symbols_of_both_grids_come_back(
        coarse in prop::sample::select(vec![1usize, 4, 17]),
        fine in prop::sample::select(vec![1usize, 3, 16]),
        size in (1usize..14, 1usize..14),
        ratio in 1usize..4,
        rate in 0..=RATE_MAX,
        seed: u64,
    ) {
        let two = Two::with_ratio(&mut Noise::new(seed), [coarse, fine], size, ratio);
        let model = two.model();
        let bytes = two.encoded(&model, rate);
        prop_assert_eq!(two.decoded(&model, rate, &bytes), Ok(two.symbols.clone()));
    }

    #[test]
    fn noise_is_never_more_than_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        size in (1usize..20, 1usize..20),
    ) {
        let two = Two::new(&mut Noise::new(1), [5, 8], size);
        let _ = two.decoded(&two.model(), 2000, &bytes);
    }

    #[test]
    fn a_changed_model_file_is_refused_or_codes_as_well_as_any(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        seed: u64,
    ) {
        let mut file = [model_file(3), grid_file(5, 3)].concat();
        for (index, byte) in changes {
            let length = file.len();
            file[index.index(length)] = byte;
        }
        let Ok(model) = ContextModel::parse(&file) else { return Ok(()) };
        prop_assert_eq!(model.to_bytes(), file);
        let [coarse, fine] = model.grids() else { return Ok(()) };
        let channels = [coarse.channels(), fine.channels()];
        let two = Two::new(&mut Noise::new(seed), channels, (6, 5));
        let bytes = two.encoded(&model, 4000);
        prop_assert_eq!(two.decoded(&model, 4000, &bytes), Ok(two.symbols.clone()));
    }
}

#[test]
fn four_lanes_and_flags_serve_both_grids_in_one_stream() {
    let mut two = Two::new(&mut Noise::new(2), [16, 24], (36, 33));
    // A dead channel of each grid.
    for (symbols, band) in two.symbols.iter_mut().zip(two.bands) {
        symbols[band.plane_stride..2 * band.plane_stride].fill(0);
    }
    let model = two.model();
    let bytes = two.encoded(&model, 900);
    assert_eq!(two.decoded(&model, 900, &bytes), Ok(two.symbols.clone()));
}

#[test]
fn extremes_of_both_grids_come_back_within_the_bound() {
    for symbol in [0, 1, i16::MIN, i16::MAX] {
        let mut two = Two::new(&mut Noise::new(3), [9, 9], (5, 4));
        two.symbols[0].fill(symbol);
        for (index, place) in two.symbols[1].iter_mut().enumerate() {
            *place = if index % 3 == 0 { !symbol } else { symbol };
        }
        let model = two.model();
        let bytes = two.encoded(&model, RATE_MAX);
        assert_eq!(
            two.decoded(&model, RATE_MAX, &bytes),
            Ok(two.symbols.clone())
        );
    }
}

#[test]
fn every_truncation_is_refused_and_every_flipped_bit_is_survived() {
    for seed in 0..6 {
        let mut noise = Noise::new(100 + seed);
        let size = (1 + noise.next(5) as usize, 1 + noise.next(5) as usize);
        let two = Two::new(&mut noise, [4, 3], size);
        let model = two.model();
        let mut bytes = two.encoded(&model, 1500);
        for end in 0..bytes.len() {
            assert!(two.decoded(&model, 1500, &bytes[..end]).is_err());
        }
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let flipped = two.decoded(&model, 1500, &bytes);
            assert!(flipped.as_ref() != Ok(&two.symbols));
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        bytes.extend([0, 0]);
        assert!(two.decoded(&model, 1500, &bytes).is_err());
    }
}

#[test]
fn grids_that_are_not_the_models_or_do_not_lie_over_one_another_are_refused() {
    let two = Two::new(&mut Noise::new(4), [2, 3], (4, 4));
    let model = two.model();
    let mut room = [0; 9999];
    let [coarse, fine] = two.grids();
    assert!(encode(&model, 0, &[coarse], &mut room).is_err());
    assert!(encode(&model, 0, &[fine, coarse], &mut room).is_err());
    for (width, height) in [(7, 8), (8, 7), (8, 4), (2, 2)] {
        let mut other = fine;
        other.band.width = width;
        other.band.height = height;
        let result = encode(&model, 0, &[coarse, other], &mut room);
        assert!(matches!(result, Err(Error::OutOfRange { .. })));
    }
}

#[test]
fn a_model_file_is_read_whole_or_not_at_all_and_its_grids_follow_one_another() {
    let (coarse, fine) = (model_file(3), grid_file(4, 3));
    let both = [coarse.as_slice(), &fine].concat();
    let model = ContextModel::parse(&both).expect("the toy model is one");
    assert_eq!(model.to_bytes(), both);
    for end in cuts(&both).filter(|&end| end != coarse.len()) {
        assert!(ContextModel::parse(&both[..end]).is_err());
    }
    for wrong in [
        fine.clone(),
        [fine.as_slice(), &coarse].concat(),
        [coarse.as_slice(), &coarse].concat(),
        [coarse.as_slice(), &fine, &grid_file(2, 4)].concat(),
    ] {
        assert!(ContextModel::parse(&wrong).is_err());
    }
}

#[test]
fn contexts_are_what_a_plain_loop_over_the_weights_says() {
    let mut noise = Noise::new(5);
    for (channels, size) in [([1, 1], (1, 1)), ([4, 5], (9, 6)), ([12, 20], (11, 9))] {
        let two = Two::new(&mut noise, channels, size);
        for rate in [0, 1234, RATE_MAX] {
            let linear = [model_file(channels[0]), grid_file(channels[1], channels[0])];
            let styles: [fn(Vec<u8>) -> Vec<u8>; 4] = [|file| file, with_net, adapting, with_all];
            for files in styles.map(|style| linear.clone().map(style)) {
                let mut bits = two
                    .symbols
                    .clone()
                    .map(|symbols| vec![-1.0f32; symbols.len()]);
                let [coarse, fine] = &mut bits;
                let model = ContextModel::parse(&files.concat()).expect("the toy model is one");
                cost(&model, rate, &two.grids(), &mut [coarse, fine]).expect("right shapes");
                let mut before = None;
                for (index, file) in files.iter().enumerate() {
                    let plain =
                        plain_context::PlainGrid::read(file, before.map_or(0, |_| channels[0]));
                    let own = (two.symbols[index].as_slice(), two.bands[index]);
                    let wanted = plain.bits(rate, own, before);
                    for (wanted, got) in wanted.iter().zip(&bits[index]) {
                        assert!((wanted - got).abs() < 1e-4, "{wanted} and {got}");
                    }
                    before = Some(own);
                }
            }
        }
    }
}

#[test]
fn costs_of_both_grids_sum_to_the_length_of_the_stream() {
    let two = Two::new(&mut Noise::new(6), [16, 16], (40, 30));
    let model = two.model();
    let mut bits = two
        .symbols
        .clone()
        .map(|symbols| vec![-1.0f32; symbols.len()]);
    let [coarse, fine] = &mut bits;
    cost(&model, 700, &two.grids(), &mut [coarse, fine]).expect("right shapes");
    let sum: f64 = bits.iter().flatten().map(|&bit| f64::from(bit)).sum();
    let length = two.encoded(&model, 700).len() as f64;
    assert!((length - sum / 8.0).abs() < 24.0 + 0.001 * length);
}

#[test]
fn choosing_goes_grid_by_grid_and_a_larger_lambda_saves_bits() {
    let mut two = Two::new(&mut Noise::new(7), [8, 12], (20, 14));
    let model = two.model();
    let mut noise = Noise::new(8);
    let values = two.symbols.clone().map(|symbols| -> Vec<f32> {
        let moved = |symbol| f32::from(symbol) + noise.next(1000) as f32 / 1000.0 - 0.5;
        symbols.into_iter().map(moved).collect()
    });
    let lengths = [0.0, 0.05, 0.5].map(|lambda| {
        let sources = [0, 1].map(|index| Grid {
            band: two.bands[index],
            samples: values[index].as_slice(),
        });
        let [coarse, fine] = &mut two.symbols;
        let mut chosen = [coarse.as_mut_slice(), fine.as_mut_slice()];
        choose(&model, 900, &sources, &[1.0; 20], lambda, &mut chosen).expect("right shapes");
        two.encoded(&model, 900).len()
    });
    assert!(lengths.is_sorted_by(|a, b| a > b), "{lengths:?}");
}
