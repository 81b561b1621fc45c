//! From samples to a band, by the method that is likely to make the shortest one.

use super::interleaved::{planes_of, put_planes, Layout};
use super::plane::{Plane, Sample};
use super::range::Encoder;
use super::{encode_bound, graphic, spatial, wavelet, Coding};
use super::{MAX_ERROR_LIMIT, METHOD_GRAPHIC, METHOD_RAW, METHOD_SPATIAL, METHOD_WAVELET};
use super::{STEP_BYTES, STEP_LIMIT};
use crate::memory::filled;
use crate::Error;

/// Least step of samples of more than 8 bits.
const STEP_MIN_DEEP: u32 = 4 * 64;
/// Where the graphic method makes less of the samples than a byte for so many, the spatial one is not tried.
const SAMPLES_PER_BYTE_OF_DRAWN: usize = 40;

/// Codes a band into the front of `destination`, which has room for [`encode_bound`]; returns its length in bytes.
pub fn encode<S: Sample>(
    samples: &[S],
    layout: Layout,
    coding: Coding,
    destination: &mut [u8],
) -> Result<usize, Error> {
    layout.check(samples.len())?;
    let capacity_bytes = destination.len();
    let room = encode_bound::<S>(layout)
        .and_then(|bound| destination.get_mut(..bound))
        .ok_or(Error::OutputTooSmall { capacity_bytes })?;
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
    for (slot, sample) in body.chunks_exact_mut(S::RAW_BYTES).zip(samples) {
        slot.copy_from_slice(&sample.widen().to_le_bytes()[..S::RAW_BYTES]);
    }
    Ok(1 + body.len())
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
    wavelet::round_trip(&mut planes, usable::<S>(step), wavelet::Depth::of::<S>())?;
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

/// What the graphic method makes of planes that look drawn, or the spatial one where that is shorter or they do not; and
/// which it is.
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
        let mut rival = filled(length, 0)?;
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

/// What a method made of a body: its length in bytes, or `None` when it does not fit.
fn length_of(coded: Result<(), Error>, coder: Encoder<'_>) -> Result<Option<usize>, Error> {
    match coded {
        Ok(()) => Ok(coder.finish()),
        // A full output ends coding as a damaged input would.
        Err(Error::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
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
    let coded = spatial::code(&mut coder, planes, spatial::Range::of::<S>(max_error));
    Ok(length_of(coded, coder)?.map(|length| 1 + length))
}

/// As `encode_spatial`.
fn encode_graphic<S: Sample>(
    planes: &mut [Plane],
    body: &mut [u8],
) -> Result<Option<usize>, Error> {
    let mut coder = Encoder::new(body);
    let coded = graphic::code(&mut coder, planes, graphic::Spelling::of::<S>());
    length_of(coded, coder)
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
    let coded = wavelet::code(&mut coder, planes, step, wavelet::Depth::of::<S>());
    Ok(length_of(coded, coder)?.map(|length| STEP_BYTES + length))
}
