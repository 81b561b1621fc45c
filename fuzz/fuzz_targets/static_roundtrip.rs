//! Any symbols come back, also from a band in longer planes; the bound holds, and one byte less than needed is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::static_coder::{decode, encode, encode_bound, Planes};
use vaerans_fuzz::Input;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    // Few, because fitting a table to a channel takes most of the time.
    let channels = 1 + usize::from(input.byte() % 4);
    let (width, height) = input.shape(channels);
    let length = width * height;
    let stride = length + usize::from(input.byte() % 4);
    let planes = Planes {
        channels,
        length,
        stride,
    };
    let symbols = input.symbols((channels - 1) * stride + length);

    let mut bytes = vec![0; encode_bound(channels, length).expect("small")];
    let written = encode(&symbols, planes, &mut bytes).expect("the bound suffices");
    let mut exact = vec![0xAA; written];
    assert_eq!(encode(&symbols, planes, &mut exact), Ok(written));
    assert_eq!(exact, bytes[..written]);
    assert!(encode(&symbols, planes, &mut exact[..written - 1]).is_err());

    let mut back = symbols.clone();
    back.iter_mut().for_each(|symbol| *symbol = !*symbol);
    decode(&bytes[..written], &mut back, planes).expect("an honest stream");
    for (at, (&got, &coded)) in back.iter().zip(&symbols).enumerate() {
        let inside = at % stride < length;
        assert_eq!(got, if inside { coded } else { !coded });
    }
});
