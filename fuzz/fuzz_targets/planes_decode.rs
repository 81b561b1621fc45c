//! Any bytes end in samples or in an error, whatever the type of sample; what was decoded without loss is coded again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::planes::{decode, encode, encode_bound, Coding, Layout, Sample};
use vaerans_fuzz::Input;

fn check<S: Sample + Default + PartialEq + std::fmt::Debug>(bytes: &[u8], layout: Layout) {
    let mut samples = vec![S::default(); layout.width * layout.rows * layout.components];
    if decode(bytes, &mut samples, layout).is_ok() {
        let mut again = vec![0; encode_bound::<S>(layout).expect("small")];
        let written =
            encode(&samples, layout, Coding::MaxError(0), &mut again).expect("the bound suffices");
        let mut back = vec![S::default(); samples.len()];
        decode(&again[..written], &mut back, layout).expect("an honest band");
        assert_eq!(back, samples);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let layout = input.planes();
    match input.byte() % 4 {
        0 => check::<u8>(input.0, layout),
        1 => check::<u16>(input.0, layout),
        2 => check::<i16>(input.0, layout),
        _ => check::<i32>(input.0, layout),
    }
});
