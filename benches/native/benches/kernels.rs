//! The kernels of benches/core.mjs on the same shapes, compiled for this machine. `Throughput` counts the bytes that a
//! kernel reads, for the coders the symbols.

use std::hint::black_box;

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use vaerans_core::hadamard::hadamard4;
use vaerans_core::image::{planar_to_rgb8, rgb8_to_planar, Affine, Copy, Size};
use vaerans_core::klt::{klt_forward, klt_inverse};
use vaerans_core::metrics::sum_squared_error;
use vaerans_core::quantise::{dequantise, quantise};
use vaerans_core::static_coder::{decode, encode, encode_bound, Planes};
use vaerans_core::wavelet::{scratch_length, wavelet_forward, wavelet_inverse, Kind};

const PICTURE: Size = Size {
    width: 768,
    height: 512,
};
const SAMPLES: usize = 3 * 768 * 512;
const LATENT: Size = Size {
    width: 96,
    height: 64,
};
const CHANNELS: usize = 32;
const PLANE_LENGTH: usize = 96 * 64;
const COUNT: usize = CHANNELS * PLANE_LENGTH;

/// Numbers from -1 to 1, the same in every run.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / (1u32 << 31) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Many small values and few large ones, each channel at its own scale.
fn latent() -> Vec<f32> {
    let scale = |at: usize| 4.0 - (at / PLANE_LENGTH) as f32 / 8.0;
    let values = noise(2 * COUNT);
    let pairs = values.chunks_exact(2).enumerate();
    pairs
        .map(|(at, pair)| (pair[0].powi(3) + pair[1].powi(3)) * scale(at))
        .collect()
}

fn floats(criterion: &mut Criterion) {
    let values = latent();
    let mut result = vec![0.0; COUNT];
    let mut group = criterion.benchmark_group("floats");
    group.throughput(Throughput::Bytes(4 * COUNT as u64));
    group.bench_function("memcpy", |bench| {
        bench.iter(|| result.copy_from_slice(black_box(&values)));
    });
    group.bench_function("hadamard4", |bench| {
        let run = |data: &mut Vec<f32>| hadamard4(data, CHANNELS, PLANE_LENGTH);
        bench.iter_batched_ref(|| values.clone(), run, BatchSize::LargeInput);
    });
    let mut scratch = vec![0.0; scratch_length(LATENT)];
    for (name, kind) in [("cdf53", Kind::Cdf53), ("haar", Kind::Haar)] {
        for levels in [1, 3] {
            group.bench_function(format!("wavelet_forward {name} x{levels}"), |bench| {
                let run =
                    |data: &mut Vec<f32>| wavelet_forward(kind, data, LATENT, levels, &mut scratch);
                bench.iter_batched_ref(|| values.clone(), run, BatchSize::LargeInput);
            });
            group.bench_function(format!("wavelet_inverse {name} x{levels}"), |bench| {
                let run =
                    |data: &mut Vec<f32>| wavelet_inverse(kind, data, LATENT, levels, &mut scratch);
                bench.iter_batched_ref(|| values.clone(), run, BatchSize::LargeInput);
            });
        }
    }
    let matrix = noise(CHANNELS * CHANNELS);
    let mean = noise(CHANNELS);
    group.bench_function("klt_forward", |bench| {
        bench.iter(|| {
            klt_forward(
                black_box(&values),
                &mut result,
                &mean,
                &matrix,
                PLANE_LENGTH,
            )
        });
    });
    group.bench_function("klt_inverse", |bench| {
        bench.iter(|| {
            klt_inverse(
                black_box(&values),
                &mut result,
                &mean,
                &matrix,
                PLANE_LENGTH,
            )
        });
    });
    let gains = [1.0; CHANNELS];
    let mut symbols = vec![0; COUNT];
    group.bench_function("quantise", |bench| {
        bench.iter(|| quantise(black_box(&values), &mut symbols, &gains, PLANE_LENGTH));
    });
    group.throughput(Throughput::Bytes(2 * COUNT as u64));
    group.bench_function("dequantise", |bench| {
        bench.iter(|| dequantise(black_box(&symbols), &mut result, &gains, PLANE_LENGTH));
    });
    group.finish();
}

fn pictures(criterion: &mut Criterion) {
    let mut picture: Vec<u8> = noise(SAMPLES)
        .iter()
        .map(|x| (128.0 + 127.0 * x) as u8)
        .collect();
    let other: Vec<u8> = picture.iter().rev().copied().collect();
    let mut planes = vec![0.0; SAMPLES];
    let affine = |scale: f32| Affine { scale, bias: 0.0 };
    let mut group = criterion.benchmark_group("pictures");
    group.throughput(Throughput::Bytes(SAMPLES as u64));
    group.bench_function("rgb8_to_planar", |bench| {
        bench.iter(|| {
            let src = black_box(&picture);
            rgb8_to_planar(
                src,
                PICTURE,
                (0, 0),
                &mut planes,
                PICTURE,
                affine(1.0 / 255.0),
            )
        });
    });
    group.throughput(Throughput::Bytes(2 * SAMPLES as u64));
    group.bench_function("sum_squared_error_u8", |bench| {
        bench.iter(|| sum_squared_error(black_box(&picture), &other));
    });
    let whole = Copy {
        src_x: 0,
        src_y: 0,
        dst_x: 0,
        dst_y: 0,
        size: PICTURE,
    };
    group.throughput(Throughput::Bytes(4 * SAMPLES as u64));
    group.bench_function("planar_to_rgb8", |bench| {
        bench.iter(|| {
            let src = black_box(&planes);
            planar_to_rgb8(src, PICTURE, &mut picture, PICTURE, whole, affine(255.0))
        });
    });
    group.finish();
}

fn static_coder(criterion: &mut Criterion) {
    let symbols: Vec<i16> = latent().iter().map(|value| value.round() as i16).collect();
    let planes = Planes {
        channels: CHANNELS,
        length: PLANE_LENGTH,
        stride: PLANE_LENGTH,
    };
    let mut stream = vec![0; encode_bound(CHANNELS, PLANE_LENGTH).expect("a small shape")];
    let written = encode(&symbols, planes, &mut stream).expect("room for the bound");
    let coded = stream[..written].to_vec();
    let mut decoded = vec![0; COUNT];
    let mut group = criterion.benchmark_group("static coder");
    group.throughput(Throughput::Elements(COUNT as u64));
    group.bench_function("static_encode", |bench| {
        bench.iter(|| encode(black_box(&symbols), planes, &mut stream));
    });
    group.bench_function("static_decode", |bench| {
        bench.iter(|| decode(black_box(&coded), &mut decoded, planes));
    });
    group.finish();
}

criterion_group! {
    name = kernels;
    config = Criterion::default().sample_size(20).without_plots();
    targets = floats, pictures, static_coder
}
criterion_main!(kernels);
