//! The static and the context coder beside constriction's ANS coders, on the same symbols in the same run. constriction
//! is handed its models ready-made: a table a channel, or for every symbol one of the context model's kind of tables;
//! finding the context, which is most of our coder's work, costs it nothing.
//!
//! The symbols are made up, or with `VAERANS_SYMBOLS=FOLDER` those of a picture that
//! `node benches/coders.mjs --symbols FOLDER` left there, together with the context model.

use std::hint::black_box;
use std::path::Path;

use constriction::stream::model::{
    DefaultContiguousCategoricalEntropyModel as Categorical,
    SmallContiguousCategoricalEntropyModel as SmallCategorical,
    SmallContiguousLookupDecoderModel as SmallLookup,
};
use constriction::stream::stack::{DefaultAnsCoder, SmallAnsCoder};
use constriction::stream::Decode;
use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use vaerans_core::context::{self, Band, ContextModel, Grid};
use vaerans_core::planes::{self, Coding, Layout};
use vaerans_core::static_coder::{self, Planes};

/// Symbols from -REACH to REACH are coded, as constriction's tables have no escape.
const REACH: i16 = 127;
/// Scales that constriction's tables are made for, in quarter octaves from 1/16 on.
const SCALES: usize = 32;

/// Symbols [channels][height][width] of one rate, and the context model that they are coded by.
struct Latent {
    channels: usize,
    width: usize,
    height: usize,
    rate: u32,
    symbols: Vec<i16>,
    model: ContextModel,
}

impl Latent {
    fn area(&self) -> usize {
        self.width * self.height
    }
}

fn latent() -> Latent {
    match std::env::var_os("VAERANS_SYMBOLS") {
        Some(folder) => read(Path::new(&folder)),
        None => made_up(),
    }
}

fn model_of(file: &Path) -> ContextModel {
    ContextModel::parse(&std::fs::read(file).expect("a context model")).expect("a sound one")
}

fn read(folder: &Path) -> Latent {
    let bytes = std::fs::read(folder.join("symbols.bin")).expect("symbols");
    let (head, symbols) = bytes.split_at(16);
    let head = head
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&word| u32::from_le_bytes(word));
    let [channels, width, height, rate] = head.collect::<Vec<_>>()[..] else {
        panic!("four numbers")
    };
    let clamped = |&bytes: &[u8; 2]| i16::from_le_bytes(bytes).clamp(-REACH, REACH);
    Latent {
        channels: channels as usize,
        width: width as usize,
        height: height as usize,
        rate,
        symbols: symbols.as_chunks::<2>().0.iter().map(clamped).collect(),
        model: model_of(&folder.join("context.bin")),
    }
}

/// Laplacian numbers whose scale falls from channel to channel and varies slowly over the picture; one in six or so is
/// not zero.
fn made_up() -> Latent {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/psnr/context.bin");
    let model = model_of(&file);
    let (channels, width, height) = (model.grids()[0].channels(), 96, 64);
    let area = width * height;
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from((state >> 8) + 1) / f64::from(1 << 24)
    };
    let symbol = |at: usize| {
        let (channel, x, y) = (at / area, at % width, at % area / width);
        let place = (x as f64 / 9.0).sin() + (y as f64 / 7.0).cos();
        let scale = 3.0 * (-(channel as f64) / 16.0 + place).exp2();
        let size = -next().ln() * scale;
        let sign = if next() < 0.5 { -1.0 } else { 1.0 };
        ((sign * size).round() as i16).clamp(-REACH, REACH)
    };
    let symbols = (0..channels * area).map(symbol).collect();
    Latent {
        channels,
        width,
        height,
        rate: 2048,
        symbols,
        model,
    }
}

fn frequencies(plane: &[i16]) -> Vec<f64> {
    let mut counts = vec![1.0; 2 * REACH as usize + 1];
    plane
        .iter()
        .for_each(|&symbol| counts[(symbol + REACH) as usize] += 1.0);
    counts
}

fn laplacian(class: usize) -> Vec<f64> {
    let scale = (class as f64 / 4.0 - 4.0).exp2();
    let mass = |value: i16| (-f64::from(value.abs()) / scale).exp() + 1e-6;
    (-REACH..=REACH).map(mass).collect()
}

/// For every symbol the table that its neighbours would suggest.
fn classes(symbols: &[i16], width: usize) -> Vec<usize> {
    let of = |at: usize| {
        let back = |distance: usize| at.checked_sub(distance).map_or(0, |at| symbols[at].abs());
        let scale = f64::from(back(1) + back(width) + back(width - 1)) / 3.0 + 0.1;
        ((scale.log2() + 4.0) * 4.0).clamp(0.0, SCALES as f64 - 1.0) as usize
    };
    (0..symbols.len()).map(of).collect()
}

fn indices(symbols: &[i16]) -> Vec<usize> {
    symbols
        .iter()
        .map(|&symbol| (symbol + REACH) as usize)
        .collect()
}

// Macros, since a function over both of constriction's coders, whose words and precisions differ, would be mostly bounds.

/// Codes plane after plane, each by its own model.
macro_rules! encode_planes {
    ($coder:ident, $symbols:expr, $models:expr, $area:expr) => {{
        let mut coder = $coder::new();
        for (plane, model) in $symbols.chunks($area).zip(&$models).rev() {
            coder
                .encode_iid_symbols_reverse(plane, model)
                .expect("known symbols");
        }
        coder.into_compressed().expect("no failing storage")
    }};
}

/// The sum of the symbols, so that none may be left out.
macro_rules! decode_planes {
    ($coder:ident, $compressed:expr, $models:expr, $area:expr) => {{
        let mut coder = $coder::from_compressed_slice(&$compressed).expect("whole words");
        let mut sum = 0;
        for model in &$models {
            let symbols = coder.decode_iid_symbols($area, model);
            let plane: Vec<usize> = symbols.map(|symbol| symbol.expect("valid")).collect();
            sum += plane.iter().sum::<usize>();
        }
        sum
    }};
}

fn fixed(criterion: &mut Criterion) {
    let latent = latent();
    let (symbols, area, count) = (&latent.symbols, latent.area(), latent.symbols.len());
    let planes = Planes {
        channels: latent.channels,
        length: area,
        stride: area,
    };
    let bound = static_coder::encode_bound(latent.channels, area).expect("a small shape");
    let mut stream = vec![0; bound];
    let written = static_coder::encode(symbols, planes, &mut stream).expect("room");
    let coded = stream[..written].to_vec();
    let mut decoded = vec![0; count];
    let mut group = criterion.benchmark_group("a table a channel");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("static_encode", |bench| {
        bench.iter(|| static_coder::encode(black_box(symbols), planes, &mut stream));
    });
    group.bench_function("static_decode", |bench| {
        bench.iter(|| static_coder::decode(black_box(&coded), &mut decoded, planes));
    });

    let indices = indices(symbols);
    let tables: Vec<Vec<f64>> = symbols.chunks(area).map(frequencies).collect();
    let models: Vec<Categorical> = tables
        .iter()
        .map(|table| {
            Categorical::from_floating_point_probabilities_fast(table, None).expect("a table")
        })
        .collect();
    let encode = || encode_planes!(DefaultAnsCoder, indices, models, area);
    group.bench_function("constriction encode", |bench| bench.iter(encode));
    let compressed = encode();
    group.bench_function("constriction decode", |bench| {
        bench.iter(|| decode_planes!(DefaultAnsCoder, compressed, models, area));
    });
    let small: Vec<SmallCategorical> = tables
        .iter()
        .map(|table| {
            SmallCategorical::from_floating_point_probabilities_fast(table, None).expect("a table")
        })
        .collect();
    let lookups: Vec<SmallLookup> = tables
        .iter()
        .map(|table| {
            SmallLookup::from_floating_point_probabilities_fast(table, None).expect("a table")
        })
        .collect();
    let compressed_small = encode_planes!(SmallAnsCoder, indices, small, area);
    group.bench_function("constriction small lookup decode", |bench| {
        bench.iter(|| decode_planes!(SmallAnsCoder, compressed_small, lookups, area));
    });
    group.finish();
    println!(
        "bytes: static {written}, constriction {}, small {}",
        4 * compressed.len(),
        2 * compressed_small.len()
    );
}

fn by_context(criterion: &mut Criterion) {
    let latent = latent();
    let (model, rate, count) = (&latent.model, latent.rate, latent.symbols.len());
    let band = Band {
        plane_stride: latent.area(),
        width: latent.width,
        height: latent.height,
    };
    let sizes = [(latent.width, latent.height)];
    let mut stream = vec![0; context::encode_bound(model, &sizes).expect("small")];
    let samples = latent.symbols.as_slice();
    let grids = [Grid { band, samples }];
    let written = context::encode(model, rate, &grids, &mut stream).expect("room");
    let coded = stream[..written].to_vec();
    let mut decoded = vec![0; count];
    let mut group = criterion.benchmark_group("a table a symbol");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("context_encode", |bench| {
        bench.iter(|| context::encode(model, rate, black_box(&grids), &mut stream));
    });
    group.bench_function("context_decode", |bench| {
        bench.iter(|| {
            let samples = decoded.as_mut_slice();
            context::decode(
                model,
                rate,
                black_box(&coded),
                &mut [Grid { band, samples }],
            )
        });
    });

    let (indices, classes) = (indices(samples), classes(samples, latent.width));
    let models: Vec<Categorical> = (0..SCALES)
        .map(|class| {
            Categorical::from_floating_point_probabilities_fast(&laplacian(class), None)
                .expect("a table")
        })
        .collect();
    let encode = || {
        let mut coder = DefaultAnsCoder::new();
        let pairs = indices
            .iter()
            .zip(classes.iter().map(|&class| &models[class]));
        coder.encode_symbols_reverse(pairs).expect("known symbols");
        coder.into_compressed().expect("no failing storage")
    };
    group.bench_function("constriction encode", |bench| bench.iter(encode));
    let compressed = encode();
    group.bench_function("constriction decode", |bench| {
        bench.iter(|| {
            let mut coder =
                DefaultAnsCoder::from_compressed_slice(&compressed).expect("whole words");
            let models = classes.iter().map(|&class| &models[class]);
            coder
                .decode_symbols(models)
                .map(|s| s.expect("valid"))
                .sum::<usize>()
        });
    });
    group.finish();
    println!(
        "bytes: context {written}, constriction {}",
        4 * compressed.len()
    );
}

/// The plane coder on slopes with a little noise, exactly and with a step of 5 levels.
fn by_planes(criterion: &mut Criterion) {
    let (width, rows, components) = (384, 256, 3);
    let mut state = 1u32;
    let samples: Vec<u8> = (0..width * rows * components)
        .map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (at / components % width, at / components / width);
            ((x + 2 * y) / 3) as u8 ^ (state >> 29) as u8
        })
        .collect();
    let layout = Layout {
        width,
        rows,
        components,
    };
    let mut stream = vec![0; planes::encode_bound::<u8>(layout).expect("small")];
    let mut decoded = vec![0u8; samples.len()];
    let mut group = criterion.benchmark_group("planes");
    group.throughput(Throughput::Elements(samples.len() as u64));
    for (name, coding) in [
        ("exact", Coding::MaxError(0)),
        ("step 5", Coding::Step(5 * 64)),
    ] {
        let written = planes::encode(&samples, layout, coding, &mut stream).expect("room");
        let coded = stream[..written].to_vec();
        group.bench_function(format!("encode {name}"), |bench| {
            bench.iter(|| planes::encode(black_box(&samples), layout, coding, &mut stream));
        });
        group.bench_function(format!("decode {name}"), |bench| {
            bench.iter(|| planes::decode(black_box(&coded), &mut decoded, layout));
        });
    }
    group.finish();
}

criterion_group! {
    name = coders;
    config = Criterion::default().sample_size(20).without_plots();
    targets = fixed, by_context, by_planes
}
criterion_main!(coders);
