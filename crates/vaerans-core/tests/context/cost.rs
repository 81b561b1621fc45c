//! What symbols cost, and the choice among them by what they cost.

use vaerans_core::context::{choose, cost};
use vaerans_core::quantise::quantise;
use vaerans_core::Error;

use crate::toy_context::latents;
use crate::toy_noise::Noise;
use crate::{dense, encoded, only, toy_model};

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
    let mut chosen = |rate, values: &[f32], gains: &[f32], lambda| {
        choose(
            &model,
            rate,
            &only(values, band),
            gains,
            lambda,
            &mut [&mut symbols],
        )
    };
    for lambda in [-0.1, 1.1, f32::NAN] {
        assert!(chosen(0, &values, &[1.0; 4], lambda).is_err());
    }
    assert!(chosen(0, &values, &[1.0; 3], 0.1).is_err());
    assert!(chosen(0, &values[1..], &[1.0; 4], 0.1).is_err());
    assert!(chosen(4096, &values, &[1.0; 4], 0.1).is_err());
    chosen(0, &values, &[1.0; 4], 0.1).expect("no number is 0");
    assert_eq!(symbols, [0; 100]);
}
