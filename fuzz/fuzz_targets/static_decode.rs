//! Any bytes end in symbols or in an error; symbols that were decoded come back from what they are encoded to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::static_coder::{decode, encode, encode_bound, Planes};
use vaerans_fuzz::Input;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let channels = 1 + usize::from(input.byte());
    let (width, height) = input.shape(channels);
    let length = width * height;
    let planes = Planes {
        channels,
        length,
        stride: length,
    };
    let mut symbols = vec![0; channels * length];
    if decode(input.0, &mut symbols, planes).is_ok() {
        let mut bytes = vec![0; encode_bound(channels, length).expect("small")];
        let written = encode(&symbols, planes, &mut bytes).expect("the bound suffices");
        let mut back = vec![0; symbols.len()];
        decode(&bytes[..written], &mut back, planes).expect("an honest stream");
        assert_eq!(back, symbols);
    }
});
