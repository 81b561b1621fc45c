//! Subbands cut into bits, from the coarsest on: each coefficient in the contexts of its neighbours, of its parent and of
//! the component before.

use super::super::integer::{bits, fine, signed, IntegerCoder, MAGNITUDE_MAX};
use super::super::plane::Plane;
use super::super::range::BitCoder;
use super::pyramid::Pyramid;
use crate::Error;

/// Bits that a counter remembers.
const LIMIT: u32 = 1023;

/// Codes the subbands of all components, which have the same sizes.
pub fn code<C: BitCoder>(coder: &mut C, pyramids: &mut [Pyramid]) -> Result<(), Error> {
    let levels = pyramids.first().map_or(0, |pyramid| pyramid.levels);
    let mut lows = IntegerCoder::new(LIMIT)?;
    let mut highs = [
        IntegerCoder::new(LIMIT)?,
        IntegerCoder::new(LIMIT)?,
        IntegerCoder::new(LIMIT)?,
    ];
    let none = Plane::new(0, 0)?;
    for pyramid in pyramids.iter_mut() {
        code_low(coder, &mut pyramid.bands[0].0, &mut lows)?;
    }
    for level in (1..=levels).rev() {
        for (orientation, high) in highs.iter_mut().enumerate() {
            for component in 0..pyramids.len() {
                let (before, rest) = pyramids.split_at_mut(component);
                let Some(pyramid) = rest.first_mut() else {
                    continue;
                };
                let first = pyramid.first(level);
                let index = first + orientation;
                let mut own = std::mem::replace(&mut pyramid.bands[index].0, Plane::new(0, 0)?);
                let parent = match level < levels {
                    true => &pyramid.bands[index - 3].0,
                    false => &none,
                };
                let sibling = match orientation {
                    0 => &none,
                    1 => &pyramid.bands[first].0,
                    _ => &pyramid.bands[first + 1].0,
                };
                let colour = before.last().map_or(&none, |other| &other.bands[index].0);
                let place = Place {
                    component: component.min(2) as u32,
                    fine: u32::from(level == 1),
                    transposed: orientation == 1,
                };
                let around = [parent, sibling, colour];
                code_band(coder, &mut own, around, high, place)?;
                pyramid.bands[index].0 = own;
            }
        }
    }
    Ok(())
}

fn ended<C: BitCoder>(coder: &C) -> Result<(), Error> {
    if coder.has_failed() {
        return Err(Error::Corrupt {
            what: "a band as long as its coefficients",
        });
    }
    Ok(())
}

/// The coarsest band: each coefficient against the median edge prediction of its neighbours.
fn code_low<C: BitCoder>(
    coder: &mut C,
    own: &mut Plane,
    integers: &mut IntegerCoder,
) -> Result<(), Error> {
    let s = own.stride();
    let mut error_before = 0;
    for row in 0..own.rows() {
        own.open_row(row);
        let start = own.at(0, row);
        for i in start..start + own.width() {
            let data = own.data();
            let (w, n, nw) = (data[i - 1], data[i - s], data[i - s - 1]);
            let prediction = w.wrapping_add(n).wrapping_sub(nw).clamp(w.min(n), w.max(n));
            let spread = w.abs_diff(nw).saturating_add(n.abs_diff(nw));
            let level = fine(spread.min(1 << 20)).min(40);
            let last = fine(error_before).min(40);
            let contexts = [
                level,
                last,
                level / 3,
                last / 3,
                (level + last) / 2,
                (level + last) / 6,
                0,
            ];
            let wanted = if C::ENCODES { data[i] - prediction } else { 0 };
            let wanted = wanted.clamp(-MAGNITUDE_MAX, MAGNITUDE_MAX);
            let error = integers.code(coder, contexts, 0, wanted);
            error_before = error.unsigned_abs();
            own.data_mut()[i] = prediction.wrapping_add(error);
        }
        own.close_row(row);
        ended(coder)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Place {
    component: u32,
    /// 1 in the finest level.
    fine: u32,
    /// High down and low across: contexts are those of its mirror image.
    transposed: bool,
}

fn code_band<C: BitCoder>(
    coder: &mut C,
    own: &mut Plane,
    [parent, sibling, colour]: [&Plane; 3],
    integers: &mut IntegerCoder,
    place: Place,
) -> Result<(), Error> {
    let s = own.stride();
    let (width, rows) = (own.width(), own.rows());
    let at = |plane: &Plane, x: usize, row: usize| {
        let (w, h) = (plane.width(), plane.rows());
        if w == 0 || h == 0 {
            return 0;
        }
        plane.row(row.min(h - 1))[x.min(w - 1)]
    };
    for row in 0..rows {
        let start = own.at(0, row);
        for x in 0..width {
            let i = start + x;
            let data = own.data();
            let value = |offset: usize| data[i - offset];
            let (mut w, mut n, nw, ne) = (value(1), value(s), value(s + 1), value(s - 1));
            let (mut ww, mut nn) = (value(2), value(2 * s));
            if place.transposed {
                std::mem::swap(&mut w, &mut n);
                std::mem::swap(&mut ww, &mut nn);
            }
            let up = at(parent, x / 2, row / 2).unsigned_abs();
            let side = at(sibling, x, row).unsigned_abs();
            let c = at(colour, x, row);
            let c_around = 2 * c.unsigned_abs()
                + at(colour, x + 1, row).unsigned_abs()
                + at(colour, x, row + 1).unsigned_abs();
            let size = |value: i32| value.unsigned_abs();
            let near = 2 * (size(w) + size(n)) + size(nw) + size(ne);
            let far = near + size(ww) + size(nn);
            let wide = far + 2 * up + side + c_around / 2;
            let level = fine(far).min(20);
            let rough = fine(wide).min(20);
            let contexts = [
                level * 6 + place.component * 2 + place.fine,
                (bits(size(w)).min(7) * 8 + bits(size(n)).min(7)) * 8
                    + bits((size(nw) + size(ne)) >> 1).min(7),
                (fine(near) / 2).min(9) * 72
                    + fine(up).min(11) * 6
                    + place.component * 2
                    + place.fine,
                signed(c) * 80 + (fine(c_around) / 2).min(7) * 10 + (level / 2).min(9),
                fine(side).min(15) * 24 + rough,
                (signed(w) * 11 + signed(n)) * 8 + (rough / 3).min(7),
                rough * 3 + place.component,
            ];
            let wanted = if C::ENCODES { data[i] } else { 0 };
            let mixer = (rough / 3).min(7);
            own.data_mut()[i] = integers.code(coder, contexts, mixer, wanted);
        }
        ended(coder)?;
    }
    Ok(())
}
