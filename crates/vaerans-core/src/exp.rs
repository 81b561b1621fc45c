//! The exponential function with the same bits on every machine.

/// e^x for |x| <= 80 to within 2 units in the last place of an f64.
///
/// x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series up to r^13 / 13! (the rest is below 2^-57), in Horner
/// form; 2^k by the exponent bits. No library function takes part: those differ between machines.
pub(crate) fn exp(x: f64) -> f64 {
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
