//! Samples predicted from their neighbours and from the components before: exact, or within a largest error.
//!
//! Components are coded one after the other, row by row. A sample's prediction is a linear function of 32 samples around
//! it, in its own component and in the two coded before, learnt on the way (normalised least mean squares). What remains
//! is cut into bits, each coded by counters under seven contexts that a mixer weighs.

use super::integer::{bits, fine, signed, IntegerCoder};
use super::mix::Counter;
use super::plane::{Plane, BORDER};
use super::range::BitCoder;
use crate::Error;

/// Samples that a prediction is made of.
const TAPS: usize = 32;

/// Bits that a counter of rows remembers.
const LIMIT: u32 = 255;

/// What holds for all components of a band.
#[derive(Clone, Copy)]
pub struct Range {
    pub min: i32,
    pub max: i32,
    /// Distance of the values that a residual may take: 2 * largest error + 1.
    pub step: i32,
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
        let result = PlaneCoder::new(range)?.code(coder, &mut own, first, second, &mut errors);
        own.close();
        planes[component] = own;
        errors.rotate_right(1);
        result?;
    }
    Ok(())
}

struct PlaneCoder {
    range: Range,
    weights: [i32; TAPS],
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
            weights,
            residuals: IntegerCoder::new()?,
            bias: vec![(0, 0); 2048],
            rows: [Counter::EVEN; 2],
            copied: false,
        })
    }

    fn code<C: BitCoder>(
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
                self.sample(
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
    fn sample<C: BitCoder>(
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
        let mut sum = 0i32;
        let mut energy = 0u32;
        for (&tap, &weight) in taps.iter().zip(&self.weights) {
            sum = sum.wrapping_add(tap.wrapping_mul(weight));
            energy = energy.wrapping_add(tap.wrapping_mul(tap) as u32);
        }
        // In 1/16 of a level.
        let linear = (base << 4) + (sum >> 11);

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
        let centre = linear + bias.0 / bias.1.max(1);
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
            (((prediction - min) as u32 >> 3) & 63) * 10 + coarse,
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

        let exact = (value << 4) - linear;
        let bias = &mut self.bias[bias_context];
        bias.0 += exact;
        bias.1 += 1;
        if bias.1 >= 128 {
            bias.0 /= 2;
            bias.1 /= 2;
        }
        // Normalised least mean squares.
        let rate =
            ((i64::from(exact.clamp(-4096, 4096)) << 16) / i64::from(energy as i64 + 64)) as i32;
        for (&tap, weight) in taps.iter().zip(self.weights.iter_mut()) {
            *weight = weight.wrapping_add(tap.wrapping_mul(rate).wrapping_add(1 << 9) >> 10);
        }
    }
}

const _: () = assert!(BORDER >= 3);
