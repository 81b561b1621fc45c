//! The colours of SSIMULACRA2: XYB of JPEG XL, moved and scaled to be positive.

use std::sync::LazyLock;

/// Of the samples 0 to 255, 0 to 1.
pub static LINEAR_OF_SRGB: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|sample| {
        let value = sample as f64 / 255.0;
        let linear = if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        };
        linear as f32
    })
});

/// How much of red, green and blue the three kinds of cone take.
const ABSORBANCE: [[f32; 3]; 3] = [
    [0.3, 1.0 - 0.078 - 0.3, 0.078],
    [0.23, 1.0 - 0.078 - 0.23, 0.078],
    [
        0.243_422_69,
        0.204_767_45,
        1.0 - 0.243_422_69 - 0.204_767_45,
    ],
];
const BIAS: f32 = 0.003_793_073_4;
const CUBE_ROOT_OF_BIAS: f32 = 0.155_954_2;

/// X, Y and B of one row.
pub struct XybRow(pub [Vec<f32>; 3]);

impl XybRow {
    pub fn new(width: usize) -> Self {
        XybRow(std::array::from_fn(|_| vec![0.0; width]))
    }

    /// `linear` are the rows of red, green and blue.
    pub fn convert(&mut self, linear: &[Vec<f32>]) {
        let [red, green, blue] = linear else {
            return;
        };
        let [row_x, row_y, row_b] = &mut self.0;
        let colours = red.iter().zip(green).zip(blue);
        let places = row_x.iter_mut().zip(row_y).zip(row_b);
        for (((x, y), b), ((&red, &green), &blue)) in places.zip(colours) {
            let cone = |[of_red, of_green, of_blue]: [f32; 3]| {
                cube_root(of_red * red + of_green * green + of_blue * blue + BIAS)
                    - CUBE_ROOT_OF_BIAS
            };
            let [long, middle, short] = ABSORBANCE.map(cone);
            let luminance = 0.5 * (long + middle);
            *x = 0.5 * (long - middle) * 14.0 + 0.42;
            *y = luminance + 0.01;
            *b = short - luminance + 0.55;
        }
    }
}

/// Of a value from `BIAS` to 1.01, to a few units in the last place: highway's way (`CubeRootAndAdd`), a guess from
/// the exponent and Newton's steps for the inverse root, which is all additions and multiplications.
#[inline(always)]
fn cube_root(value: f32) -> f32 {
    let guess = 0x5480_0000 - (value.to_bits() as i32 >> 23) * 0x002a_aaaa;
    let mut inverse = f32::from_bits(guess as u32);
    for _ in 0..3 {
        let square = inverse * inverse;
        inverse = 4.0 / 3.0 * inverse - value / 3.0 * (square * square);
    }
    let square = inverse * inverse;
    inverse += (inverse - value * (square * square)) / 3.0;
    inverse * inverse * value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cube_roots_are_near_those_of_the_standard_library() {
        for step in 0..50_000u16 {
            let value = BIAS + f32::from(step) * 2e-5;
            let error = (cube_root(value) / value.cbrt() - 1.0).abs();
            assert!(error < 1e-6, "{value}: {error}");
        }
        assert!((BIAS.cbrt() - CUBE_ROOT_OF_BIAS).abs() < 2e-8);
    }
}
