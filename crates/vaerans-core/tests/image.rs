//! Pixels to planes and back, against the definition written out sample by sample.

use proptest::prelude::*;
use vaerans_core::image::{copy_window, planar_to_rgb8, rgb8_to_planar, Affine, Copy, Size};
use vaerans_core::Error;

const UNIT: Affine = Affine {
    scale: 1.0 / 255.0,
    bias: 0.0,
};
const BACK: Affine = Affine {
    scale: 255.0,
    bias: 0.0,
};

fn sizes() -> impl Strategy<Value = Size> {
    let side = || prop_oneof![Just(1usize), Just(2), Just(17), Just(31), 1..40usize];
    (side(), side()).prop_map(|(width, height)| Size { width, height })
}

fn picture(size: Size, seed: usize) -> Vec<u8> {
    (0..size.width * size.height * 3)
        .map(|i| (((i + seed) * 2_654_435_761) >> 13) as u8)
        .collect()
}

fn offsets() -> impl Strategy<Value = i32> {
    prop_oneof![8 => -50..50i32, 1 => Just(i32::MIN), 1 => Just(i32::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_window_repeats_the_edge_outside_the_picture(
        src_size in sizes(), dst_size in sizes(), x0 in offsets(), y0 in offsets(), seed in 0usize..1000,
    ) {
        let affine = Affine { scale: 0.5, bias: -3.0 };
        let src = picture(src_size, seed);
        let area = dst_size.width * dst_size.height;
        let mut dst = vec![f32::NAN; 3 * area];
        rgb8_to_planar(&src, src_size, (x0, y0), &mut dst, dst_size, affine).unwrap();
        for y in 0..dst_size.height {
            let src_y = (i64::from(y0) + y as i64).clamp(0, src_size.height as i64 - 1) as usize;
            for x in 0..dst_size.width {
                let src_x = (i64::from(x0) + x as i64).clamp(0, src_size.width as i64 - 1) as usize;
                for channel in 0..3 {
                    let sample = src[(src_y * src_size.width + src_x) * 3 + channel];
                    let expected = f32::from(sample) * affine.scale + affine.bias;
                    prop_assert_eq!(dst[channel * area + y * dst_size.width + x], expected);
                }
            }
        }
    }

    #[test]
    fn every_sample_survives_the_way_to_floats_and_back(size in sizes(), seed in 0usize..1000) {
        let src = picture(size, seed);
        let mut planes = vec![0.0; src.len()];
        rgb8_to_planar(&src, size, (0, 0), &mut planes, size, UNIT).unwrap();
        let mut back = vec![0; src.len()];
        let whole = Copy { src_x: 0, src_y: 0, dst_x: 0, dst_y: 0, size };
        planar_to_rgb8(&planes, size, &mut back, size, whole, BACK).unwrap();
        prop_assert_eq!(back, src);
    }

    #[test]
    fn windows_land_where_they_should_and_nowhere_else(
        src_size in sizes(), dst_size in sizes(), picks in any::<[usize; 6]>(),
    ) {
        let size = Size {
            width: picks[0] % src_size.width.min(dst_size.width) + 1,
            height: picks[1] % src_size.height.min(dst_size.height) + 1,
        };
        let copy = Copy {
            src_x: picks[2] % (src_size.width - size.width + 1),
            src_y: picks[3] % (src_size.height - size.height + 1),
            dst_x: picks[4] % (dst_size.width - size.width + 1),
            dst_y: picks[5] % (dst_size.height - size.height + 1),
            size,
        };
        let (src_area, dst_area) = (src_size.width * src_size.height, dst_size.width * dst_size.height);
        let src: Vec<f32> = (0..3 * src_area).map(|i| (i % 251) as f32).collect();
        let mut planes = vec![-1.0; 3 * dst_area];
        copy_window(&src, src_size, &mut planes, dst_size, 3, copy).unwrap();
        let mut rgb = vec![255; 3 * dst_area];
        let same = Affine { scale: 1.0, bias: 0.0 };
        planar_to_rgb8(&src, src_size, &mut rgb, dst_size, copy, same).unwrap();
        for channel in 0..3 {
            for y in 0..dst_size.height {
                for x in 0..dst_size.width {
                    let (dx, dy) = (x.wrapping_sub(copy.dst_x), y.wrapping_sub(copy.dst_y));
                    let position = y * dst_size.width + x;
                    let (value, sample) =
                        (planes[channel * dst_area + position], rgb[position * 3 + channel]);
                    if dx < size.width && dy < size.height {
                        let from = (copy.src_y + dy) * src_size.width + copy.src_x + dx;
                        prop_assert_eq!(value, src[channel * src_area + from]);
                        prop_assert_eq!(f32::from(sample), value);
                    } else {
                        prop_assert_eq!(value, -1.0);
                        prop_assert_eq!(sample, 255);
                    }
                }
            }
        }
    }
}

#[test]
fn values_are_clamped_and_halves_go_to_even() {
    let values = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -0.5,
        0.5,
        1.5,
        2.5,
        254.5,
        255.4,
        300.0,
        1e30,
        -1e30,
    ];
    let size = Size {
        width: values.len(),
        height: 1,
    };
    let copy = Copy {
        src_x: 0,
        src_y: 0,
        dst_x: 0,
        dst_y: 0,
        size,
    };
    let same = Affine {
        scale: 1.0,
        bias: 0.0,
    };
    let planes = [values, values, values].concat();
    let mut rgb = vec![7; planes.len()];
    planar_to_rgb8(&planes, size, &mut rgb, size, copy, same).unwrap();
    let expected = [0, 255, 0, 0, 0, 2, 2, 254, 255, 255, 255, 0];
    for (pixel, sample) in rgb.chunks_exact(3).zip(expected) {
        assert_eq!(pixel, [sample; 3]);
    }
}

#[test]
fn windows_outside_and_wrong_lengths_are_refused() {
    let size = Size {
        width: 4,
        height: 3,
    };
    let src = vec![0.0; 36];
    let mut dst = vec![0.0; 36];
    let mut refused = |src_x, width| {
        let copy = Copy {
            src_x,
            src_y: 0,
            dst_x: 0,
            dst_y: 0,
            size: Size { width, height: 1 },
        };
        matches!(
            copy_window(&src, size, &mut dst, size, 3, copy),
            Err(Error::Shape { .. })
        )
    };
    assert!(refused(1, 4));
    assert!(refused(usize::MAX, 2));
    assert!(!refused(1, 3));
    let nothing = Size {
        width: 0,
        height: 3,
    };
    assert!(rgb8_to_planar(&[], nothing, (0, 0), &mut [0.0; 3], nothing, UNIT).is_err());
    assert!(rgb8_to_planar(&[0; 35], size, (0, 0), &mut [0.0; 36], size, UNIT).is_err());
}
