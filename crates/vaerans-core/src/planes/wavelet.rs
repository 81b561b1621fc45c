//! Samples as quantised wavelet coefficients: the least squared error for the bits.
//!
//! Colour becomes YCoCg, each component a pyramid of CDF 9/7 subbands (Cohen, Daubechies, Feauveau 1992; lifted as by
//! Daubechies and Sweldens 1998) in integers with some bits of fraction. Every subband has the step that makes an error
//! in it weigh as much in the picture as one in any other. Subbands are coded from the coarsest on, each coefficient in
//! the contexts of its neighbours, of its parent and of the component before.
//!
//! A body: the step in 1/64 level, three bytes, lowest first, then the coded bits.

use super::integer::{bits, fine, signed, IntegerCoder, MAGNITUDE_MAX};
use super::plane::Plane;
use super::range::BitCoder;
use crate::Error;

/// Most halvings; sides are halved while both exceed `SIDE_MIN`.
const LEVELS_MAX: usize = 5;
const SIDE_MIN: usize = 8;

/// The lifting steps in 2^-14.
const LIFTS: [i32; 4] = [-25_987, -868, 14_466, 7_266];

/// In 2^-12, the norm of what one unit of a low and of a high coefficient adds to a line, by level from 1 on.
const LOW_NORMS: [u64; LEVELS_MAX + 1] = [4096, 4668, 5495, 6383, 7360, 8468];
const HIGH_NORMS: [u64; LEVELS_MAX + 1] = [4096, 3634, 4028, 4801, 5613, 6485];
/// The same for Y, Cg and Co in RGB: the roots of 3, 3/4 and 1/2.
const COLOUR_NORMS: [u64; 3] = [7094, 3547, 2896];
const NORM_BITS: u32 = 12;

/// Bits that a counter remembers.
const LIMIT: u32 = 1023;

/// Steps are in 2^-8 of a coefficient's unit.
const STEP_BITS: u32 = 8;
/// Where the encoder rounds up, in 1/256 of a step: short of the half, for the bits.
const ROUNDING: i64 = 108;
/// How far below its middle a step is read back, in 1/256: magnitude 1, 2, and all above.
const SHRINK: [i64; 3] = [8, 4, 2];

/// What of the sample type matters.
#[derive(Clone, Copy)]
pub struct Depth {
    pub min: i32,
    pub max: i32,
}

impl Depth {
    /// Bits of fraction that coefficients carry: what 32 bits have room for.
    fn fraction_bits(self) -> u32 {
        if self.max > 255 {
            4
        } else {
            6
        }
    }
}

/// Codes all planes; the encoder finds the samples there, the decoder leaves them.
pub fn code<C: BitCoder>(
    coder: &mut C,
    planes: &mut [Plane],
    step: u32,
    depth: Depth,
) -> Result<(), Error> {
    let mut pyramids = pyramids(planes, step, depth)?;
    if C::ENCODES {
        analyse_all(planes, &mut pyramids, depth)?;
    }
    let levels = levels(planes[0].width(), planes[0].rows());
    code_pyramids(coder, &mut pyramids, levels)?;
    if !C::ENCODES {
        synthesise_all(planes, &pyramids, depth)?;
    }
    Ok(())
}

/// Makes of the samples what a decoder would, without coding them.
pub fn round_trip(planes: &mut [Plane], step: u32, depth: Depth) -> Result<(), Error> {
    let mut pyramids = pyramids(planes, step, depth)?;
    analyse_all(planes, &mut pyramids, depth)?;
    synthesise_all(planes, &pyramids, depth)
}

/// Empty, with the step of each subband.
fn pyramids(planes: &[Plane], step: u32, depth: Depth) -> Result<Vec<Pyramid>, Error> {
    let (width, rows) = (planes[0].width(), planes[0].rows());
    let fraction = depth.fraction_bits();
    let levels = levels(width, rows);
    let mut pyramids = Vec::new();
    for component in 0..planes.len() {
        let norm = match (planes.len() >= 3, COLOUR_NORMS.get(component)) {
            (true, Some(&norm)) => norm,
            _ => 1 << NORM_BITS,
        };
        let steps = Steps {
            step,
            fraction,
            norm,
        };
        pyramids.push(Pyramid::new(width, rows, levels, steps)?);
    }
    Ok(pyramids)
}

/// Samples to indices; the planes are scratch afterwards.
fn analyse_all(planes: &mut [Plane], pyramids: &mut [Pyramid], depth: Depth) -> Result<(), Error> {
    for plane in planes.iter_mut() {
        for value in plane.data_mut() {
            *value <<= depth.fraction_bits();
        }
    }
    if planes.len() >= 3 {
        to_ycocg(planes);
    }
    for (plane, pyramid) in planes.iter().zip(pyramids) {
        pyramid.analyse(plane)?;
    }
    Ok(())
}

/// Indices to samples.
fn synthesise_all(planes: &mut [Plane], pyramids: &[Pyramid], depth: Depth) -> Result<(), Error> {
    for (plane, pyramid) in planes.iter_mut().zip(pyramids) {
        pyramid.synthesise(plane)?;
    }
    if planes.len() >= 3 {
        from_ycocg(planes);
    }
    let fraction = depth.fraction_bits();
    let half = (1 << fraction) >> 1;
    for plane in planes.iter_mut() {
        for value in plane.data_mut() {
            *value = (value.wrapping_add(half) >> fraction).clamp(depth.min, depth.max);
        }
    }
    Ok(())
}

fn levels(width: usize, rows: usize) -> usize {
    let smaller = width.min(rows);
    (0..LEVELS_MAX)
        .take_while(|level| smaller >> level > SIDE_MIN)
        .count()
}

/// R, G, B to Y, Cg, Co.
fn to_ycocg(planes: &mut [Plane]) {
    let [red, green, blue, ..] = planes else {
        return;
    };
    for ((r, g), b) in red
        .data_mut()
        .iter_mut()
        .zip(green.data_mut())
        .zip(blue.data_mut())
    {
        let orange = *r - *b;
        let middle = *b + (orange >> 1);
        let difference = *g - middle;
        (*r, *g, *b) = (middle + (difference >> 1), difference, orange);
    }
}

fn from_ycocg(planes: &mut [Plane]) {
    let [luma, cg, co, ..] = planes else {
        return;
    };
    for ((y, cg), co) in luma
        .data_mut()
        .iter_mut()
        .zip(cg.data_mut())
        .zip(co.data_mut())
    {
        let middle = y.wrapping_sub(*cg >> 1);
        let green = cg.wrapping_add(middle);
        let blue = middle.wrapping_sub(*co >> 1);
        (*y, *cg, *co) = (blue.wrapping_add(*co), green, blue);
    }
}

#[derive(Clone, Copy)]
struct Steps {
    step: u32,
    fraction: u32,
    norm: u64,
}

impl Steps {
    /// Step of a subband whose unit adds `across` * `down` to the picture, in 2^-8 of a coefficient's unit.
    fn of(self, across: u64, down: u64) -> i64 {
        let norm = u128::from(across) * u128::from(down) * u128::from(self.norm);
        // 64ths of a level.
        let shift = self.fraction + STEP_BITS - 6 + 3 * NORM_BITS;
        let step = (u128::from(self.step) << shift) / norm;
        (step as i64).max(1)
    }
}

/// One component: subbands from the coarsest on, each with its step.
struct Pyramid {
    width: usize,
    rows: usize,
    levels: usize,
    /// LL, then HL, LH, HH of every level from the coarsest.
    bands: Vec<(Plane, i64)>,
}

impl Pyramid {
    fn new(width: usize, rows: usize, levels: usize, steps: Steps) -> Result<Self, Error> {
        let (low, high) = (LOW_NORMS[levels], HIGH_NORMS);
        let size = |level: usize| (side(width, level), side(rows, level));
        let coarsest = size(levels);
        let mut bands = vec![(Plane::new(coarsest.0, coarsest.1)?, steps.of(low, low))];
        for level in (1..=levels).rev() {
            let ((w, h), (w_half, h_half)) = (size(level - 1), size(level));
            let (low, high) = (LOW_NORMS[level], high[level]);
            bands.push((Plane::new(w - w_half, h_half)?, steps.of(high, low)));
            bands.push((Plane::new(w_half, h - h_half)?, steps.of(low, high)));
            bands.push((Plane::new(w - w_half, h - h_half)?, steps.of(high, high)));
        }
        Ok(Pyramid {
            width,
            rows,
            levels,
            bands,
        })
    }

    /// Place of a level's HL in `bands`.
    fn first(&self, level: usize) -> usize {
        1 + 3 * (self.levels - level)
    }

    fn analyse(&mut self, plane: &Plane) -> Result<(), Error> {
        let mut current = buffer(self.width * self.rows)?;
        for row in 0..self.rows {
            current[row * self.width..][..self.width].copy_from_slice(plane.row(row));
        }
        let (mut width, mut rows) = (self.width, self.rows);
        for level in 1..=self.levels {
            for row in current.chunks_exact_mut(width).take(rows) {
                lift_line(row, false);
            }
            lift_rows(&mut current, width, rows, false);
            let first = self.first(level);
            let half = width.div_ceil(2);
            for row in 0..rows {
                let line = row * width;
                let (right, odd) = if row % 2 == 0 {
                    (0, None)
                } else {
                    (2, Some(1))
                };
                let (band, step) = &mut self.bands[first + right];
                for (to, x) in band.row_mut(row / 2).iter_mut().zip((1..width).step_by(2)) {
                    *to = quantised(current[line + x], *step);
                }
                if let Some(lower) = odd {
                    let (band, step) = &mut self.bands[first + lower];
                    for (to, x) in band.row_mut(row / 2).iter_mut().zip((0..width).step_by(2)) {
                        *to = quantised(current[line + x], *step);
                    }
                } else {
                    for x in 0..half {
                        current[row / 2 * half + x] = current[line + 2 * x];
                    }
                }
            }
            (width, rows) = (half, rows.div_ceil(2));
        }
        let (band, step) = &mut self.bands[0];
        for row in 0..rows {
            for (to, &from) in band.row_mut(row).iter_mut().zip(&current[row * width..]) {
                *to = quantised(from, *step);
            }
        }
        Ok(())
    }

    fn synthesise(&self, plane: &mut Plane) -> Result<(), Error> {
        let mut current = buffer(self.width * self.rows)?;
        let (band, step) = &self.bands[0];
        let width = band.width();
        for row in 0..band.rows() {
            for (to, &from) in current[row * width..].iter_mut().zip(band.row(row)) {
                *to = restored(from, *step);
            }
        }
        for level in (1..=self.levels).rev() {
            let (width, rows) = (side(self.width, level - 1), side(self.rows, level - 1));
            let half = width.div_ceil(2);
            let first = self.first(level);
            // From the last row on, so that the low band, packed at the front, is read before it is written over.
            for row in (0..rows).rev() {
                let line = row * width;
                let (even, odd) = if row % 2 == 0 {
                    for x in (0..half).rev() {
                        current[line + 2 * x] = current[row / 2 * half + x];
                    }
                    (None, first)
                } else {
                    (Some(first + 1), first + 2)
                };
                if let Some(even) = even {
                    let (band, step) = &self.bands[even];
                    for (&from, x) in band.row(row / 2).iter().zip((0..width).step_by(2)) {
                        current[line + x] = restored(from, *step);
                    }
                }
                let (band, step) = &self.bands[odd];
                for (&from, x) in band.row(row / 2).iter().zip((1..width).step_by(2)) {
                    current[line + x] = restored(from, *step);
                }
            }
            lift_rows(&mut current, width, rows, true);
            for row in current.chunks_exact_mut(width).take(rows) {
                lift_line(row, true);
            }
        }
        for row in 0..self.rows {
            plane
                .row_mut(row)
                .copy_from_slice(&current[row * self.width..][..self.width]);
        }
        Ok(())
    }
}

fn side(length: usize, level: usize) -> usize {
    length.div_ceil(1 << level)
}

fn buffer(length: usize) -> Result<Vec<i32>, Error> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory)?;
    buffer.resize(length, 0);
    Ok(buffer)
}

fn quantised(value: i32, step: i64) -> i32 {
    let magnitude = (i64::from(value.unsigned_abs()) << STEP_BITS) + ((step * ROUNDING) >> 8);
    let index = (magnitude / step).min(i64::from(MAGNITUDE_MAX)) as i32;
    if value < 0 {
        -index
    } else {
        index
    }
}

fn restored(index: i32, step: i64) -> i32 {
    if index == 0 {
        return 0;
    }
    // The coarsest band adds up what it is told: damaged streams go anywhere.
    let magnitude = i64::from(index.unsigned_abs().min(1 << 20));
    let shrink = SHRINK[(magnitude as usize - 1).min(2)];
    let value = ((((magnitude << 8) - shrink) * step) >> (8 + STEP_BITS)).min(1 << 28) as i32;
    if index < 0 {
        -value
    } else {
        value
    }
}

#[inline(always)]
fn lifted(sum: i32, lift: i32) -> i32 {
    ((i64::from(sum) * i64::from(lift) + (1 << 13)) >> 14) as i32
}

/// Which samples a lifting step changes: odd ones in the first and third.
fn lifting(inverse: bool) -> [(usize, i32); 4] {
    let [a, b, c, d] = LIFTS;
    if inverse {
        [(0, -d), (1, -c), (0, -b), (1, -a)]
    } else {
        [(1, a), (0, b), (1, c), (0, d)]
    }
}

/// The neighbours of `i` among `length` samples, mirrored at the ends.
fn neighbours(i: usize, length: usize) -> (usize, usize) {
    let before = if i == 0 { 1 } else { i - 1 };
    let after = if i + 1 < length { i + 1 } else { i - 1 };
    (before, after)
}

fn lift_line(line: &mut [i32], inverse: bool) {
    let length = line.len();
    if length < 2 {
        return;
    }
    for (start, lift) in lifting(inverse) {
        for i in (start..length).step_by(2) {
            let (before, after) = neighbours(i, length);
            let sum = line[before].wrapping_add(line[after]);
            line[i] = line[i].wrapping_add(lifted(sum, lift));
        }
    }
}

fn lift_rows(data: &mut [i32], width: usize, rows: usize, inverse: bool) {
    if rows < 2 {
        return;
    }
    for (start, lift) in lifting(inverse) {
        for row in (start..rows).step_by(2) {
            let (before, after) = neighbours(row, rows);
            let (above, rest) = data.split_at_mut(row * width);
            let (own, below) = rest.split_at_mut(width);
            let line = |at: usize| {
                if at < row {
                    &above[at * width..][..width]
                } else {
                    &below[(at - row - 1) * width..][..width]
                }
            };
            for ((to, &a), &b) in own.iter_mut().zip(line(before)).zip(line(after)) {
                *to = to.wrapping_add(lifted(a.wrapping_add(b), lift));
            }
        }
    }
}

fn code_pyramids<C: BitCoder>(
    coder: &mut C,
    pyramids: &mut [Pyramid],
    levels: usize,
) -> Result<(), Error> {
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
