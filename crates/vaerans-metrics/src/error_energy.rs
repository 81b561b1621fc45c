//! Squared errors, exact: integers until the last division.

use vaerans_core::metrics::sum_squared_error;

use crate::Pair;

/// Over all samples, 0 to 65,025.
pub fn mean_squared_error(pair: Pair) -> f64 {
    // A pair's pictures are equally long, so there is a sum.
    sum_squared_error(pair.a, pair.b).map_or(f64::NAN, |sum| sum / pair.a.len() as f64)
}

/// ITU-R BT.601 in thousandths, as JPEG has it.
const LUMA: [i32; 3] = [299, 587, 114];

/// Over the luma `0.299 R + 0.587 G + 0.114 B`, which is not rounded; of a grey picture over its samples.
pub fn mean_squared_luma_error(pair: Pair) -> f64 {
    if pair.channels == 1 {
        return mean_squared_error(pair);
    }
    let mut total = 0u64;
    for (a, b) in pair
        .a
        .as_chunks::<3>()
        .0
        .iter()
        .zip(pair.b.as_chunks::<3>().0)
    {
        let mut difference = 0i32;
        for channel in 0..3 {
            difference += LUMA[channel] * (i32::from(a[channel]) - i32::from(b[channel]));
        }
        // At most 255,000² a pixel: u64 holds 2^28 pixels and more.
        total += i64::from(difference).pow(2) as u64;
    }
    total as f64 / 1e6 / (pair.width * pair.height) as f64
}
