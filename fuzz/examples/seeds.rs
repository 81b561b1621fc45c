//! Writes the inputs that fuzzing starts from, streams and models that are sound, into `corpus/TARGET/seed-N`.

use std::fs;
use std::path::Path;

use vaerans_core::{context, planes, static_coder};
use vaerans_fuzz::toy_context::{latents, model_file};
use vaerans_fuzz::toy_noise::Noise;

/// Channels of the first five models that `Input::model` knows.
const CHANNELS: [usize; 5] = [1, 2, 4, 5, 7];

fn main() {
    let mut noise = Noise::new(21);
    for (seed, channels) in CHANNELS.into_iter().enumerate() {
        let (width, height) = (3 + 4 * seed, 9);
        let length = width * height;
        let symbols = latents(&mut noise, channels * length, 60 + 40 * seed as u32, 3);
        let raw: Vec<u8> = symbols
            .iter()
            .flat_map(|symbol| symbol.to_le_bytes())
            .collect();
        let shape = [0, width as u8 - 1, 0, height as u8 - 1, 0];
        let rate = [0, 4];

        let planes = static_coder::Planes {
            channels,
            length,
            stride: length,
        };
        let mut stream = vec![0; static_coder::encode_bound(channels, length).expect("small")];
        let written =
            static_coder::encode(&symbols, planes, &mut stream).expect("the bound suffices");
        let head = [&[channels as u8 - 1][..], &shape].concat();
        write("static_decode", seed, &[&head, &stream[..written]]);
        write("static_roundtrip", seed, &[&head, &[0, 0], &raw]);

        let file = if seed == 0 {
            flat_model()
        } else {
            model_file(channels)
        };
        write("context_model_parse", seed, &[&file]);
        let model =
            context::ContextModel::parse(&model_file(channels)).expect("the toy model is one");
        let band = context::Band {
            plane_stride: length,
            width,
            height,
        };
        let bound = context::encode_bound(&model, &[(width, height)]).expect("small");
        let mut stream = vec![0; bound];
        let samples = symbols.as_slice();
        let written = context::encode(
            &model,
            1024,
            &[context::Grid { band, samples }],
            &mut stream,
        )
        .expect("the bound suffices");
        let head = [&[seed as u8][..], &shape].concat();
        write("context_decode", seed, &[&head, &rate, &stream[..written]]);
        write("context_roundtrip", seed, &[&head, &[0], &rate, &[0], &raw]);
    }
    // Three components of 8-bit samples: noise, then a drawing; lossless, nearly, and through the wavelet.
    for (seed, drawn) in [false, true].into_iter().enumerate() {
        let layout = planes::Layout {
            width: 24,
            rows: 20,
            components: 3,
        };
        let samples: Vec<u8> = (0..24 * 20 * 3)
            .map(|i| {
                let (x, y) = (i / 3 % 24, i / 72);
                let shape = if x * y % 48 < 24 { 30 } else { 200 };
                shape + if drawn { 0 } else { noise.next(50) as u8 }
            })
            .collect();
        let head = [38, 0, 23, 0, 19, 0, 0];
        for (coding, (kind, amount)) in [(0, 0), (0, 2), (1, 8)].into_iter().enumerate() {
            let wanted = match kind {
                0 => planes::Coding::MaxError(amount),
                _ => planes::Coding::Step(64 * amount),
            };
            let mut band = vec![0; planes::encode_bound::<u8>(layout).expect("small")];
            let written =
                planes::encode(&samples, layout, wanted, &mut band).expect("the bound suffices");
            let number = 3 * seed + coding;
            write("planes_decode", number, &[&head, &band[..written]]);
            let coding = [kind, amount as u8, 0];
            write("planes_roundtrip", number, &[&head, &coding, &samples]);
        }
    }
    let file = flat_model();
    let own_model = [&[255][..], &(file.len() as u16).to_le_bytes(), &file].concat();
    write(
        "context_decode",
        CHANNELS.len(),
        &[&own_model, &[0, 3, 0, 3, 0, 0, 0], &[7; 40]],
    );
    // A window of a picture of 8 columns; weights and samples that rise.
    let rising: Vec<u8> = (0..=255).collect();
    write(
        "restoration",
        0,
        &[&[7, 1, 1, 128, 0, 0], &[3; 23], &rising, &rising],
    );
    write(
        "restoration",
        1,
        &[&[7, 0, 0, 255, 1, 0], &[127; 23], &rising, &rising],
    );
    write(
        "context_roundtrip",
        CHANNELS.len(),
        &[&own_model, &[0, 3, 0, 3, 0, 0, 0, 0, 1], &[7; 16]],
    );
}

/// The smallest model file: one channel, and tables of nothing but 0 and the escape.
fn flat_model() -> Vec<u8> {
    let mut file = b"VCTX\x01\x00\x02\x01".to_vec();
    file.extend([0, 16, 0, 0, 0, 16, 0, 0, 128, 128]);
    file.extend([0; 40 + 6]);
    (0..448).for_each(|_| file.extend([0, 0, 32]));
    file
}

fn write(target: &str, seed: usize, parts: &[&[u8]]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    fs::write(folder.join(format!("seed-{seed}")), parts.concat()).expect("a seed");
}
