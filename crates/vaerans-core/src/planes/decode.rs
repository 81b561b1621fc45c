//! From the bytes of a band, which may be hostile, to samples.

use super::interleaved::{all_in_range, new_planes, put_planes, Layout};
use super::plane::{Plane, Sample};
use super::range::Decoder;
use super::{graphic, spatial, wavelet};
use super::{METHOD_GRAPHIC, METHOD_RAW, METHOD_SPATIAL, METHOD_WAVELET, STEP_BYTES, STEP_LIMIT};
use crate::Error;

/// Decodes all of `bytes` into `samples`; after an error they mean nothing.
pub fn decode<S: Sample>(bytes: &[u8], samples: &mut [S], layout: Layout) -> Result<(), Error> {
    layout.check(samples.len())?;
    let (&head, body) = bytes.split_first().ok_or(corrupt("a band with a head"))?;
    if head & !7 != layout.head::<S>(0) {
        return Err(corrupt("a band of these components and samples"));
    }
    let planes = match head & 7 {
        METHOD_RAW => return read_raw(body, samples),
        METHOD_SPATIAL => {
            let (&max_error, body) = body.split_first().ok_or(corrupt("a band with a step"))?;
            let range = spatial::Range::of::<S>(max_error.into());
            decoded(body, layout, |coder, planes| {
                spatial::code(coder, planes, range)
            })?
        }
        METHOD_WAVELET => {
            let (step, body) = body
                .split_at_checked(STEP_BYTES)
                .ok_or(corrupt("a band with a step"))?;
            let step = u32::from_le_bytes([step[0], step[1], step[2], 0]);
            if !(1..=STEP_LIMIT).contains(&step) {
                return Err(corrupt("a step of 1 to 2^22"));
            }
            decoded(body, layout, |coder, planes| {
                wavelet::code(coder, planes, step, wavelet::Depth::of::<S>())
            })?
        }
        METHOD_GRAPHIC if S::RAW_BYTES < 3 => {
            let planes = decoded(body, layout, |coder, planes| {
                graphic::code(coder, planes, graphic::Spelling::of::<S>())
            })?;
            if !all_in_range::<S>(&planes) {
                return Err(corrupt("pixels in range"));
            }
            planes
        }
        _ => return Err(corrupt("a method that this version knows")),
    };
    put_planes(&planes, samples, layout);
    Ok(())
}

fn corrupt(what: &'static str) -> Error {
    Error::Corrupt { what }
}

/// The planes that a method reads from all of `body`.
fn decoded(
    body: &[u8],
    layout: Layout,
    method: impl FnOnce(&mut Decoder<'_>, &mut [Plane]) -> Result<(), Error>,
) -> Result<Vec<Plane>, Error> {
    let mut planes = new_planes(layout)?;
    let mut coder = Decoder::new(body);
    method(&mut coder, &mut planes)?;
    coder.finish()?;
    Ok(planes)
}

fn read_raw<S: Sample>(body: &[u8], samples: &mut [S]) -> Result<(), Error> {
    if body.len() != samples.len() * S::RAW_BYTES {
        return Err(corrupt("a raw band as long as its samples"));
    }
    for (sample, bytes) in samples.iter_mut().zip(body.chunks_exact(S::RAW_BYTES)) {
        let negative = S::MIN < 0 && bytes.last().is_some_and(|&last| last > 127);
        let mut wide = [if negative { 255 } else { 0 }; 4];
        wide[..bytes.len()].copy_from_slice(bytes);
        let value = i32::from_le_bytes(wide);
        if !(S::MIN..=S::MAX).contains(&value) {
            return Err(corrupt("raw samples in range"));
        }
        *sample = S::narrow(value);
    }
    Ok(())
}
