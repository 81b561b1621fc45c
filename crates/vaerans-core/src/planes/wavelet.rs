//! Samples as quantised wavelet coefficients: the least squared error for the bits.
//!
//! Colour becomes YCoCg, each component a pyramid of CDF 9/7 subbands (Cohen, Daubechies, Feauveau 1992; lifted as by
//! Daubechies and Sweldens 1998) in integers with some bits of fraction. Every subband has the step that makes an error
//! in it weigh as much in the picture as one in any other. Subbands are coded from the coarsest on, each coefficient in
//! the contexts of its neighbours, of its parent and of the component before.
//!
//! A body: the step in 1/64 level, three bytes, lowest first, then the coded bits.

mod lift;
mod pyramid;
mod subbands;

use super::plane::{Plane, Sample};
use super::range::BitCoder;
use crate::Error;
use pyramid::{Pyramid, Steps, NORM_BITS};

/// In 2^-12, the norm of what one unit of Y, Cg and Co adds to RGB: the roots of 3, 3/4 and 1/2.
const COLOUR_NORMS: [u64; 3] = [7094, 3547, 2896];

/// What of the sample type matters.
#[derive(Clone, Copy)]
pub struct Depth {
    min: i32,
    max: i32,
}

impl Depth {
    pub fn of<S: Sample>() -> Self {
        Depth {
            min: S::MIN,
            max: S::MAX,
        }
    }

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
    subbands::code(coder, &mut pyramids)?;
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
    let mut pyramids = Vec::new();
    for component in 0..planes.len() {
        let norm = match (planes.len() >= 3, COLOUR_NORMS.get(component)) {
            (true, Some(&norm)) => norm,
            _ => 1 << NORM_BITS,
        };
        let steps = Steps {
            step,
            fraction_bits: depth.fraction_bits(),
            norm,
        };
        pyramids.push(Pyramid::new(width, rows, steps)?);
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
