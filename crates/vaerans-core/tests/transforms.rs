//! Hadamard, wavelets and KLT: inverses, exact where they are exact, and what they do to known signals.

use proptest::prelude::*;
use vaerans_core::hadamard::hadamard4;
use vaerans_core::image::Size;
use vaerans_core::klt::{klt_forward, klt_inverse};
use vaerans_core::wavelet::{scratch_length, wavelet_forward, wavelet_inverse, Kind};

/// Integers of a few bits: transforms that add, subtract and halve keep them exact.
fn integers(count: usize, seed: u32) -> Vec<f32> {
    random(count, seed)
        .iter()
        .map(|x| (x * 128.0).round())
        .collect()
}

/// Numbers from -1 to 1.
fn random(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn energy(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x).powi(2)).sum()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Cdf53), Just(Kind::Haar)]
}

/// Forward, then back, with scratch of exactly the length asked for.
fn there_and_back(kind: Kind, data: &[f32], size: Size, levels: u32) -> (Vec<f32>, Vec<f32>) {
    let mut scratch = vec![f32::NAN; scratch_length(size)];
    let mut coefficients = data.to_vec();
    wavelet_forward(kind, &mut coefficients, size, levels, &mut scratch).unwrap();
    let mut back = coefficients.clone();
    scratch.fill(f32::NAN);
    wavelet_inverse(kind, &mut back, size, levels, &mut scratch).unwrap();
    (coefficients, back)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn hadamard_is_its_own_inverse_and_keeps_energy(groups in 0usize..5, length in 0usize..70, seed in any::<u32>()) {
        let channels = 4 * groups;
        let whole = integers(channels * length, seed);
        let mut data = whole.clone();
        hadamard4(&mut data, channels, length).unwrap();
        prop_assert!((energy(&data) - energy(&whole)).abs() <= 1e-9 * energy(&whole));
        hadamard4(&mut data, channels, length).unwrap();
        prop_assert_eq!(&data, &whole, "integers come back exactly");

        let values = random(channels * length, seed);
        let mut data = values.clone();
        hadamard4(&mut data, channels, length).unwrap();
        hadamard4(&mut data, channels, length).unwrap();
        prop_assert!(largest_difference(&data, &values) <= 5e-7);
    }

    #[test]
    fn wavelets_of_any_size_come_back(
        kind in kinds(), width in 1usize..70, height in 1usize..70, planes in 1usize..3,
        levels in 1u32..=10, seed in any::<u32>(),
    ) {
        let size = Size { width, height };
        let data = random(planes * width * height, seed);
        let (_, back) = there_and_back(kind, &data, size, levels);
        prop_assert!(largest_difference(&back, &data) <= 4e-6);
    }

    #[test]
    fn thin_and_prime_wavelets_come_back(
        kind in kinds(), length in prop::sample::select(vec![1usize, 2, 3, 5, 97, 257, 1021]),
        upright in any::<bool>(), levels in 1u32..=10, seed in any::<u32>(),
    ) {
        let size = if upright { Size { width: 1, height: length } } else { Size { width: length, height: 1 } };
        let data = random(length, seed);
        let (_, back) = there_and_back(kind, &data, size, levels);
        prop_assert!(largest_difference(&back, &data) <= 4e-6);
    }

    #[test]
    fn wavelets_of_small_integers_come_back_exactly(
        kind in kinds(), width in 5usize..60, height in 5usize..60, levels in 1u32..=2, seed in any::<u32>(),
    ) {
        let data = integers(width * height, seed);
        let (_, back) = there_and_back(kind, &data, Size { width, height }, levels);
        prop_assert_eq!(back, data);
    }

    #[test]
    fn haar_keeps_energy(levels in 1u32..=4, seed in any::<u32>()) {
        let size = Size { width: 32, height: 48 };
        let data = random(32 * 48, seed);
        let (coefficients, _) = there_and_back(Kind::Haar, &data, size, levels);
        prop_assert!((energy(&coefficients) - energy(&data)).abs() <= 1e-5 * energy(&data));
    }

    #[test]
    fn a_flat_plane_has_no_high_subbands(
        kind in kinds(), width in 2usize..40, height in 2usize..40, seed in any::<i8>(),
    ) {
        let data = vec![f32::from(seed); width * height];
        let (coefficients, _) = there_and_back(kind, &data, Size { width, height }, 1);
        for (i, &coefficient) in coefficients.iter().enumerate() {
            let low = i % width < width.div_ceil(2) && i / width < height.div_ceil(2);
            prop_assert_eq!(coefficient, if low { 2.0 * f32::from(seed) } else { 0.0 });
        }
    }

    #[test]
    fn klt_matches_its_formula_and_comes_back(
        channels in 1usize..20, length in 0usize..40, seed in any::<u32>(),
    ) {
        let matrix = orthonormal(channels, seed);
        let mean = random(channels, seed ^ 1);
        let src = random(channels * length, seed ^ 2);
        let mut forward = vec![f32::NAN; src.len()];
        klt_forward(&src, &mut forward, &mean, &matrix, length).unwrap();
        for target in 0..channels {
            for position in 0..length {
                let exact: f64 = (0..channels)
                    .map(|c| f64::from(matrix[target * channels + c])
                        * (f64::from(src[c * length + position]) - f64::from(mean[c])))
                    .sum();
                let got = f64::from(forward[target * length + position]);
                prop_assert!((got - exact).abs() <= 4e-6, "{got} against {exact}");
            }
        }
        let mut back = vec![f32::NAN; src.len()];
        klt_inverse(&forward, &mut back, &mean, &matrix, length).unwrap();
        prop_assert!(largest_difference(&back, &src) <= 8e-6);
    }
}

/// A reflection I - 2 v vᵀ, which is its own transpose, with two rows exchanged, so that it is not.
fn orthonormal(channels: usize, seed: u32) -> Vec<f32> {
    let v = random(channels, seed);
    let norm = energy(&v).max(1e-9);
    let mut matrix: Vec<f32> = (0..channels * channels)
        .map(|i| {
            let (row, column) = (i / channels, i % channels);
            let unit = f64::from(u8::from(row == column));
            (unit - 2.0 * f64::from(v[row]) * f64::from(v[column]) / norm) as f32
        })
        .collect();
    if channels > 1 {
        let (first, rest) = matrix.split_at_mut(channels);
        first.swap_with_slice(&mut rest[..channels]);
    }
    matrix
}

#[test]
fn one_level_of_cdf53_has_these_coefficients() {
    // A row of 5 over two equal rows: the vertical pass only doubles the lows.
    let size = Size {
        width: 5,
        height: 2,
    };
    let row = [4.0, 10.0, 8.0, 8.0, 12.0];
    let (coefficients, _) = there_and_back(Kind::Cdf53, &[row, row].concat(), size, 1);
    // highs: 10 - 6 = 4, 8 - 10 = -2; lows: 4 + 2, 8 + 0.5, 12 - 1; weights 2 and 1.
    assert_eq!(coefficients[..5], [12.0, 17.0, 22.0, 4.0, -2.0]);
    assert_eq!(coefficients[5..], [0.0; 5]);
}

#[test]
fn wrong_shapes_are_refused() {
    let size = Size {
        width: 4,
        height: 4,
    };
    let mut data = vec![0.0; 16];
    let mut scratch = vec![0.0; scratch_length(size)];
    for levels in [0, 11] {
        assert!(wavelet_forward(Kind::Haar, &mut data, size, levels, &mut scratch).is_err());
    }
    assert!(wavelet_forward(Kind::Haar, &mut data[..15], size, 1, &mut scratch).is_err());
    assert!(wavelet_inverse(Kind::Haar, &mut data, size, 1, &mut scratch[1..]).is_err());
    assert!(hadamard4(&mut data, 3, 5).is_err());
    assert!(hadamard4(&mut data, 4, 5).is_err());
    assert!(klt_forward(&data, &mut [0.0; 16], &[0.0; 4], &[0.0; 15], 4).is_err());
}
