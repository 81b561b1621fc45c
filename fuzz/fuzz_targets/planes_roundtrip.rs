//! Any samples come back within the error that was asked for; through the wavelet they come back as something.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::planes::{decode, encode, encode_bound, Coding, Layout, Sample};
use vaerans_fuzz::Input;

fn check<S: Sample + Default>(input: &mut Input<'_>, layout: Layout) {
    let coding = match input.byte() % 2 {
        0 => Coding::MaxError(input.byte().into()),
        _ => Coding::Step(1 + u32::from(input.u16())),
    };
    let length = layout.width * layout.rows * layout.components;
    let given = input.0;
    let samples: Vec<S> = (0..length)
        .map(|i| {
            let byte = given.get(i % given.len().max(1)).copied().unwrap_or(0);
            let span = i64::from(S::MAX) - i64::from(S::MIN);
            S::narrow((i64::from(S::MIN) + span * i64::from(byte) / 255) as i32)
        })
        .collect();
    let mut band = vec![0; encode_bound::<S>(layout).expect("small")];
    let written = encode(&samples, layout, coding, &mut band).expect("the bound suffices");
    let mut back = vec![S::default(); length];
    decode(&band[..written], &mut back, layout).expect("an honest band");
    let Coding::MaxError(most) = coding else {
        return;
    };
    for (from, to) in samples.iter().zip(&back) {
        assert!(from.widen().abs_diff(to.widen()) <= most);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let layout = input.planes();
    match input.byte() % 4 {
        0 => check::<u8>(&mut input, layout),
        1 => check::<u16>(&mut input, layout),
        2 => check::<i16>(&mut input, layout),
        _ => check::<i32>(&mut input, layout),
    }
});
