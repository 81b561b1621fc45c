//! Any bytes under any model end in symbols or in an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::context::{Band, ContextModel};
use vaerans_fuzz::{decode, encoded, Input};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let Some(model) = input.model() else {
        return;
    };
    let bands = input.bands(&model);
    let rate = u32::from(input.u16() % 4096);
    let mut symbols = blank(&model, &bands);
    if decode(&model, rate, input.0, &mut symbols, &bands).is_ok() {
        let bytes = encoded(&model, rate, &symbols, &bands);
        let mut back = blank(&model, &bands);
        decode(&model, rate, &bytes, &mut back, &bands).expect("an honest stream");
        assert_eq!(back, symbols);
    }
});

fn blank(model: &ContextModel, bands: &[Band]) -> Vec<Vec<i16>> {
    let grids = model.grids().iter().zip(bands);
    grids
        .map(|(grid, band)| vec![0; grid.channels() * band.plane_stride])
        .collect()
}
