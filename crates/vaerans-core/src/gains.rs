//! Gains as a function of rate: what scales each channel before it is rounded.

use crate::error::check_count;
use crate::exp::exp;
use crate::Error;

/// Rates are 0 to this, log-spaced; the file stores them in 12 bits of a u16.
pub const RATE_MAX: u32 = 4095;

/// Largest magnitude of a log gain: e^80 and its reciprocal are both ordinary f32 numbers.
const LOG_GAIN_LIMIT: f64 = 80.0;

/// Gains of all channels at `rate`: the knots' natural logarithms are interpolated linearly over rate / 4095, then
/// exponentiated. The first knot is rate 0, the last one rate 4095; a single knot serves all.
///
/// `log_knots` is [knots][channels], `dst` is [channels]. Decoding depends on the result, so it uses nothing but basic
/// f64 operations: the same bits on every machine.
pub fn gains_at_rate(log_knots: &[f32], rate: u32, dst: &mut [f32]) -> Result<(), Error> {
    let channels = dst.len();
    if rate > RATE_MAX {
        return Err(Error::OutOfRange {
            what: "a rate from 0 to 4095",
        });
    }
    if channels == 0 || log_knots.is_empty() {
        return Err(Error::Shape {
            what: "knots and channels at least",
            expected: 1,
            got: 0,
        });
    }
    let knots = log_knots.len() / channels;
    check_count("knots times channels", knots * channels, log_knots.len())?;
    // rate * (knots - 1) / 4095 as a whole knot and a fraction of 4095, so that both ends are hit exactly.
    let position = u64::from(rate) * (knots as u64 - 1);
    let lower = (position / u64::from(RATE_MAX)) as usize;
    let upper = (lower + 1).min(knots - 1);
    let fraction = (position % u64::from(RATE_MAX)) as f64 / f64::from(RATE_MAX);
    let below = &log_knots[lower * channels..][..channels];
    let above = &log_knots[upper * channels..][..channels];
    for ((gain, &below), &above) in dst.iter_mut().zip(below).zip(above) {
        let (below, above) = (f64::from(below), f64::from(above));
        let log_gain = below + (above - below) * fraction;
        if log_gain.is_nan() || log_gain.abs() > LOG_GAIN_LIMIT {
            return Err(Error::OutOfRange {
                what: "log gains from -80 to 80",
            });
        }
        *gain = exp(log_gain) as f32;
    }
    Ok(())
}
