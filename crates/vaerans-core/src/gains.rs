//! Gains as a function of rate: what scales each channel before it is rounded.

use crate::error::check_count;
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

/// e^x for |x| <= 80 to within 2 units in the last place of an f64.
///
/// x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series up to r^13 / 13! (the rest is below 2^-57), in Horner
/// form; 2^k by the exponent bits. No library function takes part: those differ between machines.
fn exp(x: f64) -> f64 {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    // ln 2 in two parts; the high one has 21 trailing zero bits, so k * LN2_HIGH is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let k = (x * LOG2_E).round_ties_even();
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut sum = 1.0;
    for n in (1..=13).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    sum * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_of_the_library() {
        for i in -80_000..=80_000 {
            let x = f64::from(i) * 1e-3;
            let (ours, theirs) = (exp(x), x.exp());
            let units = (ours - theirs).abs() / (theirs * f64::EPSILON);
            assert!(units <= 2.0, "e^{x}: {ours} against {theirs}");
        }
    }

    #[test]
    fn exp_has_these_bits_on_every_machine() {
        let golden = [(0.0, 0x3ff0_0000_0000_0000), (1.0, 0x4005_bf0a_8b14_576a)];
        for (x, bits) in golden {
            assert_eq!(exp(x).to_bits(), bits, "e^{x}");
        }
    }
}
