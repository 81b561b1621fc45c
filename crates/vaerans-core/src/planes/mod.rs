//! The plane coder: pictures, residuals and alpha as integers, without a network.
//!
//! A band is some rows of up to four components, coded by itself. It begins with one byte: method (bits 0-2),
//! components - 1 (bits 3-4), sample type (bits 5-6); bit 7 is zero. What follows depends on the method.

mod graphic;
mod integer;
mod mix;
mod plane;
mod range;
mod spatial;
mod wavelet;

use crate::Error;
use plane::Plane;
pub use plane::Sample;
use range::{Decoder, Encoder};

const METHOD_RAW: u8 = 0;
const METHOD_SPATIAL: u8 = 1;
const METHOD_WAVELET: u8 = 2;
const METHOD_GRAPHIC: u8 = 3;

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

/// How exactly a band is coded.
#[derive(Clone, Copy, Debug)]
pub enum Coding {
    /// No sample is further off than this; 0 is lossless.
    MaxError(u32),
    /// Wavelet coefficients in steps of so many 1/64 levels: the least squared error for the bits, about step^2 / 12.
    /// Steps below 4 levels are 4 where samples have more than 8 bits.
    Step(u32),
}

pub const MAX_ERROR_LIMIT: u32 = 255;
/// Least step of samples of more than 8 bits.
const STEP_MIN_DEEP: u32 = 4 * 64;
/// Where the graphic method makes less of the samples than a byte for so many, the spatial one is not tried.
const SAMPLES_PER_BYTE_OF_DRAWN: usize = 40;
/// Bytes of the step in a wavelet band.
const STEP_BYTES: usize = 3;

/// Most that [`Coding::Step`] takes.
pub const STEP_LIMIT: u32 = 1 << 22;
pub const SIDE_MAX: usize = 65_535;
pub const PIXELS_MAX: usize = 1 << 26;

impl Layout {
    fn check(&self, length: usize) -> Result<(), Error> {
        let sides = 1..=SIDE_MAX;
        if !sides.contains(&self.width)
            || !sides.contains(&self.rows)
            || self.width * self.rows > PIXELS_MAX
        {
            return Err(Error::OutOfRange {
                what: "a band of 1 to 65535 samples a side and at most 2^26 pixels",
            });
        }
        let within = (1..=4).contains(&self.components)
            && self.pixel_stride <= 4
            && self.first_component + self.components <= self.pixel_stride;
        let expected = self.width * self.rows * self.pixel_stride;
        if within && length == expected {
            Ok(())
        } else {
            Err(Error::Shape {
                what: "samples of 1 to 4 components a pixel",
                expected,
                got: length,
            })
        }
    }

    fn head<S: Sample>(&self, method: u8) -> u8 {
        method | (self.components as u8 - 1) << 3 | S::CODE << 5
    }
}

/// Bytes that no band exceeds: raw samples and the head.
pub fn encode_bound<S: Sample>(width: usize, rows: usize, components: usize) -> usize {
    1 + width * rows * components * S::RAW_BYTES
}

/// Bytes that coding a band takes for its planes and tables, or `None` when that does not fit.
pub fn working_bytes(width: usize, rows: usize, components: usize) -> Option<usize> {
    let plane = (width + 2 * plane::BORDER).checked_mul(rows + 2 * plane::BORDER)?;
    let tables = graphic::TABLE_BYTES + 4 * integer::TABLE_BYTES;
    // The samples, the subbands or errors, and a plane or the output of a rival.
    plane
        .checked_mul(4 * (2 * components + 4))?
        .checked_add(tables)
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

/// Codes a band into the front of `destination`, which has room for [`encode_bound`]; returns its length in bytes.
pub fn encode<S: Sample>(
    samples: &[S],
    layout: Layout,
    coding: Coding,
    destination: &mut [u8],
) -> Result<usize, Error> {
    layout.check(samples.len())?;
    let bound = encode_bound::<S>(layout.width, layout.rows, layout.components);
    let capacity_bytes = destination.len();
    let Some(room) = destination.get_mut(..bound) else {
        return Err(Error::OutputTooSmall { capacity_bytes });
    };
    let mut planes = planes_of(samples, layout)?;
    let (head, body) = room.split_at_mut(1);
    let limit = body.len() - 1;
    let length = match coding {
        Coding::MaxError(max_error) if max_error <= MAX_ERROR_LIMIT => {
            let (method, length) = encode_best::<S>(&mut planes, max_error, &mut body[..limit])?;
            head[0] = layout.head::<S>(method);
            length
        }
        Coding::Step(step) if (1..=STEP_LIMIT).contains(&step) => {
            head[0] = layout.head::<S>(METHOD_WAVELET);
            encode_wavelet::<S>(&mut planes, usable::<S>(step), &mut body[..limit])?
        }
        _ => {
            return Err(Error::OutOfRange {
                what: "a largest error of 0 to 255, or a step of 1 to 2^22",
            })
        }
    };
    if let Some(length) = length {
        return Ok(1 + length);
    }
    head[0] = layout.head::<S>(METHOD_RAW);
    let mut bytes = body.chunks_exact_mut(S::RAW_BYTES);
    for pixel in samples.chunks_exact(layout.pixel_stride) {
        for sample in &pixel[layout.first_component..][..layout.components] {
            let raw = sample.widen().to_le_bytes();
            if let Some(slot) = bytes.next() {
                slot.copy_from_slice(&raw[..S::RAW_BYTES]);
            }
        }
    }
    Ok(bound)
}

/// Makes of a band, in place, what it decodes to when coded with [`Coding::Step`], without coding it: for a search. A
/// band that such a step would make larger than raw samples is coded as those, and better than this.
pub fn round_trip<S: Sample>(samples: &mut [S], layout: Layout, step: u32) -> Result<(), Error> {
    layout.check(samples.len())?;
    if !(1..=STEP_LIMIT).contains(&step) {
        return Err(Error::OutOfRange {
            what: "a step of 1 to 2^22",
        });
    }
    let mut planes = planes_of(samples, layout)?;
    wavelet::round_trip(&mut planes, usable::<S>(step), depth::<S>())?;
    put_planes(&planes, samples, layout);
    Ok(())
}

/// Finer steps would take coefficients of deep samples out of the coder's range, and are below rounding.
fn usable<S: Sample>(step: u32) -> u32 {
    if S::MAX > 255 {
        step.max(STEP_MIN_DEEP)
    } else {
        step
    }
}

/// The components of a band, each by itself.
fn planes_of<S: Sample>(samples: &[S], layout: Layout) -> Result<Vec<Plane>, Error> {
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
    let in_range = |plane: &Plane| {
        (0..layout.rows).all(|row| plane.row(row).iter().all(|v| (S::MIN..=S::MAX).contains(v)))
    };
    if !planes.iter().all(in_range) {
        return Err(Error::OutOfRange {
            what: "samples in the range of their type",
        });
    }
    Ok(planes)
}

/// The body's length, or `None` when it does not fit.
fn encode_spatial<S: Sample>(
    planes: &mut [Plane],
    max_error: u32,
    body: &mut [u8],
) -> Result<Option<usize>, Error> {
    let Some((head, body)) = body.split_first_mut() else {
        return Ok(None);
    };
    *head = max_error as u8;
    let mut coder = Encoder::new(body);
    match spatial::code(&mut coder, planes, spatial_range::<S>(max_error)) {
        Ok(()) => Ok(coder.finish().map(|length| 1 + length)),
        Err(Error::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The shorter of what the spatial and the graphic method make of the planes, and which it is.
fn encode_best<S: Sample>(
    planes: &mut [Plane],
    max_error: u32,
    body: &mut [u8],
) -> Result<(u8, Option<usize>), Error> {
    let drawn = S::RAW_BYTES < 3 && looks_drawn(planes);
    let Some(length) = (if drawn {
        encode_graphic::<S>(planes, body)?
    } else {
        None
    }) else {
        return Ok((
            METHOD_SPATIAL,
            encode_spatial::<S>(planes, max_error, body)?,
        ));
    };
    let samples = planes.len() * planes[0].width() * planes[0].rows();
    if length > samples / SAMPLES_PER_BYTE_OF_DRAWN {
        let mut rival = Vec::new();
        rival
            .try_reserve_exact(length)
            .map_err(|_| Error::OutOfMemory)?;
        rival.resize(length, 0);
        if let Some(shorter) = encode_spatial::<S>(planes, max_error, &mut rival)? {
            body[..shorter].copy_from_slice(&rival[..shorter]);
            return Ok((METHOD_SPATIAL, Some(shorter)));
        }
    }
    Ok((METHOD_GRAPHIC, Some(length)))
}

/// Whether enough pixels are that before or above them again.
fn looks_drawn(planes: &[Plane]) -> bool {
    let (width, rows) = (planes[0].width(), planes[0].rows());
    let same = |x: usize, row: usize, dx: usize, dy: usize| {
        planes
            .iter()
            .all(|plane| plane.row(row)[x] == plane.row(row - dy)[x - dx])
    };
    let pixels = (1..rows).flat_map(|row| (1..width).map(move |x| (x, row)));
    let repeats = pixels
        .filter(|&(x, row)| same(x, row, 1, 0) || same(x, row, 0, 1))
        .count();
    repeats * 4 > (width - 1) * (rows - 1)
}

/// As `encode_spatial`.
fn encode_graphic<S: Sample>(
    planes: &mut [Plane],
    body: &mut [u8],
) -> Result<Option<usize>, Error> {
    let mut coder = Encoder::new(body);
    match graphic::code(&mut coder, planes, spelling::<S>()) {
        Ok(()) => Ok(coder.finish()),
        Err(Error::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn spelling<S: Sample>() -> graphic::Spelling {
    graphic::Spelling {
        min: S::MIN,
        bytes: if S::MAX - S::MIN > 255 { 2 } else { 1 },
    }
}

/// As `encode_spatial`.
fn encode_wavelet<S: Sample>(
    planes: &mut [Plane],
    step: u32,
    body: &mut [u8],
) -> Result<Option<usize>, Error> {
    let Some((head, body)) = body.split_at_mut_checked(STEP_BYTES) else {
        return Ok(None);
    };
    head.copy_from_slice(&step.to_le_bytes()[..STEP_BYTES]);
    let mut coder = Encoder::new(body);
    match wavelet::code(&mut coder, planes, step, depth::<S>()) {
        Ok(()) => Ok(coder.finish().map(|length| STEP_BYTES + length)),
        Err(Error::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn depth<S: Sample>() -> wavelet::Depth {
    wavelet::Depth {
        min: S::MIN,
        max: S::MAX,
    }
}

fn spatial_range<S: Sample>(max_error: u32) -> spatial::Range {
    spatial::Range {
        min: S::MIN,
        max: S::MAX,
        step: 2 * max_error as i32 + 1,
    }
}

fn new_planes(layout: Layout) -> Result<Vec<Plane>, Error> {
    (0..layout.components)
        .map(|_| Plane::new(layout.width, layout.rows))
        .collect()
}

/// Writes the planes to their components of the pixels.
fn put_planes<S: Sample>(planes: &[Plane], samples: &mut [S], layout: Layout) {
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

/// Decodes all of `bytes` into the components of `samples` that `layout` names; after an error they mean nothing.
pub fn decode<S: Sample>(bytes: &[u8], samples: &mut [S], layout: Layout) -> Result<(), Error> {
    layout.check(samples.len())?;
    let corrupt = |what| Error::Corrupt { what };
    let (&head, body) = bytes.split_first().ok_or(corrupt("a band with a head"))?;
    if head & !7 != layout.head::<S>(0) {
        return Err(corrupt("a band of these components and samples"));
    }
    match head & 7 {
        METHOD_RAW => {
            let expected = layout.width * layout.rows * layout.components * S::RAW_BYTES;
            if body.len() != expected {
                return Err(corrupt("a raw band as long as its samples"));
            }
            let mut raw = body.chunks_exact(S::RAW_BYTES);
            for pixel in samples.chunks_exact_mut(layout.pixel_stride) {
                for sample in &mut pixel[layout.first_component..][..layout.components] {
                    let bytes = raw.next().unwrap_or(&[]);
                    let negative = S::MIN < 0 && bytes.last().is_some_and(|&last| last > 127);
                    let mut wide = [if negative { 255 } else { 0 }; 4];
                    wide[..bytes.len()].copy_from_slice(bytes);
                    let value = i32::from_le_bytes(wide);
                    if !(S::MIN..=S::MAX).contains(&value) {
                        return Err(corrupt("raw samples in range"));
                    }
                    *sample = S::narrow(value);
                }
            }
            Ok(())
        }
        METHOD_SPATIAL => {
            let (&max_error, body) = body.split_first().ok_or(corrupt("a band with a step"))?;
            let mut planes = new_planes(layout)?;
            let mut coder = Decoder::new(body);
            spatial::code(
                &mut coder,
                &mut planes,
                spatial_range::<S>(max_error.into()),
            )?;
            coder.finish()?;
            put_planes(&planes, samples, layout);
            Ok(())
        }
        METHOD_WAVELET => {
            let (step, body) = body
                .split_at_checked(STEP_BYTES)
                .ok_or(corrupt("a band with a step"))?;
            let step = u32::from_le_bytes([step[0], step[1], step[2], 0]);
            if !(1..=STEP_LIMIT).contains(&step) {
                return Err(corrupt("a step of 1 to 2^22"));
            }
            let mut planes = new_planes(layout)?;
            let mut coder = Decoder::new(body);
            wavelet::code(&mut coder, &mut planes, step, depth::<S>())?;
            coder.finish()?;
            put_planes(&planes, samples, layout);
            Ok(())
        }
        METHOD_GRAPHIC if S::RAW_BYTES < 3 => {
            let mut planes = new_planes(layout)?;
            let mut coder = Decoder::new(body);
            graphic::code(&mut coder, &mut planes, spelling::<S>())?;
            coder.finish()?;
            for plane in &planes {
                for row in 0..plane.rows() {
                    if !plane.row(row).iter().all(|v| (S::MIN..=S::MAX).contains(v)) {
                        return Err(corrupt("pixels in range"));
                    }
                }
            }
            put_planes(&planes, samples, layout);
            Ok(())
        }
        _ => Err(corrupt("a method that this version knows")),
    }
}
