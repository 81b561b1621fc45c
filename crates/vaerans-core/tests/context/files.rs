//! A model's file is taken whole and within its bounds, or refused.

use proptest::prelude::*;
use vaerans_core::context::ContextModel;

use crate::cuts::cuts;
use crate::toy_context::{adapting, behind_channels, latents, model_file, with_all, with_net};
use crate::toy_noise::Noise;
use crate::{assert_round_trip, dense};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_changed_model_file_is_refused_or_codes_as_well_as_any(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        seed: u64,
    ) {
        let style = [with_net, adapting, with_all, |file| file][seed as usize % 4];
        let mut file = style(model_file(5));
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
fn a_model_file_is_read_whole_or_not_at_all() {
    let bare = model_file(7);
    for file in [
        bare.clone(),
        with_net(bare.clone()),
        adapting(bare.clone()),
        with_all(bare),
    ] {
        let model = ContextModel::parse(&file).expect("the toy model is one");
        assert_eq!(model.grids()[0].channels(), 7);
        assert_eq!(model.to_bytes(), file);
        for end in cuts(&file) {
            assert!(ContextModel::parse(&file[..end]).is_err());
        }
        let longer = [file.as_slice(), &[0]].concat();
        assert!(ContextModel::parse(&longer).is_err());
    }
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
    // Bits of the version beyond those that are known.
    for more in [8, 16, 128] {
        let mut other = bare_file(2, 1, 1, zero);
        other[4] += more;
        assert!(ContextModel::parse(&other).is_err());
    }
    // Frequencies leave the escape one at least.
    assert!(ContextModel::parse(&bare_file(2, 1, 1, 16_384 - 3)).is_ok());
    assert!(ContextModel::parse(&bare_file(2, 1, 1, 16_384 - 2)).is_err());
}

#[test]
fn a_flag_is_told_by_the_first_slot_of_its_interval_too() {
    // Alive is one chance in 256, so that one flag in 64 comes to lie on its interval's first slot.
    let model = ContextModel::parse(&bare_file(2, 1, 3, 10_000)).expect("within the bounds");
    let mut noise = Noise::new(17);
    for _ in 0..600 {
        assert_round_trip(
            &model,
            0,
            &latents(&mut noise, 1024, 200, 20),
            dense(32, 32),
        );
    }
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
fn channels_that_learn_are_of_the_model_and_rise_and_are_few() {
    let bare = model_file(33);
    let (file, section) = (adapting(bare.clone()), behind_channels(&bare));
    assert_eq!(file[section..section + 4], [8, 0, 3, 6]);
    let is_taken = |learning: &[u8]| {
        let mut file = file.clone();
        file.splice(
            section..section + 9,
            [&[learning.len() as u8], learning].concat(),
        );
        ContextModel::parse(&file).is_ok()
    };
    assert!(is_taken(&[]) && is_taken(&[32]) && is_taken(&[1, 2, 3, 4, 5, 6, 7, 8]));
    assert!(!is_taken(&[33]) && !is_taken(&[2, 2]) && !is_taken(&[3, 2]));
    assert!(!is_taken(&[1, 2, 3, 4, 5, 6, 7, 8, 9]));
}

#[test]
fn groups_of_a_network_begin_at_the_first_channel_and_rise() {
    let bare = model_file(9);
    let (file, section) = (with_all(bare.clone()), behind_channels(&bare));
    assert_eq!(file[section..section + 4], [3, 0, 3, 6]);
    let is_taken = |starts: [u8; 3]| {
        let mut file = file.clone();
        file[section + 1..section + 4].copy_from_slice(&starts);
        ContextModel::parse(&file).is_ok()
    };
    assert!(is_taken([0, 1, 8]));
    assert!(
        !is_taken([1, 2, 8])
            && !is_taken([0, 0, 8])
            && !is_taken([0, 3, 2])
            && !is_taken([0, 1, 9])
    );
    let mut none = file;
    none[section] = 0;
    assert!(ContextModel::parse(&none).is_err());
    // Of a model without a network it is nonsense.
    let mut blind = bare;
    blind[4] += 8;
    assert!(ContextModel::parse(&blind).is_err());
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
fn a_network_whose_sums_could_overflow_is_refused() {
    // The one channel of this model has no links: 40 bytes of taps, six counts, then the network.
    let file = with_net(bare_file(2, 1, 0, 16_383));
    let (biases, enter, middle, leave) = (2 * 64, 2 * 5 * 64, 32 * 64, 32);
    let net = 8 + 5 * 2 + 40 + 6;
    let is_taken = |first: usize, weights: &[i16]| {
        let mut file = file.clone();
        for (place, weight) in file[net + 2 * first..].chunks_exact_mut(2).zip(weights) {
            place.copy_from_slice(&weight.to_le_bytes());
        }
        ContextModel::parse(&file).is_ok()
    };
    // A weight of the first layer times 35 has 16 bits.
    assert!(is_taken(biases, &[936, -936]));
    assert!(!is_taken(biases, &[937]));
    assert!(!is_taken(biases, &[-937]));
    // Units reach 4095. Weights that add up to 524,289 and this bias, in its place, come to 2^31 - 1.
    let middle_biases = biases + enter;
    let leave_biases = middle_biases + 32 + middle;
    for (bias_at, gap, count, bias) in [(middle_biases, 31, 64, 2032), (leave_biases, 0, 32, 508)] {
        let mut weights = vec![0; 1 + gap + count];
        weights[1 + gap..][..16].fill(-i16::MAX);
        weights[1 + gap + 16] = 17;
        for (bias, fits) in [
            (bias, true),
            (bias + 1, false),
            (-bias, true),
            (-bias - 1, false),
        ] {
            weights[0] = bias;
            assert_eq!(
                is_taken(bias_at, &weights),
                fits,
                "bias {bias} at {bias_at}"
            );
        }
    }
    assert_eq!(net + 2 * (leave_biases + 1 + leave) + 448 * 3, file.len());
}
