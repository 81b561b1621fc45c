//! The WASM module: two pictures are reserved here and filled by the caller, then measured by as many metrics as it
//! likes. Every metric returns NaN where it is not defined for a picture of that size.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{mean_squared_error, mean_squared_luma_error, ms_ssim, ssim, ssimulacra2, Pair};

struct Pictures {
    width: usize,
    height: usize,
    channels: usize,
    samples: [Vec<u8>; 2],
}

thread_local! {
    static PICTURES: RefCell<Pictures> = const {
        RefCell::new(Pictures { width: 0, height: 0, channels: 0, samples: [Vec::new(), Vec::new()] })
    };
}

/// Makes room for two pictures u8 [height][width][channels] in the place of those before. False where the memory
/// cannot be had or channels are neither 1 nor 3.
#[wasm_bindgen]
pub fn pictures_reserve(width: u32, height: u32, channels: u32) -> bool {
    let [width, height, channels] = [width, height, channels].map(|side| side as usize);
    PICTURES.with_borrow_mut(|pictures| {
        let length = width
            .checked_mul(height)
            .and_then(|pixels| pixels.checked_mul(channels))
            .filter(|&length| length > 0 && (channels == 1 || channels == 3));
        let Some(length) = length else {
            return false;
        };
        // Old samples go before new ones come.
        pictures.samples = [Vec::new(), Vec::new()];
        for samples in &mut pictures.samples {
            if samples.try_reserve_exact(length).is_err() {
                return false;
            }
            samples.resize(length, 0);
        }
        (pictures.width, pictures.height, pictures.channels) = (width, height, channels);
        true
    })
}

/// Byte offset of picture 0 or 1; good until `pictures_reserve` is called again.
#[wasm_bindgen]
pub fn picture_offset(index: u32) -> u32 {
    PICTURES.with_borrow_mut(|pictures| {
        let samples = &mut pictures.samples[usize::from(index != 0)];
        samples.as_mut_ptr().expose_provenance() as u32
    })
}

fn measure(metric: impl FnOnce(Pair) -> Option<f64>) -> f64 {
    PICTURES.with_borrow(|pictures| {
        let [a, b] = &pictures.samples;
        Pair::new(pictures.width, pictures.height, pictures.channels, a, b)
            .and_then(metric)
            .unwrap_or(f64::NAN)
    })
}

#[wasm_bindgen(js_name = "mean_squared_error")]
pub fn export_mean_squared_error() -> f64 {
    measure(|pair| Some(mean_squared_error(pair)))
}

#[wasm_bindgen(js_name = "mean_squared_luma_error")]
pub fn export_mean_squared_luma_error() -> f64 {
    measure(|pair| Some(mean_squared_luma_error(pair)))
}

#[wasm_bindgen(js_name = "ssim")]
pub fn export_ssim() -> f64 {
    measure(ssim)
}

#[wasm_bindgen(js_name = "ms_ssim")]
pub fn export_ms_ssim() -> f64 {
    measure(ms_ssim)
}

#[wasm_bindgen(js_name = "ssimulacra2")]
pub fn export_ssimulacra2() -> f64 {
    measure(ssimulacra2)
}
