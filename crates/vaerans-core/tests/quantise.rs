//! Quantiser, gains and the trace's numbers.

use proptest::prelude::*;
use vaerans_core::gains::{gains_at_rate, RATE_MAX};
use vaerans_core::metrics::{sum_squared_error, symbols_entropy_bits};
use vaerans_core::quantise::{dequantise, quantise};
use vaerans_core::Error;

proptest! {
    #[test]
    fn symbols_are_the_nearest_integers_with_halves_to_even(
        values in prop::collection::vec(prop_oneof![-40_000f32..40_000.0, -3f32..3.0, any::<f32>()], 0..200),
        gain in prop_oneof![Just(1f32), Just(0.5), 1e-6f32..100.0],
    ) {
        let mut symbols = vec![7i16; values.len()];
        quantise(&values, &mut symbols, &[gain], values.len()).unwrap();
        for (&value, &symbol) in values.iter().zip(&symbols) {
            let scaled = f64::from(value * gain);
            let expected = if scaled.is_nan() { 0.0 } else { scaled.clamp(-32767.0, 32767.0).round_ties_even() };
            prop_assert_eq!(f64::from(symbol), expected, "{} * {}", value, gain);
        }
    }

    #[test]
    fn each_channel_has_its_own_gain(channels in 1usize..9, length in 0usize..40) {
        let gains: Vec<f32> = (1..=channels).map(|c| c as f32).collect();
        let inverse: Vec<f32> = gains.iter().map(|g| 2.0 / g).collect();
        let values = vec![10.0f32; channels * length];
        let mut symbols = vec![0i16; values.len()];
        quantise(&values, &mut symbols, &gains, length).unwrap();
        let mut back = vec![0f32; values.len()];
        dequantise(&symbols, &mut back, &inverse, length).unwrap();
        for (i, (&symbol, &value)) in symbols.iter().zip(&back).enumerate() {
            let channel = i / length;
            prop_assert_eq!(symbol, 10 * (channel as i16 + 1));
            prop_assert_eq!(value, f32::from(symbol) * inverse[channel]);
        }
    }

    #[test]
    fn gains_follow_the_interpolated_logarithm(
        knots in 1usize..9, channels in 1usize..5, rate in 0..=RATE_MAX, seed in -15f32..15.0,
    ) {
        let logs: Vec<f32> = (0..knots * channels).map(|i| seed + (i as f32 * 0.37).sin() * 5.0).collect();
        let mut gains = vec![0f32; channels];
        gains_at_rate(&logs, rate, &mut gains).unwrap();
        for (channel, &gain) in gains.iter().enumerate() {
            let position = f64::from(rate) * (knots - 1) as f64 / f64::from(RATE_MAX);
            let lower = (position as usize).min(knots.saturating_sub(2));
            let at = |knot: usize| f64::from(logs[knot.min(knots - 1) * channels + channel]);
            let fraction = position - lower as f64;
            let exact = (at(lower) + (at(lower + 1) - at(lower)) * fraction).exp();
            prop_assert!((f64::from(gain) / exact - 1.0).abs() < 1e-6, "{gain} against {exact}");
        }
    }

    #[test]
    fn squared_error_is_exact(pairs in prop::collection::vec(any::<(u8, u8)>(), 0..500)) {
        let (a, b): (Vec<u8>, Vec<u8>) = pairs.iter().copied().unzip();
        let exact: i64 = pairs.iter().map(|&(a, b)| (i64::from(a) - i64::from(b)).pow(2)).sum();
        prop_assert_eq!(sum_squared_error(&a, &b).unwrap(), exact as f64);
    }
}

#[test]
fn gains_at_the_ends_are_those_of_the_knots() {
    let logs = [-1.0f32, 0.0, 3.0];
    let at = |rate| {
        let mut gain = [0f32];
        gains_at_rate(&logs, rate, &mut gain).map(|()| gain[0])
    };
    assert_eq!(at(0), Ok((-1f64).exp() as f32));
    assert_eq!(at(RATE_MAX), Ok(3f64.exp() as f32));
    assert_eq!(
        at(RATE_MAX + 1),
        Err(Error::OutOfRange {
            what: "a rate from 0 to 4095"
        })
    );
}

#[test]
fn gains_that_are_no_numbers_are_refused() {
    for log in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 80.5, -81.0] {
        let mut gain = [0f32];
        let refused = gains_at_rate(&[log], 0, &mut gain);
        assert!(matches!(refused, Err(Error::OutOfRange { .. })), "{log}");
    }
    assert!(gains_at_rate(&[0.0; 5], 0, &mut [0f32; 2]).is_err());
    assert!(gains_at_rate(&[], 0, &mut [0f32; 2]).is_err());
}

#[test]
fn the_worst_squared_error_does_not_overflow() {
    let length = 3_000_000;
    let error = sum_squared_error(&vec![0; length], &vec![255; length]);
    assert_eq!(error, Ok(65_025.0 * length as f64));
}

#[test]
fn entropy_counts_each_channel_by_itself() {
    // One channel of a fair coin, one of four equal values, one constant.
    let symbols = [[0i16, 1, 0, 1], [-32768, 32767, 5, 6], [9, 9, 9, 9]].concat();
    assert_eq!(symbols_entropy_bits(&symbols, 3, 4), Ok(4.0 + 8.0));
    assert_eq!(symbols_entropy_bits(&[], 0, 4), Ok(0.0));
    assert!(symbols_entropy_bits(&symbols, 3, 5).is_err());
}
