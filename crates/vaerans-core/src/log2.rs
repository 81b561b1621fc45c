//! Logarithms and powers of two as integers, from tables that are computed by integer roots when this is compiled:
//! the same numbers on every machine, with no floating-point library behind them.

/// 2^(-i/256) in units of 2^-24 for i = 0 to 255.
const POWERS: [u32; 256] = powers();

/// log2(1 + i/256) in units of 2^-16 for i = 0 to 256.
const LOGARITHMS: [u32; 257] = logarithms();

/// 2^(-exponent) in units of 2^-24, rounded down; `exponent` is in units of 1/256.
pub fn exp2_negative(exponent: u32) -> u32 {
    let power = POWERS[(exponent & 255) as usize];
    power.checked_shr(exponent >> 8).unwrap_or(0)
}

/// log2(x) in units of 2^-16, linear between the table's entries (less than 2 units off); 0 for x = 0.
pub fn log2(x: u64) -> u64 {
    let Some(exponent) = x.checked_ilog2() else {
        return 0;
    };
    // The 32 bits behind the leading one: 8 choose the entry, 24 lie between entries.
    let fraction = ((u128::from(x) << 32 >> exponent) as u64) & 0xffff_ffff;
    let index = (fraction >> 24) as usize;
    let between = fraction & 0x00ff_ffff;
    let (below, above) = (LOGARITHMS[index], LOGARITHMS[index + 1]);
    let part = below as u64 + (((above - below) as u64 * between) >> 24);
    (u64::from(exponent) << 16) + part
}

const fn powers() -> [u32; 256] {
    // roots[k] = 2^(-1/2^(k+1)) in units of 2^-62, each the square root of the one before.
    let mut roots = [0u64; 8];
    let mut root = 1u128 << 61;
    let mut k = 0;
    while k < 8 {
        root = (root << 62).isqrt();
        roots[k] = root as u64;
        k += 1;
    }
    let mut table = [0u32; 256];
    let mut i = 0;
    while i < 256 {
        // Bit 7 of i stands for 2^(-1/2), bit 0 for 2^(-1/256).
        let mut power = 1u128 << 62;
        let mut k = 0;
        while k < 8 {
            if i >> (7 - k) & 1 == 1 {
                power = (power * roots[k] as u128) >> 62;
            }
            k += 1;
        }
        table[i] = (power >> 38) as u32;
        i += 1;
    }
    table
}

const fn logarithms() -> [u32; 257] {
    let mut table = [0u32; 257];
    let mut i = 0;
    while i < 256 {
        // Squaring doubles the logarithm: each time the number passes 2, the next bit is 1.
        let mut x = ((256 + i) as u128) << 54; // 1 + i/256 in units of 2^-62
        let mut bits = 0;
        let mut k = 0;
        while k < 17 {
            x = (x * x) >> 62;
            bits <<= 1;
            if x >> 63 != 0 {
                x >>= 1;
                bits |= 1;
            }
            k += 1;
        }
        table[i] = (bits + 1) >> 1;
        i += 1;
    }
    table[256] = 1 << 16;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_within_two_units() {
        for x in (1..70_000u64).chain((1..60).map(|k| (1 << k) + 12_345)) {
            let exact = (x as f64).log2() * 65536.0;
            assert!((log2(x) as f64 - exact).abs() < 2.0, "log2({x})");
        }
    }

    #[test]
    fn powers_are_within_one_unit() {
        for exponent in 0..10_000 {
            let exact = (-f64::from(exponent) / 256.0).exp2() * f64::from(1 << 24);
            let error = exact - f64::from(exp2_negative(exponent));
            assert!((-1e-3..1.001).contains(&error), "2^(-{exponent}/256)");
        }
    }
}
