//! Samples predicted from their neighbours and from the components before: exact, or within a largest error.
//!
//! Components are coded one after the other, row by row. A sample's prediction is a linear function of 32 samples around
//! it, in its own component and in the two coded before, learnt on the way (normalised least mean squares). What remains
//! is cut into bits, each coded by counters under seven contexts that a mixer weighs.
//!
//! Errors of the component itself and of the two before are contexts. Where a fourth component copies rows, the errors
//! there stay those of the first that was coded: a slip of format version 1, which only bands of four components have, and
//! pictures are written as one or three.

use super::integer::{bits, fine, signed, IntegerCoder};
use super::mix::Counter;
use super::plane::{Plane, Sample, BORDER};
use super::range::BitCoder;
use crate::Error;

/// Samples that a prediction is made of.
const TAPS: usize = 32;

/// Bits that a counter remembers.
const LIMIT: u32 = 255;

const ERROR_TAPS: usize = 16;
/// How fast the two predictions learn: logarithms.
const FIRST_RATE: u32 = 16;
const SECOND_RATE: u32 = 13;

/// What holds for all components of a band.
#[derive(Clone, Copy)]
pub struct Range {
    min: i32,
    max: i32,
    /// Distance of the values that a residual may take.
    step: i32,
}

impl Range {
    /// `max_error`: how far off a sample may be, 0 to 255.
    pub fn of<S: Sample>(max_error: u32) -> Self {
        Range {
            min: S::MIN,
            max: S::MAX,
            step: 2 * max_error as i32 + 1,
        }
    }
}

/// Codes all planes. The encoder finds the samples in `planes` and leaves there what the decoder will have.
pub fn code<C: BitCoder>(coder: &mut C, planes: &mut [Plane], range: Range) -> Result<(), Error> {
    let order: &[usize] = match planes.len() {
        1 => &[0],
        2 => &[0, 1],
        3 => &[1, 0, 2],
        _ => &[1, 0, 2, 3],
    };
    let shape = (planes[0].width(), planes[0].rows());
    let empty = Plane::new(shape.0, shape.1)?;
    let mut errors = [
        Plane::new(shape.0, shape.1)?,
        Plane::new(shape.0, shape.1)?,
        Plane::new(shape.0, shape.1)?,
    ];
    for (place, &component) in order.iter().enumerate() {
        let mut own = std::mem::replace(&mut planes[component], Plane::new(0, 0)?);
        let first = place.checked_sub(1).map_or(&empty, |p| &planes[order[p]]);
        let second = place.checked_sub(2).map_or(&empty, |p| &planes[order[p]]);
        let result = if range.max > 255 {
            PlaneCoder::new(range)?.code::<true, C>(coder, &mut own, first, second, &mut errors)
        } else {
            PlaneCoder::new(range)?.code::<false, C>(coder, &mut own, first, second, &mut errors)
        };
        own.close();
        planes[component] = own;
        errors.rotate_right(1);
        result?;
    }
    Ok(())
}

struct PlaneCoder {
    range: Range,
    samples: Linear<TAPS>,
    /// Of what the first left over.
    errors: Linear<ERROR_TAPS>,
    residuals: IntegerCoder,
    bias: Vec<(i32, i32)>,
    /// Of rows that are copies: after one that was not, and after one that was.
    rows: [Counter; 2],
    copied: bool,
}

impl PlaneCoder {
    fn new(range: Range) -> Result<Self, Error> {
        let mut weights = [0; TAPS];
        weights[3] = 1 << 14;
        weights[5] = 1 << 14;
        Ok(PlaneCoder {
            range,
            samples: Linear { weights },
            errors: Linear {
                weights: [0; ERROR_TAPS],
            },
            residuals: IntegerCoder::new(LIMIT)?,
            bias: vec![(0, 0); 2048],
            rows: [Counter::EVEN; 2],
            copied: false,
        })
    }

    fn code<const DEEP: bool, C: BitCoder>(
        mut self,
        coder: &mut C,
        own: &mut Plane,
        first: &Plane,
        second: &Plane,
        errors: &mut [Plane; 3],
    ) -> Result<(), Error> {
        let stride = own.stride();
        let shape = (own.width(), own.rows());
        for row in 0..shape.1 {
            own.open_row(row);
            let [errors, errors_first, errors_second] = &mut *errors;
            errors.open_row(row);
            let start = own.at(0, row);
            let copied = self.copy_row(coder, own, row);
            if copied {
                own.data_mut()
                    .copy_within(start - stride..start - stride + shape.0, start);
            }
            let coded = if copied { 0 } else { shape.0 };
            for i in start..start + coded {
                self.sample::<DEEP, C>(
                    coder,
                    own.data_mut(),
                    first.data(),
                    second.data(),
                    errors.data_mut(),
                    errors_first.data(),
                    errors_second.data(),
                    i,
                    stride,
                );
                if row == 0 {
                    // What would be above is unknown: the samples so far go on upwards.
                    own.extend_up(i + 1);
                }
            }
            own.close_row(row);
            errors.close_row(row);
            if coder.has_failed() {
                return Err(Error::Corrupt {
                    what: "a band as long as its samples",
                });
            }
        }
        Ok(())
    }

    /// Codes whether a row is that above it again, as in flat areas.
    fn copy_row<C: BitCoder>(&mut self, coder: &mut C, own: &Plane, row: usize) -> bool {
        let above = own.at(0, row) - own.stride();
        let above = &own.data()[above..above + own.width()];
        let is_copy = C::ENCODES && own.row(row) == above;
        let context = usize::from(self.copied);
        self.copied = self.rows[context].code(coder, is_copy, LIMIT);
        self.copied
    }

    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn sample<const DEEP: bool, C: BitCoder>(
        &mut self,
        coder: &mut C,
        own: &mut [i32],
        a: &[i32],
        b: &[i32],
        errors: &mut [i32],
        ea: &[i32],
        eb: &[i32],
        i: usize,
        s: usize,
    ) {
        let Range { min, max, step } = self.range;
        let (w, n, nw, ne) = (own[i - 1], own[i - s], own[i - s - 1], own[i - s + 1]);
        let base = (w + n) >> 1;
        let base_a = (a[i - 1] + a[i - s]) >> 1;
        let base_b = (b[i - 1] + b[i - s]) >> 1;
        let mut taps = [0i32; TAPS];
        // Runs of four samples, so that they are loaded as one.
        let runs = [
            (&*own, i - 4, base),
            (own, i - s - 1, base),
            (own, i - 2 * s - 1, base),
            (a, i - s - 1, base_a),
            (a, i - 1, base_a),
            (a, i + s - 1, base_a),
            (b, i - 1, base_b),
            (b, i - s - 1, base_b),
        ];
        for (four, (plane, start, base)) in taps.chunks_exact_mut(4).zip(runs) {
            for (tap, value) in four.iter_mut().zip(&plane[start..start + 4]) {
                *tap = value - base;
            }
        }
        // In 1/16 of a level.
        let linear = (base << 4) + self.samples.predict::<DEEP>(&taps);
        let mut error_taps = [0; ERROR_TAPS];
        let runs = [
            (&*errors, i - 4),
            (errors, i - s - 1),
            (ea, i - 1),
            (eb, i - 1),
        ];
        for (four, (plane, start)) in error_taps.chunks_exact_mut(4).zip(runs) {
            four.copy_from_slice(&plane[start..start + 4]);
        }
        let second = linear + self.errors.predict::<DEEP>(&error_taps);

        let (e_w, e_n, e_nw, e_ne) = (
            errors[i - 1],
            errors[i - s],
            errors[i - s - 1],
            errors[i - s + 1],
        );
        let (e_ww, e_nn) = (errors[i - 2], errors[i - 2 * s]);
        let (ea_c, eb_c) = (ea[i], eb[i]);
        let activity = 2 * (e_w.unsigned_abs() + e_n.unsigned_abs())
            + e_nw.unsigned_abs()
            + e_ne.unsigned_abs()
            + ((e_ww.unsigned_abs() + e_nn.unsigned_abs()) >> 1);
        let around_a =
            2 * ea_c.unsigned_abs() + ea[i + 1].unsigned_abs() + ea[i + s].unsigned_abs();
        let level = fine(activity).min(23);
        let coarse = (level / 2).min(9);

        let bias_context = (signed(e_w) * 11 + signed(e_n)) as usize * 11 + signed(ea_c) as usize;
        let bias = &mut self.bias[bias_context];
        let centre = second + bias.0 / bias.1.max(1);
        let prediction = ((centre + 8) >> 4).clamp(min, max);
        let side = (centre - (prediction << 4)).clamp(-8, 7) + 8;

        let texture =
            fine((w - nw).unsigned_abs() + (n - nw).unsigned_abs() + (n - ne).unsigned_abs())
                .min(19);
        let plain = w + n - nw;
        let contexts = [
            level * 16 + side as u32,
            (bits(e_w.unsigned_abs()).min(7) * 8 + bits(e_n.unsigned_abs()).min(7)) * 8
                + bits((e_nw.unsigned_abs() + e_ne.unsigned_abs()) >> 1).min(7),
            (signed(ea_c) * 10 + coarse) * 4 + bits(eb_c.unsigned_abs()).min(6) / 2,
            texture * 24 + fine(around_a).min(23),
            signed(plain - prediction) * 11 * 4 + signed(ne + w - n - prediction) * 4 + coarse / 3,
            signed(e_w) * 11 + signed(e_n) + 121 * (coarse / 3),
            (((prediction - min) as u32 >> if DEEP { 11 } else { 3 }) & 63) * 10 + coarse,
        ];
        let wanted = if C::ENCODES {
            let difference = own[i] - prediction;
            let magnitude = (difference.abs() + step / 2) / step;
            if difference < 0 {
                -magnitude
            } else {
                magnitude
            }
        } else {
            0
        };
        let residual = self.residuals.code(coder, contexts, level / 3, wanted);
        let difference = residual.wrapping_mul(step);
        let value = prediction.wrapping_add(difference).clamp(min, max);
        own[i] = value;
        errors[i] = value - prediction;

        let exact = (value << 4) - second;
        let bias = &mut self.bias[bias_context];
        // Predictions that are wildly off, again and again, can pass 32 bits: both sides wrap alike.
        bias.0 = bias.0.wrapping_add(exact);
        bias.1 += 1;
        if bias.1 >= 128 {
            bias.0 /= 2;
            bias.1 /= 2;
        }
        self.errors.learn::<DEEP>(&error_taps, exact, SECOND_RATE);
        self.samples
            .learn::<DEEP>(&taps, (value << 4) - linear, FIRST_RATE);
    }
}

/// A linear prediction that learns its weights by normalised least mean squares.
struct Linear<const TAPS: usize> {
    /// In 2^-15.
    weights: [i32; TAPS],
}

impl<const TAPS: usize> Linear<TAPS> {
    /// In 1/16 of a level. With more than 8 bits a sample sums take 64 bits.
    #[inline(always)]
    fn predict<const DEEP: bool>(&self, taps: &[i32; TAPS]) -> i32 {
        if DEEP {
            let products = taps.iter().zip(&self.weights);
            let sum: i64 = products
                .map(|(&tap, &w)| i64::from(tap) * i64::from(w))
                .sum();
            (sum >> 11).clamp(-(1 << 24), 1 << 24) as i32
        } else {
            let mut sum = 0i32;
            for (&tap, &weight) in taps.iter().zip(&self.weights) {
                sum = sum.wrapping_add(tap.wrapping_mul(weight));
            }
            sum >> 11
        }
    }

    /// Learns that the prediction was off by `error`, in 1/16 of a level.
    #[inline(always)]
    fn learn<const DEEP: bool>(&mut self, taps: &[i32; TAPS], error: i32, rate: u32) {
        let energy: i64 = if DEEP {
            taps.iter()
                .map(|&tap| i64::from(tap) * i64::from(tap))
                .sum()
        } else {
            let squares = taps.iter().map(|&tap| tap.wrapping_mul(tap));
            i64::from(squares.fold(0, i32::wrapping_add) as u32)
        };
        let most = if DEEP { 1 << 20 } else { 1 << 12 };
        let error = i64::from(error.clamp(-most, most));
        if DEEP {
            let rate = (error << (rate + 10)) / (energy + 4096);
            for (&tap, weight) in taps.iter().zip(self.weights.iter_mut()) {
                let step = (i64::from(tap) * rate + (1 << 19)) >> 20;
                *weight = weight.wrapping_add(step as i32);
            }
        } else {
            let rate = ((error << rate) / (energy + 512)) as i32;
            for (&tap, weight) in taps.iter().zip(self.weights.iter_mut()) {
                *weight = weight.wrapping_add(tap.wrapping_mul(rate).wrapping_add(1 << 9) >> 10);
            }
        }
    }
}

const _: () = assert!(BORDER >= 3);
