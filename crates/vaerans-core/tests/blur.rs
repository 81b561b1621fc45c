//! The blur against its definition in f64.

use proptest::prelude::*;
use vaerans_core::blur::{blur_gaussian_rgb8, scratch_length};
use vaerans_core::image::Size;

fn reference(src: &[u8], size: Size, sigma: f64) -> Vec<f64> {
    let radius = (3.0 * sigma).ceil() as i64;
    let weight = |d: i64| (-((d * d) as f64) / (2.0 * sigma * sigma)).exp();
    let total: f64 = (-radius..=radius).map(weight).sum();
    let pass = |at: &dyn Fn(i64, i64, usize) -> f64, dx: i64, dy: i64| {
        let mut out = Vec::new();
        for y in 0..size.height as i64 {
            for x in 0..size.width as i64 {
                for channel in 0..3 {
                    let sum: f64 = (-radius..=radius)
                        .map(|d| weight(d) * at(x + d * dx, y + d * dy, channel))
                        .sum();
                    out.push(sum / total);
                }
            }
        }
        out
    };
    let index = |x: i64, y: i64, channel: usize| {
        let x = x.clamp(0, size.width as i64 - 1) as usize;
        let y = y.clamp(0, size.height as i64 - 1) as usize;
        (y * size.width + x) * 3 + channel
    };
    let columns = pass(&|x, y, channel| f64::from(src[index(x, y, channel)]), 0, 1);
    pass(&|x, y, channel| columns[index(x, y, channel)], 1, 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn blur_matches_its_definition(
        width in 1usize..24, height in 1usize..24, sigma in 0.2f32..6.0, seed in any::<u32>(),
    ) {
        let size = Size { width, height };
        let src: Vec<u8> = (0..3 * width * height)
            .map(|i| ((i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 21) as u8)
            .collect();
        let mut dst = vec![0; src.len()];
        let mut scratch = vec![f32::NAN; scratch_length(width, sigma).unwrap()];
        blur_gaussian_rgb8(&src, &mut dst, size, sigma, &mut scratch).unwrap();
        for (&got, exact) in dst.iter().zip(reference(&src, size, f64::from(sigma))) {
            prop_assert!((f64::from(got) - exact).abs() <= 0.5 + 1e-3, "{got} against {exact}");
        }
    }
}

#[test]
fn a_flat_picture_stays_as_it_is() {
    let size = Size {
        width: 7,
        height: 5,
    };
    for sigma in [0.1, 1.0, 64.0] {
        let src = [255, 128, 0].repeat(35);
        let mut dst = vec![9; src.len()];
        let mut scratch = vec![0.0; scratch_length(7, sigma).unwrap()];
        blur_gaussian_rgb8(&src, &mut dst, size, sigma, &mut scratch).unwrap();
        assert_eq!(dst, src, "sigma {sigma}");
    }
}

#[test]
fn sigmas_out_of_range_are_refused() {
    for sigma in [0.0, -1.0, 64.1, f32::NAN, f32::INFINITY] {
        assert!(scratch_length(5, sigma).is_err(), "{sigma}");
    }
}
