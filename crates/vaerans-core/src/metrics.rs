//! Numbers for the trace and the demo's table; none of them reaches a file.

mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::squared_error;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::squared_error;

use crate::error::{check_count, product};
use crate::Error;

/// Sum of squared differences of two equally long runs of samples; exact.
pub fn sum_squared_error(a: &[u8], b: &[u8]) -> Result<f64, Error> {
    check_count("samples", a.len(), b.len())?;
    /// As many as `squared_error` takes.
    const BLOCK: usize = 32_768;
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    let total: u64 = blocks.map(|(a, b)| u64::from(squared_error(a, b))).sum();
    Ok(total as f64)
}

/// Order-0 entropy in bits of all symbols together, where each channel is a source by itself: what an ideal coder
/// with free tables would take.
pub fn symbols_entropy_bits(
    symbols: &[i16],
    channels: usize,
    plane_length: usize,
) -> Result<f64, Error> {
    check_count(
        "symbols",
        product("symbols", channels, plane_length)?,
        symbols.len(),
    )?;
    if symbols.is_empty() {
        return Ok(0.0);
    }
    let mut counts = Vec::new();
    let mut bits = 0.0;
    for plane in symbols.chunks_exact(plane_length) {
        let low = i32::from(plane.iter().copied().min().unwrap_or(0));
        let high = i32::from(plane.iter().copied().max().unwrap_or(0));
        counts.clear();
        counts.resize((high - low + 1) as usize, 0u32);
        for &symbol in plane {
            counts[(i32::from(symbol) - low) as usize] += 1;
        }
        let total = plane_length as f64;
        for &count in counts.iter().filter(|&&count| count > 0) {
            let count = f64::from(count);
            bits += count * (total / count).log2();
        }
    }
    Ok(bits)
}
