//! A thousand random latents and hashes of what the coders make of them. tests/wasm/payloads.test.ts has the twin.

use vaerans_core::context::{self, ContextModel};
use vaerans_core::static_coder;

use crate::toy_context::{latents, model_file};
use crate::toy_noise::Noise;

const CHANNELS: [usize; 4] = [1, 4, 16, 32];

/// A line for each round, from the first on: the hashes of the context coder's and the static coder's payload.
pub fn hashes(rounds: usize) -> String {
    let models = CHANNELS
        .map(|channels| ContextModel::parse(&model_file(channels)).expect("the toy model is one"));
    let mut noise = Noise::new(5);
    let mut lines = String::new();
    for round in 1..=rounds {
        let mut model = &models[round % 4];
        let (mut width, mut height) = (1 + noise.next(24) as usize, 1 + noise.next(24) as usize);
        if round % 100 == 0 {
            // Large enough for four lanes.
            (model, width, height) = (&models[3], 50 + width, 41);
        }
        let (channels, length) = (model.channels(), width * height);
        let (nonzero, wide) = (1 + noise.next(256), noise.next(3));
        let symbols = latents(&mut noise, channels * length, nonzero, wide);
        let rate = noise.next(4096);
        let context = context_payload(model, rate, &symbols, width, height);
        let fixed = static_payload(&symbols, channels, length);
        lines += &format!("{:08x} {:08x}\n", fnv1a(&context), fnv1a(&fixed));
    }
    lines
}

fn context_payload(
    model: &ContextModel,
    rate: u32,
    symbols: &[i16],
    width: usize,
    height: usize,
) -> Vec<u8> {
    let band = context::Band {
        plane_stride: width * height,
        width,
        height,
    };
    let bound = context::encode_bound(model, width, height).expect("small");
    let mut bytes = vec![0; bound];
    let length =
        context::encode(model, rate, symbols, band, &mut bytes).expect("the bound suffices");
    bytes.truncate(length);
    let mut back = vec![99; symbols.len()];
    context::decode(model, rate, &bytes, &mut back, band).expect("an honest stream");
    assert!(back == symbols);
    bytes
}

fn static_payload(symbols: &[i16], channels: usize, length: usize) -> Vec<u8> {
    let planes = static_coder::Planes {
        channels,
        length,
        stride: length,
    };
    let bound = static_coder::encode_bound(channels, length).expect("small");
    let mut bytes = vec![0; bound];
    let written = static_coder::encode(symbols, planes, &mut bytes).expect("the bound suffices");
    bytes.truncate(written);
    let mut back = vec![99; symbols.len()];
    static_coder::decode(&bytes, &mut back, planes).expect("an honest stream");
    assert!(back == symbols);
    bytes
}

fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |state, &byte| {
        (state ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
