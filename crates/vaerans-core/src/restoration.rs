//! The restoration filter: what follows the decoder network, on 8-bit RGB.
//!
//! The networks run at an eighth of the resolution, so oblique edges come out of them in steps and colour beside its edge.
//! Every pixel is put into a class by the edge that it lies on (`classes`), and a small filter of that class, symmetric around
//! the pixel, is added to it: 5x5 of luma for luma, 3x3 of luma and of both colour differences for each of these. Which
//! filters, `training/restoration.py` finds by least squares, after RAISR (Romano, Isidoro and Milanfar: "RAISR: Rapid and
//! Accurate Image Super Resolution", 2016). Integers only, so every machine restores alike what its networks gave.
//!
//! File, little-endian: `VRST`, version u8 = 1, knots - 1 u8 (1 to 63), then weights i16 [knot][class][36], from -4095 to
//! 4095, at equally spaced rates from 0 to 4095: 12 for luma, then 12 for each colour difference (4 of luma, 4 of red - blue,
//! 4 of 2 green - red - blue). A weight is that of a pair of samples around the pixel less twice the pixel's own, whose weight
//! for all pairs of a plane saturates at 16 bits.

mod adjustment;
mod classes;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar::row_changes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128::row_changes;

use crate::error::check_count;
use crate::gains::RATE_MAX;
use crate::image::Size;
use crate::memory::{filled, zeros};
use crate::Error;
pub use adjustment::{Adjustment, Observations};
use classes::{ClassRows, CLASSES};

const MAGIC: [u8; 4] = *b"VRST";
const VERSION: u8 = 1;
const KNOTS_MAX: usize = 64;

/// Bits below one of a weight, and of a sample: luma and the colour differences are in quarters of a level.
const FRACTION_BITS: u32 = 12;
const SAMPLE_BITS: u32 = 2;
const SHIFT: u32 = FRACTION_BITS + SAMPLE_BITS;
/// So that no sum of products needs more than 32 bits.
const WEIGHT_MAX: u16 = 4095;

/// Of each pair around a pixel the sample behind it, as (row, column); the other one lies opposite.
const WIDE: [(isize, isize); 12] = [
    (0, 1),
    (0, 2),
    (1, -2),
    (1, -1),
    (1, 0),
    (1, 1),
    (1, 2),
    (2, -2),
    (2, -1),
    (2, 0),
    (2, 1),
    (2, 2),
];
const NEAR: [(isize, isize); 4] = [(0, 1), (1, -1), (1, 0), (1, 1)];
/// 12 for luma, 12 for each colour difference.
const WEIGHTS: usize = WIDE.len() + 2 * 3 * NEAR.len();

/// Rows above and below that a filter sees.
const REACH: usize = 2;
/// Rows that are kept, a power of two.
const KEPT: usize = 8;
/// Samples beside a row's own, to the left and to the right: of a pixel eight columns are loaded at once.
const LEFT: usize = REACH;
const RIGHT: usize = 6;

/// Eight neighbours in a row, from two columns to the left on.
type Eight = [i16; 8];

/// The filter of one class, spread out over the rows that a pixel sees.
#[derive(Clone, Debug)]
struct Taps {
    /// Of luma, for luma: rows from -2 to 2.
    luma: [Eight; 5],
    /// For the two colour differences: of luma in rows -1 to 1, and of both differences, one beside the other, in the same
    /// rows from one column to the left on.
    colour: [[[Eight; 3]; 2]; 2],
}

/// What a row is made of: samples of the rows around a pixel row, from the left padding on, and the class of every pixel.
struct RowInput<'a> {
    /// Luma of rows -2 to 2.
    luma: [&'a [i16]; 5],
    /// Both colour differences, one beside the other, of rows -1 to 1.
    chroma: [&'a [i16]; 3],
    classes: &'a [i32],
    taps: &'a [Taps],
}

/// A filter at one rate.
#[derive(Clone, Debug)]
pub struct Restoration {
    taps: Vec<Taps>,
}

impl Restoration {
    /// Reads a file, and of it the weights between the two knots around a rate from 0 to 4095, turned to a picture.
    pub fn at_rate(file: &[u8], rate: u32, adjustment: &Adjustment) -> Result<Self, Error> {
        const BAD_FILE: Error = Error::Corrupt {
            what: "a restoration filter's file of version 1",
        };
        if rate > RATE_MAX {
            return Err(Error::OutOfRange {
                what: "a rate from 0 to 4095",
            });
        }
        let (header, weights) = file.split_first_chunk::<6>().ok_or(BAD_FILE)?;
        let knots = usize::from(header[5]) + 1;
        if header[..4] != MAGIC || header[4] != VERSION || !(2..=KNOTS_MAX).contains(&knots) {
            return Err(BAD_FILE);
        }
        let (weights, rest) = weights.as_chunks::<2>();
        if weights.len() != knots * CLASSES * WEIGHTS || !rest.is_empty() {
            return Err(BAD_FILE);
        }
        let weight = |index: usize| i16::from_le_bytes(weights[index]);
        if (0..weights.len()).any(|index| weight(index).unsigned_abs() > WEIGHT_MAX) {
            return Err(BAD_FILE);
        }
        let place = rate as usize * (knots - 1);
        let step = RATE_MAX as usize;
        let knot = (place / step).min(knots - 2);
        let above = (place - knot * step) as i32;
        let between = |index: usize| {
            let low = i32::from(weight(knot * CLASSES * WEIGHTS + index));
            let high = i32::from(weight((knot + 1) * CLASSES * WEIGHTS + index));
            let step = step as i32;
            ((low * (step - above) + high * above + step / 2).div_euclid(step)) as i16
        };
        let mut taps = Vec::with_capacity(CLASSES);
        for class in 0..CLASSES {
            let mut own = std::array::from_fn(|index| between(class * WEIGHTS + index));
            adjustment.apply(&mut own);
            taps.push(Taps::new(&own));
        }
        Ok(Self { taps })
    }

    /// Filters `area` at (`x`, `y`) of interleaved RGB of `size`, as if nothing lay outside of it: its edges are repeated.
    pub fn apply(
        &self,
        rgb: &mut [u8],
        size: Size,
        (x, y): (usize, usize),
        area: Size,
    ) -> Result<(), Error> {
        size.contains(x, y, area)?;
        let mut changes: Vec<i16> = zeros(3 * area.width + 8)?;
        self.each_row(rgb, size, (x, y), area, |_, input, samples| {
            row_changes(input, &mut changes);
            for (sample, &change) in samples.iter_mut().zip(&changes) {
                *sample = i16::from(*sample).saturating_add(change).clamp(0, 255) as u8;
            }
        })
    }

    /// Calls `see` with the number of every row, what it is made of and its own samples, which may then be written.
    fn each_row(
        &self,
        rgb: &mut [u8],
        size: Size,
        (x, y): (usize, usize),
        area: Size,
        mut see: impl FnMut(usize, &RowInput<'_>, &mut [u8]),
    ) -> Result<(), Error> {
        check_count("bytes of RGB", 3 * size.area()?, rgb.len())?;
        size.contains(x, y, area)?;
        area.area()?;
        let Size { width, height } = area;
        let mut rows = Rows::new(width)?;
        let mut classes = ClassRows::new(width)?;
        let mut found: Vec<i32> = zeros(width)?;
        let start = |row: usize| 3 * ((y + row) * size.width + x);
        let mut entered = 0;
        for row in 0..height {
            // A class looks two rows down at slopes, and those another row.
            while entered < height.min(row + REACH + 2) {
                rows.enter(entered, &rgb[start(entered)..][..3 * width]);
                entered += 1;
            }
            classes.classify(row, height, |row| rows.luma(row), &mut found);
            let near = |by: isize| row.saturating_add_signed(by).min(height - 1);
            let input = RowInput {
                luma: std::array::from_fn(|index| rows.luma(near(index as isize - 2))),
                chroma: std::array::from_fn(|index| rows.chroma(near(index as isize - 1))),
                classes: &found,
                taps: &self.taps,
            };
            see(row, &input, &mut rgb[start(row)..][..3 * width]);
        }
        Ok(())
    }
}

impl Taps {
    fn new(weights: &[i16; WEIGHTS]) -> Self {
        let mut taps = Self {
            luma: [[0; 8]; 5],
            colour: [[[[0; 8]; 3]; 2]; 2],
        };
        let (luma, colours) = weights.split_at(WIDE.len());
        let at = |middle: usize, by: isize| middle.saturating_add_signed(by);
        for (&(row, column), &weight) in WIDE.iter().zip(luma) {
            taps.luma[at(2, row)][at(2, column)] = weight;
            taps.luma[at(2, -row)][at(2, -column)] = weight;
        }
        taps.luma[2][2] = own_weight(luma);
        for (taps, weights) in taps
            .colour
            .iter_mut()
            .zip(colours.chunks_exact(3 * NEAR.len()))
        {
            for (plane, weights) in weights.chunks_exact(NEAR.len()).enumerate() {
                let lane = |column: isize| match plane {
                    0 => at(2, column),
                    _ => 2 * at(1, column) + plane - 1,
                };
                let rows = &mut taps[plane.min(1)];
                for (&(row, column), &weight) in NEAR.iter().zip(weights) {
                    rows[at(1, row)][lane(column)] = weight;
                    rows[at(1, -row)][lane(-column)] = weight;
                }
                rows[1][lane(0)] = own_weight(weights);
            }
        }
        taps
    }
}

/// Of a pixel's own sample, for its pairs' weights. Those that are as large as they may be could ask for more than there is.
fn own_weight(pairs: &[i16]) -> i16 {
    let sum: i32 = pairs.iter().map(|&weight| 2 * i32::from(weight)).sum();
    (-sum).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// Samples of the last rows, with their edges repeated to both sides.
struct Rows {
    luma: [Vec<i16>; KEPT],
    chroma: [Vec<i16>; KEPT],
    width: usize,
}

impl Rows {
    fn new(width: usize) -> Result<Self, Error> {
        let mut rows = Self {
            luma: Default::default(),
            chroma: Default::default(),
            width,
        };
        for (luma, chroma) in rows.luma.iter_mut().zip(&mut rows.chroma) {
            *luma = filled(LEFT + width + RIGHT, 0)?;
            *chroma = filled(2 * (1 + width + RIGHT), 0)?;
        }
        Ok(rows)
    }

    fn enter(&mut self, row: usize, rgb: &[u8]) {
        let luma = &mut self.luma[row % KEPT];
        let chroma = &mut self.chroma[row % KEPT];
        let pixels = rgb.as_chunks::<3>().0.iter();
        let targets = luma[LEFT..]
            .iter_mut()
            .zip(chroma.as_chunks_mut::<2>().0[1..].iter_mut());
        for (pixel, (luma, chroma)) in pixels.zip(targets) {
            let [red, green, blue] = pixel.map(i16::from);
            *luma = red + 2 * green + blue;
            *chroma = [4 * (red - blue), 4 * (2 * green - red - blue)];
        }
        let last = LEFT + self.width - 1;
        let (first, end) = (luma[LEFT], luma[last]);
        luma[..LEFT].fill(first);
        luma[last + 1..].fill(end);
        let chroma = chroma.as_chunks_mut::<2>().0;
        chroma[0] = chroma[1];
        let end = chroma[self.width];
        chroma[self.width + 1..].fill(end);
    }

    fn luma(&self, row: usize) -> &[i16] {
        &self.luma[row % KEPT]
    }

    fn chroma(&self, row: usize) -> &[i16] {
        &self.chroma[row % KEPT]
    }
}
