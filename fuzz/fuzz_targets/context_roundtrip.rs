//! Any symbols come back under any model; the bound holds, and one byte less than needed is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::context::encode;
use vaerans_fuzz::{decode, encoded, grids, Input};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let Some(model) = input.model() else {
        return;
    };
    let mut bands = input.bands(&model);
    let gap = usize::from(input.byte() % 4);
    bands.iter_mut().for_each(|band| band.plane_stride += gap);
    let rate = u32::from(input.u16() % 4096);
    let symbols: Vec<Vec<i16>> = model
        .grids()
        .iter()
        .zip(&bands)
        .map(|(grid, band)| {
            let last = (grid.channels() - 1) * band.plane_stride;
            input.symbols(last + band.width * band.height)
        })
        .collect();

    let bytes = encoded(&model, rate, &symbols, &bands);
    let sources = grids(&symbols, &bands);
    let mut exact = vec![0xAA; bytes.len()];
    assert_eq!(encode(&model, rate, &sources, &mut exact), Ok(bytes.len()));
    assert_eq!(exact, bytes);
    assert!(encode(&model, rate, &sources, &mut exact[..bytes.len() - 1]).is_err());

    let mut back = symbols.clone();
    back.iter_mut()
        .flatten()
        .for_each(|symbol| *symbol = !*symbol);
    decode(&model, rate, &bytes, &mut back, &bands).expect("an honest stream");
    for ((back, symbols), band) in back.iter().zip(&symbols).zip(&bands) {
        for (at, (&got, &coded)) in back.iter().zip(symbols).enumerate() {
            let inside = at % band.plane_stride < band.width * band.height;
            assert_eq!(got, if inside { coded } else { !coded });
        }
    }
});
