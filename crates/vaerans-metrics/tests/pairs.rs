//! The metrics over small pictures; values of other implementations are compared in tests/bench/metrics.test.ts.

use vaerans_metrics::{
    mean_squared_error, mean_squared_luma_error, ms_ssim, ssim, ssimulacra2, Pair,
};

fn waves(width: usize, height: usize, channels: usize, phase: usize) -> Vec<u8> {
    (0..width * height * channels)
        .map(|at| ((at * 37 + at / 91 * phase) % 251) as u8)
        .collect()
}

#[test]
fn pictures_that_are_not_what_they_say_make_no_pair() {
    let samples = [0u8; 12];
    assert!(Pair::new(2, 2, 3, &samples, &samples).is_some());
    assert!(Pair::new(2, 2, 3, &samples, &samples[1..]).is_none());
    assert!(Pair::new(3, 2, 2, &samples, &samples).is_none());
    assert!(Pair::new(0, 2, 3, &[], &[]).is_none());
    assert!(Pair::new(usize::MAX, 2, 3, &samples, &samples).is_none());
}

#[test]
fn equal_pictures_are_at_the_ends_of_the_scales() {
    for channels in [1, 3] {
        let a = waves(173, 161, channels, 5);
        let pair = Pair::new(173, 161, channels, &a, &a).expect("a pair");
        assert_eq!(mean_squared_error(pair), 0.0);
        assert_eq!(mean_squared_luma_error(pair), 0.0);
        assert_eq!(ssim(pair), Some(1.0));
        assert_eq!(ms_ssim(pair), Some(1.0));
        assert_eq!(ssimulacra2(pair), Some(100.0));
    }
}

#[test]
fn black_against_white_is_as_far_as_it_gets() {
    // More than one block of the sum.
    let (black, white) = (vec![0u8; 200 * 180 * 3], vec![255u8; 200 * 180 * 3]);
    let pair = Pair::new(200, 180, 3, &black, &white).expect("a pair");
    assert_eq!(mean_squared_error(pair), 65_025.0);
    assert_eq!(mean_squared_luma_error(pair), 65_025.0);
    // C1 / (255² + C1) of luminance, and no contrast in either.
    let luminance = 6.5025 / (65_025.0 + 6.5025);
    assert!((ssim(pair).expect("large enough") - luminance).abs() < 1e-6);
    assert!(ssimulacra2(pair).expect("large enough") < 0.0);
}

#[test]
fn every_size_from_the_least_is_measured() {
    for side in 8..40 {
        let (a, b) = (waves(side, 9, 3, 5), waves(side, 9, 3, 11));
        let pair = Pair::new(side, 9, 3, &a, &b).expect("a pair");
        assert!(ssimulacra2(pair).is_some_and(f64::is_finite));
        assert_eq!(ssim(pair), None);
        let (a, b) = (waves(11, side, 3, 5), waves(11, side, 3, 11));
        let pair = Pair::new(11, side, 3, &a, &b).expect("a pair");
        assert_eq!(ssim(pair).is_some(), side >= 11);
    }
}
