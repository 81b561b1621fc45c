//! Samples of interleaved pixels, and the planes that they are coded as.

use super::plane::{Plane, Sample};
use super::{PIXELS_MAX, SIDE_MAX};
use crate::error::check_count;
use crate::Error;

/// Shape of a band of interleaved pixels.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub width: usize,
    pub rows: usize,
    /// Samples of a pixel, 1 to 4.
    pub components: usize,
}

impl Layout {
    pub(super) fn check(&self, length: usize) -> Result<(), Error> {
        let sides = 1..=SIDE_MAX;
        if !sides.contains(&self.width)
            || !sides.contains(&self.rows)
            || self.width * self.rows > PIXELS_MAX
        {
            return Err(Error::OutOfRange {
                what: "a band of 1 to 65535 samples a side and at most 2^26 pixels",
            });
        }
        // Before anything is multiplied by it, so that no product leaves a usize of 32 bits.
        if !(1..=4).contains(&self.components) {
            return Err(Error::OutOfRange {
                what: "1 to 4 components of a pixel",
            });
        }
        let expected = self.width * self.rows * self.components;
        check_count("samples of a band", expected, length)
    }

    /// The band's first byte.
    pub(super) fn head<S: Sample>(&self, method: u8) -> u8 {
        method | (self.components as u8 - 1) << 3 | S::CODE << 5
    }
}

/// Planes of a band, all zero.
pub fn new_planes(layout: Layout) -> Result<Vec<Plane>, Error> {
    (0..layout.components)
        .map(|_| Plane::new(layout.width, layout.rows))
        .collect()
}

/// The components of a band, each by itself.
pub fn planes_of<S: Sample>(samples: &[S], layout: Layout) -> Result<Vec<Plane>, Error> {
    let mut planes = new_planes(layout)?;
    for (component, plane) in planes.iter_mut().enumerate() {
        let mut source = samples[component..].iter().step_by(layout.components);
        for row in 0..layout.rows {
            for (to, from) in plane.row_mut(row).iter_mut().zip(&mut source) {
                *to = from.widen();
            }
        }
    }
    if all_in_range::<S>(&planes) {
        Ok(planes)
    } else {
        Err(Error::OutOfRange {
            what: "samples in the range of their type",
        })
    }
}

/// Whether the samples of the planes are within those of their type, which may be fewer than it can hold.
pub fn all_in_range<S: Sample>(planes: &[Plane]) -> bool {
    let in_range = |value: &i32| (S::MIN..=S::MAX).contains(value);
    planes
        .iter()
        .all(|plane| (0..plane.rows()).all(|row| plane.row(row).iter().all(in_range)))
}

/// Writes the planes to the components of the pixels.
pub fn put_planes<S: Sample>(planes: &[Plane], samples: &mut [S], layout: Layout) {
    for (component, plane) in planes.iter().enumerate() {
        let mut target = samples[component..].iter_mut().step_by(layout.components);
        for row in 0..layout.rows {
            for (&value, slot) in plane.row(row).iter().zip(&mut target) {
                *slot = S::narrow(value);
            }
        }
    }
}
