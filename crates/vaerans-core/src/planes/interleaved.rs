//! Samples of interleaved pixels, and the planes that they are coded as.

use super::plane::{Plane, Sample};
use super::{PIXELS_MAX, SIDE_MAX};
use crate::error::check_count;
use crate::Error;

/// Which samples of interleaved pixels a band has.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub width: usize,
    pub rows: usize,
    /// Samples from one pixel to the next.
    pub pixel_stride: usize,
    pub first_component: usize,
    pub components: usize,
}

impl Layout {
    /// All components of the pixels.
    pub fn whole(width: usize, rows: usize, components: usize) -> Self {
        Layout {
            width,
            rows,
            pixel_stride: components,
            first_component: 0,
            components,
        }
    }

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
        // Before anything is added or multiplied, so that no sum leaves a usize of 32 bits.
        if !(1..=4).contains(&self.components)
            || self.pixel_stride > 4
            || self.first_component > 4
            || self.first_component + self.components > self.pixel_stride
        {
            return Err(Error::Shape {
                what: "components from the first to the last one of a pixel, which has 4 at most",
                expected: self.pixel_stride,
                got: self.components,
            });
        }
        let expected = self.width * self.rows * self.pixel_stride;
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
        let mut source = samples[layout.first_component + component..]
            .iter()
            .step_by(layout.pixel_stride);
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

/// Writes the planes to their components of the pixels.
pub fn put_planes<S: Sample>(planes: &[Plane], samples: &mut [S], layout: Layout) {
    for (component, plane) in planes.iter().enumerate() {
        let mut target = samples[layout.first_component + component..]
            .iter_mut()
            .step_by(layout.pixel_stride);
        for row in 0..layout.rows {
            for (&value, slot) in plane.row(row).iter().zip(&mut target) {
                *slot = S::narrow(value);
            }
        }
    }
}

/// Gives every pixel whose last component, alpha, is 0 the colour of the pixel before it.
pub fn flatten_transparent<S: Sample>(samples: &mut [S], components: usize) -> Result<(), Error> {
    if !(2..=4).contains(&components) || !samples.len().is_multiple_of(components) {
        return Err(Error::Shape {
            what: "samples of 2 to 4 components a pixel",
            expected: 4,
            got: components,
        });
    }
    for at in (components..samples.len()).step_by(components) {
        let (before, pixel) = samples.split_at_mut(at);
        if pixel[components - 1].widen() == 0 {
            pixel[..components - 1].copy_from_slice(&before[at - components..at - 1]);
        }
    }
    Ok(())
}
