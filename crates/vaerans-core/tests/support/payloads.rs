//! A thousand random latents, a hundred pictures, and hashes of what the coders make of them. tests/wasm/payloads.test.ts
//! has the twin.

use vaerans_core::context::{self, Band, ContextModel, Grid};
use vaerans_core::planes::{self, Coding, Layout, Sample};
use vaerans_core::static_coder;

use crate::toy_context::{adapting, grid_file, latents, model_file, with_all, with_net};
use crate::toy_noise::Noise;

const CHANNELS: [usize; 4] = [1, 4, 16, 32];

/// Of the coarse and the fine grid.
const TWO_CHANNELS: [(usize, usize); 3] = [(1, 3), (8, 5), (16, 24)];

/// Hands over a line for each round, from the first on: the hashes of the context coder's and the static coder's payload.
/// Then a tenth as many lines for models of two grids, as many for pictures, as many for models with networks, as
/// many for those that adapt, and as many for those with all there is.
pub fn hashes(rounds: usize, mut take_line: impl FnMut(String)) {
    let models = CHANNELS
        .map(|channels| ContextModel::parse(&model_file(channels)).expect("the toy model is one"));
    let mut noise = Noise::new(5);
    for round in 1..=rounds {
        let mut model = &models[round % 4];
        let (mut width, mut height) = (1 + noise.next(24) as usize, 1 + noise.next(24) as usize);
        if round % 100 == 0 {
            // Large enough for four lanes.
            (model, width, height) = (&models[3], 50 + width, 41);
        }
        let (channels, length) = (model.grids()[0].channels(), width * height);
        let (nonzero, wide) = (1 + noise.next(256), noise.next(3));
        let symbols = latents(&mut noise, channels * length, nonzero, wide);
        let rate = noise.next(4096);
        let context = context_payload(model, rate, &[(width, height, &symbols)]);
        let fixed = static_payload(&symbols, channels, length);
        take_line(format!("{:08x} {:08x}", fnv1a(&context), fnv1a(&fixed)));
    }
    for round in 1..=rounds / 10 {
        let (coarse, fine) = TWO_CHANNELS[round % 3];
        let file = [model_file(coarse), grid_file(fine, coarse)].concat();
        let model = ContextModel::parse(&file).expect("the toy model is one");
        let (width, height) = (1 + noise.next(30) as usize, 1 + noise.next(30) as usize);
        let nonzero = 1 + noise.next(256);
        let cells = latents(&mut noise, coarse * width * height, nonzero, 1);
        let places = latents(&mut noise, fine * 4 * width * height, nonzero, 1);
        let grids = [(width, height, &cells), (2 * width, 2 * height, &places)];
        let payload = context_payload(&model, noise.next(4096), &grids);
        take_line(format!("{:08x}", fnv1a(&payload)));
    }
    for round in 1..=rounds / 10 {
        take_line(planes_line(&mut noise, round));
    }
    extended_lines(&mut noise, rounds / 10, &CHANNELS, with_net, &mut take_line);
    for extended in [adapting, with_all] {
        let channels = &CHANNELS[2..];
        extended_lines(&mut noise, rounds / 10, channels, extended, &mut take_line);
    }
}

fn extended_lines(
    noise: &mut Noise,
    rounds: usize,
    channels: &[usize],
    extended: impl Fn(Vec<u8>) -> Vec<u8>,
    mut take_line: impl FnMut(String),
) {
    let model = |&channels: &usize| {
        let file = extended(model_file(channels));
        ContextModel::parse(&file).expect("the toy model is one")
    };
    let models: Vec<ContextModel> = channels.iter().map(model).collect();
    for round in 1..=rounds {
        let model = &models[round % models.len()];
        let (width, height) = (1 + noise.next(70) as usize, 1 + noise.next(24) as usize);
        let nonzero = 1 + noise.next(256);
        let length = model.grids()[0].channels() * width * height;
        let symbols = latents(noise, length, nonzero, 1);
        let payload = context_payload(model, noise.next(4096), &[(width, height, &symbols)]);
        take_line(format!("{:08x}", fnv1a(&payload)));
    }
}

/// Codes a picture of slopes and noise: of 8-bit samples, or of differences of them in every other round; exactly, nearly
/// so, or by a wavelet.
fn planes_line(noise: &mut Noise, round: usize) -> String {
    let (width, rows) = (1 + noise.next(40) as usize, 1 + noise.next(40) as usize);
    let components = 1 + noise.next(4) as usize;
    let (across, down) = (noise.next(16) as usize, noise.next(16) as usize);
    let spread = 1 + noise.next(64);
    let coding = match round % 3 {
        0 => Coding::MaxError(0),
        1 => Coding::MaxError(1 + noise.next(8)),
        _ => Coding::Step(64 + noise.next(1024)),
    };
    let layout = Layout {
        width,
        rows,
        components,
    };
    let samples: Vec<u8> = (0..width * rows * components)
        .map(|at| {
            let (x, y) = (at / components % width, at / components / width);
            ((x * across + y * down) / 4 + noise.next(spread) as usize) as u8
        })
        .collect();
    let (payload, decoded) = if round.is_multiple_of(2) {
        planes_payload(&samples, layout, coding, |samples| samples.to_vec())
    } else {
        let samples: Vec<i16> = samples
            .iter()
            .map(|&sample| i16::from(sample as i8))
            .collect();
        planes_payload(&samples, layout, coding, |samples| {
            samples
                .iter()
                .flat_map(|sample| sample.to_le_bytes())
                .collect()
        })
    };
    format!("{:08x} {:08x}", fnv1a(&payload), fnv1a(&decoded))
}

fn planes_payload<S: Sample>(
    samples: &[S],
    layout: Layout,
    coding: Coding,
    bytes_of: impl Fn(&[S]) -> Vec<u8>,
) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = vec![0; planes::encode_bound::<S>(layout).expect("small")];
    let length = planes::encode(samples, layout, coding, &mut bytes).expect("the bound suffices");
    bytes.truncate(length);
    let mut back = samples.to_vec();
    back.reverse();
    planes::decode(&bytes, &mut back, layout).expect("an honest stream");
    let (coded, decoded) = (bytes_of(samples), bytes_of(&back));
    assert!(!matches!(coding, Coding::MaxError(0)) || coded == decoded);
    (bytes, decoded)
}

/// Codes grids of some width, height and symbols, and back.
fn context_payload(
    model: &ContextModel,
    rate: u32,
    grids: &[(usize, usize, &Vec<i16>)],
) -> Vec<u8> {
    let band_of = |width: usize, height: usize| Band {
        plane_stride: width * height,
        width,
        height,
    };
    let sources: Vec<Grid<&[i16]>> = grids
        .iter()
        .map(|&(width, height, symbols)| Grid {
            band: band_of(width, height),
            samples: symbols.as_slice(),
        })
        .collect();
    let sizes: Vec<_> = grids.iter().map(|grid| (grid.0, grid.1)).collect();
    let mut bytes = vec![0; context::encode_bound(model, &sizes).expect("small")];
    let length = context::encode(model, rate, &sources, &mut bytes).expect("the bound suffices");
    bytes.truncate(length);
    let mut back: Vec<Vec<i16>> = grids.iter().map(|grid| vec![99; grid.2.len()]).collect();
    let mut into: Vec<Grid<&mut [i16]>> = back
        .iter_mut()
        .zip(grids)
        .map(|(samples, &(width, height, _))| Grid {
            band: band_of(width, height),
            samples: samples.as_mut_slice(),
        })
        .collect();
    context::decode(model, rate, &bytes, &mut into).expect("an honest stream");
    assert!(back.iter().zip(grids).all(|(back, grid)| back == grid.2));
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
