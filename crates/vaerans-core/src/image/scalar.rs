//! Rows of pixels, one at a time.

use super::{to_value, Affine};

pub fn row_to_planar(rgb: &[u8], [red, green, blue]: [&mut [f32]; 3], affine: Affine) {
    let planes = red.iter_mut().zip(green).zip(blue);
    for (pixel, ((red, green), blue)) in rgb.chunks_exact(3).zip(planes) {
        *red = to_value(pixel[0], affine);
        *green = to_value(pixel[1], affine);
        *blue = to_value(pixel[2], affine);
    }
}
