//! Numbers for the trace and the demo's table; none of them reaches a file.

use crate::error::{check_count, product};
use crate::Error;

/// Sum of squared differences of two equally long runs of samples; exact.
pub fn sum_squared_error(a: &[u8], b: &[u8]) -> Result<f64, Error> {
    check_count("samples", a.len(), b.len())?;
    // 255² times 32768 stays below 2^31, so a block can be summed in 32 bits, which is what vectorises.
    const BLOCK: usize = 32_768;
    let mut total = 0u64;
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut sum = 0u32;
        for (&a, &b) in a.iter().zip(b) {
            let difference = i32::from(a) - i32::from(b);
            sum += (difference * difference) as u32;
        }
        total += u64::from(sum);
    }
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
