//! Any symbols come back under any model; the bound holds, and one byte less than needed is refused.
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
    let plane_stride = width * height + usize::from(input.byte() % 4);
    let band = Band {
        plane_stride,
        width,
        height,
    };
    let rate = u32::from(input.u16() % 4096);
    let symbols = input.symbols((channels - 1) * plane_stride + width * height);

    let mut bytes = vec![0; encode_bound(&model, width, height).expect("small")];
    let written = encode(&model, rate, &symbols, band, &mut bytes).expect("the bound suffices");
    let mut exact = vec![0xAA; written];
    assert_eq!(
        encode(&model, rate, &symbols, band, &mut exact),
        Ok(written)
    );
    assert_eq!(exact, bytes[..written]);
    assert!(encode(&model, rate, &symbols, band, &mut exact[..written - 1]).is_err());

    let mut back = symbols.clone();
    back.iter_mut().for_each(|symbol| *symbol = !*symbol);
    decode(&model, rate, &bytes[..written], &mut back, band).expect("an honest stream");
    for (at, (&got, &coded)) in back.iter().zip(&symbols).enumerate() {
        let inside = at % plane_stride < width * height;
        assert_eq!(got, if inside { coded } else { !coded });
    }
});
