//! Four pixels at a time: groups of three bytes come apart by swizzles, which the compiler does not find.
#![allow(unsafe_code)] // Bytes whose vector is swizzled at once would be loaded one by one.

use core::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i8x16, i8x16_swizzle, v128, v128_load,
    v128_store,
};

use super::{scalar, Affine};

/// Pixels of a vector of bytes with one byte to spare for each three.
const PIXELS: usize = 4;

/// The same as `scalar::row_to_planar`.
pub fn row_to_planar(rgb: &[u8], planes: [&mut [f32]; 3], affine: Affine) {
    // What a swizzle does not find is zero.
    const CHANNELS: [v128; 3] = [
        i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1),
        i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1),
        i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1),
    ];
    let [red, green, blue] = planes;
    let (scale, bias) = (f32x4_splat(affine.scale), f32x4_splat(affine.bias));
    let targets = red
        .as_chunks_mut::<PIXELS>()
        .0
        .iter_mut()
        .zip(green.as_chunks_mut::<PIXELS>().0)
        .zip(blue.as_chunks_mut::<PIXELS>().0);
    let mut done = 0;
    for (((red, green), blue), bytes) in targets.zip(rgb.windows(16).step_by(3 * PIXELS)) {
        // SAFETY: a window of sixteen bytes, at any alignment.
        let bytes = unsafe { v128_load(bytes.as_ptr().cast()) };
        for (target, channel) in [red, green, blue].into_iter().zip(CHANNELS) {
            let samples = f32x4_convert_i32x4(i8x16_swizzle(bytes, channel));
            let values = f32x4_add(f32x4_mul(samples, scale), bias);
            // SAFETY: four values that are borrowed, at any alignment.
            unsafe { v128_store(target.as_mut_ptr().cast(), values) };
        }
        done += PIXELS;
    }
    scalar::row_to_planar(
        &rgb[3 * done..],
        [&mut red[done..], &mut green[done..], &mut blue[done..]],
        affine,
    );
}
