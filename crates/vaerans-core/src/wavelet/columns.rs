//! Down the columns of rows that are halved already, and the weights of both passes: 2 for low-low, 1 for mixed and 1/2
//! for high-high. A high-high value is kept weighted, so that its share of an update counts twice.

use super::lift::Filter;
use super::quad::{mul, splat};
use super::rows::{lift, Halves};

/// The high row of `odd` between `even` and `next`.
#[inline(always)]
pub fn high<F: Filter>(odd: Halves, even: Halves, next: Halves) -> Halves {
    let high = lift::<F>(odd.high, F::PREDICT, even.high, next.high);
    Halves {
        low: lift::<F>(odd.low, F::PREDICT, even.low, next.low),
        high: mul(high, splat(0.5)),
    }
}

/// The low row of `even` between the high rows `before` and `high`.
#[inline(always)]
pub fn low<F: Filter>(even: Halves, before: Halves, high: Halves) -> Halves {
    let low = lift::<F>(even.low, F::UPDATE, high.low, before.low);
    Halves {
        low: mul(low, splat(2.0)),
        high: lift::<F>(even.high, 2.0 * F::UPDATE, high.high, before.high),
    }
}

/// Takes [`low`] back.
#[inline(always)]
pub fn even<F: Filter>(low: Halves, before: Halves, high: Halves) -> Halves {
    let unweighted = mul(low.low, splat(0.5));
    Halves {
        low: lift::<F>(unweighted, -F::UPDATE, high.low, before.low),
        high: lift::<F>(low.high, -2.0 * F::UPDATE, high.high, before.high),
    }
}

/// Takes [`high`] back.
#[inline(always)]
pub fn odd<F: Filter>(high: Halves, even: Halves, next: Halves) -> Halves {
    let unweighted = mul(high.high, splat(2.0));
    Halves {
        low: lift::<F>(high.low, -F::PREDICT, even.low, next.low),
        high: lift::<F>(unweighted, -F::PREDICT, even.high, next.high),
    }
}
