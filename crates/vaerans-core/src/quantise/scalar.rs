//! The loop that the rule is written in.

use super::round_to_symbol;

/// Quantises one plane; `symbols` is as long as `values`.
pub fn quantise_plane(values: &[f32], symbols: &mut [i16], gain: f32) {
    for (symbol, &value) in symbols.iter_mut().zip(values) {
        *symbol = round_to_symbol(value * gain);
    }
}
