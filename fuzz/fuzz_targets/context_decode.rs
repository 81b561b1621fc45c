//! Any bytes under any model end in symbols or in an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::context::{decode, encode, encode_bound, Band, ContextModel};
use vaerans_fuzz::{grids, grids_mut, Input};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let Some(model) = input.model() else {
        return;
    };
    let bands = input.bands(&model);
    let rate = u32::from(input.u16() % 4096);
    let mut symbols = blank(&model, &bands);
    if decode(&model, rate, input.0, &mut grids_mut(&mut symbols, &bands)).is_ok() {
        let sizes: Vec<_> = bands.iter().map(|band| (band.width, band.height)).collect();
        let mut bytes = vec![0; encode_bound(&model, &sizes).expect("small")];
        let written =
            encode(&model, rate, &grids(&symbols, &bands), &mut bytes).expect("the bound suffices");
        let mut back = blank(&model, &bands);
        decode(
            &model,
            rate,
            &bytes[..written],
            &mut grids_mut(&mut back, &bands),
        )
        .expect("an honest stream");
        assert_eq!(back, symbols);
    }
});

fn blank(model: &ContextModel, bands: &[Band]) -> Vec<Vec<i16>> {
    let grids = model.grids().iter().zip(bands);
    grids
        .map(|(grid, band)| vec![0; grid.channels() * band.plane_stride])
        .collect()
}
