//! Any bytes under any model end in symbols or in an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::context::{decode, encode, encode_bound, Band};
use vaerans_fuzz::Input;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let Some(model) = input.model() else {
        return;
    };
    let channels = model.channels();
    let (width, height) = input.shape(channels);
    let band = Band {
        plane_stride: width * height,
        width,
        height,
    };
    let rate = u32::from(input.u16() % 4096);
    let mut symbols = vec![0; channels * width * height];
    if decode(&model, rate, input.0, &mut symbols, band).is_ok() {
        let mut bytes = vec![0; encode_bound(&model, width, height).expect("small")];
        let written = encode(&model, rate, &symbols, band, &mut bytes).expect("the bound suffices");
        let mut back = vec![0; symbols.len()];
        decode(&model, rate, &bytes[..written], &mut back, band).expect("an honest stream");
        assert_eq!(back, symbols);
    }
});
