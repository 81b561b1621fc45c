//! The static coder: what goes in comes out, nothing hostile gets further than an error, and sizes are what they
//! should be.

use proptest::prelude::*;
use vaerans_core::metrics::symbols_entropy_bits;
use vaerans_core::static_coder::{decode, encode, encode_bound, Planes};
use vaerans_core::Error;

/// A generator with a period that no test here comes near.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// From 0 up to, but without, 1.
    fn unit(&mut self) -> f64 {
        f64::from(self.next() & 0x7fff_ffff) / f64::from(1u32 << 31)
    }
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Zero,
    Constant(i16),
    /// Zero but for one in this many symbols.
    Sparse(u32),
    /// Laplace around a centre.
    Laplace(f64, f64),
    /// Sum of uniform numbers around a centre, about Gaussian.
    Gauss(f64, f64),
    Uniform,
    /// Both ends of the range in turn.
    Extremes,
}

fn draw(source: Source, random: &mut Random, index: usize) -> i16 {
    match source {
        Source::Zero => 0,
        Source::Constant(value) => value,
        Source::Sparse(one_in) => {
            let value = [1, -1, 2, 300][random.next() as usize % 4];
            if random.next().is_multiple_of(one_in) {
                value
            } else {
                0
            }
        }
        Source::Laplace(centre, scale) => {
            let sign = if random.next() & 1 == 0 { 1.0 } else { -1.0 };
            (centre - sign * scale * (1.0 - random.unit()).ln()).round() as i16
        }
        Source::Gauss(centre, scale) => {
            let sum: f64 = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
            (centre + scale * sum).round() as i16
        }
        Source::Uniform => random.next() as i16,
        Source::Extremes => [32767, -32767, -32768][index % 3],
    }
}

fn sources() -> impl Strategy<Value = Source> {
    let centre = prop_oneof![Just(0.0), -60.0..60.0f64, -2000.0..2000.0f64];
    prop_oneof![
        2 => Just(Source::Zero),
        1 => any::<i16>().prop_map(Source::Constant),
        2 => (1u32..500).prop_map(Source::Sparse),
        3 => (centre.clone(), 0.05..300.0f64).prop_map(|(c, s)| Source::Laplace(c, s)),
        2 => (centre, 0.05..3000.0f64).prop_map(|(c, s)| Source::Gauss(c, s)),
        1 => Just(Source::Uniform),
        1 => Just(Source::Extremes),
    ]
}

fn packed(channels: usize, length: usize) -> Planes {
    Planes {
        channels,
        length,
        stride: length,
    }
}

fn symbols(sources: &[Source], length: usize, seed: u64) -> Vec<i16> {
    let mut random = Random(seed);
    sources
        .iter()
        .flat_map(|&source| (0..length).map(move |i| (source, i)))
        .map(|(source, i)| draw(source, &mut random, i))
        .collect()
}

fn encoded(symbols: &[i16], planes: Planes) -> Vec<u8> {
    let mut bytes = vec![0xa5; encode_bound(planes.channels, planes.length).unwrap()];
    let length = encode(symbols, planes, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

fn decoded(bytes: &[u8], planes: Planes) -> Result<Vec<i16>, Error> {
    let mut symbols = vec![0x5a5a; planes.channels * planes.length];
    decode(bytes, &mut symbols, planes).map(|()| symbols)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn symbols_of_any_shape_come_back(
        sources in prop::collection::vec(sources(), 0..12), length in 0usize..400, seed in any::<u64>(),
    ) {
        let planes = packed(sources.len(), length);
        let symbols = symbols(&sources, length, seed);
        let bytes = encoded(&symbols, planes);
        prop_assert_eq!(decoded(&bytes, planes), Ok(symbols.clone()));

        // A buffer of just that size does, one byte less does not.
        let mut exact = vec![0; bytes.len()];
        prop_assert_eq!(encode(&symbols, planes, &mut exact), Ok(bytes.len()));
        prop_assert_eq!(&exact, &bytes);
        if let Some((_, short)) = exact.split_last_mut() {
            let refused = encode(&symbols, planes, short);
            prop_assert!(matches!(refused, Err(Error::OutputTooSmall { .. })), "{:?}", refused);
        }
    }

    #[test]
    fn a_band_is_coded_like_the_same_symbols_packed(
        sources in prop::collection::vec(sources(), 1..6), length in 1usize..100, gap in 0usize..50,
        seed in any::<u64>(),
    ) {
        let symbols = symbols(&sources, length, seed);
        let band = Planes { channels: sources.len(), length, stride: length + gap };
        let span = (band.channels - 1) * band.stride + length;
        let mut grid = vec![111i16; span];
        for (channel, plane) in symbols.chunks_exact(length).enumerate() {
            grid[channel * band.stride..][..length].copy_from_slice(plane);
        }
        let bytes = encoded(&grid, band);
        prop_assert_eq!(&bytes, &encoded(&symbols, packed(band.channels, length)));
        let mut target = vec![111i16; span];
        decode(&bytes, &mut target, band).unwrap();
        prop_assert_eq!(target, grid, "what lies between bands is not touched");
    }

    #[test]
    fn every_truncation_and_every_extra_byte_is_refused(
        sources in prop::collection::vec(sources(), 1..5), length in 1usize..40, seed in any::<u64>(),
    ) {
        let planes = packed(sources.len(), length);
        let mut bytes = encoded(&symbols(&sources, length, seed), planes);
        for end in 0..bytes.len() {
            prop_assert!(decoded(&bytes[..end], planes).is_err(), "{end} bytes");
        }
        for extra in [0, 0, 255] {
            bytes.push(extra);
            prop_assert!(decoded(&bytes, planes).is_err());
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        bytes in prop::collection::vec(prop_oneof![2 => any::<u8>(), 1 => Just(0), 1 => Just(255)], 0..300),
        channels in 0usize..20, length in 0usize..300,
    ) {
        let _ = decoded(&bytes, packed(channels, length));
    }

    #[test]
    fn no_tables_make_the_decoder_panic(
        codes in prop::collection::vec(any::<u16>(), 1..4), tail in prop::collection::vec(any::<u8>(), 4..200),
    ) {
        // One byte of bitmap with every channel live, then those tables over words of noise.
        let mut bytes = vec![(1u8 << codes.len()) - 1];
        bytes.extend(codes.iter().flat_map(|code| code.to_le_bytes()));
        bytes.extend(tail);
        let _ = decoded(&bytes, packed(codes.len(), 200));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_bit_flip_ends_in_an_error_or_in_symbols(
        sources in prop::collection::vec(sources(), 1..4), length in 1usize..40, seed in any::<u64>(),
    ) {
        let planes = packed(sources.len(), length);
        let bytes = encoded(&symbols(&sources, length, seed), planes);
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decoded(&damaged, planes);
        }
    }
}

#[test]
fn four_lanes_come_back_for_every_remainder() {
    for length in 65_533..65_541 {
        let planes = packed(2, length);
        let symbols = symbols(&[Source::Zero, Source::Laplace(3.0, 9.0)], length, 7);
        let bytes = encoded(&symbols, planes);
        assert_eq!(decoded(&bytes, planes), Ok(symbols));
        for end in [bytes.len() - 1, bytes.len() - 2, bytes.len() / 2, 18, 3] {
            assert!(decoded(&bytes[..end], planes).is_err());
        }
    }
}

#[test]
fn four_lanes_begin_at_65536_live_symbols() {
    let ones = |channels: usize, length: usize| {
        let mut symbols = vec![1; channels * length];
        symbols.extend(vec![0; length]);
        encoded(&symbols, packed(channels + 1, length)).len()
    };
    for channels in [1, 2, 4] {
        let length = 65_536 / channels;
        let states = ones(channels, length) - ones(channels, length - 1);
        assert!((12..=14).contains(&states), "{states} bytes");
    }
}

#[test]
fn the_bound_is_four_bytes_a_symbol_three_a_channel_and_the_states() {
    assert_eq!(encode_bound(3, 10), Some(3 * (4 * 10 + 3) + 16 + 8));
    assert_eq!(encode_bound(0, 0), Some(16 + 8));
}

/// Sources for which no law fits well, and those whose escapes are longest.
#[test]
fn no_symbols_exceed_the_bound() {
    let awkward = [
        Source::Uniform,
        Source::Extremes,
        Source::Constant(-32768),
        Source::Constant(32767),
        Source::Sparse(2),
        Source::Gauss(32000.0, 100.0),
        Source::Gauss(-32000.0, 3000.0),
        Source::Laplace(20_000.0, 0.3),
    ];
    for source in awkward {
        for length in [1, 2, 7, 1000, 70_000] {
            let planes = packed(1, length);
            let symbols = symbols(&[source], length, 3);
            assert_eq!(decoded(&encoded(&symbols, planes), planes), Ok(symbols));
        }
    }
}

#[test]
fn sizes_stay_near_the_entropy() {
    let length = 20_000;
    // The share by which the stream may exceed the entropy of the counts.
    let expected = [
        (Source::Laplace(0.0, 0.1), 0.02),
        (Source::Laplace(0.0, 0.3), 0.02),
        (Source::Laplace(0.0, 1.0), 0.01),
        (Source::Laplace(0.0, 5.0), 0.01),
        (Source::Laplace(-12.0, 25.0), 0.01),
        (Source::Gauss(0.0, 0.5), 0.02),
        (Source::Gauss(1.4, 2.0), 0.015),
        (Source::Gauss(-20.0, 30.0), 0.015),
        (Source::Gauss(900.0, 400.0), 0.02),
        // A quarter of what is not zero is far off and escapes.
        (Source::Sparse(100), 0.5),
    ];
    for (source, share) in expected {
        let symbols = symbols(&[source], length, 11);
        let bits = 8.0 * encoded(&symbols, packed(1, length)).len() as f64;
        let entropy = symbols_entropy_bits(&symbols, 1, length).unwrap();
        // Bitmap, table, state and the last word.
        let fixed = 8.0 * (1.0 + 2.0 + 4.0 + 2.0);
        let limit = entropy * (1.0 + share) + fixed;
        assert!(bits <= limit, "{source:?}: {bits} bits, entropy {entropy}");
    }
}

#[test]
fn silence_costs_a_bit_a_channel() {
    assert_eq!(encoded(&[0; 96 * 50], packed(96, 50)), [0; 12]);
    assert_eq!(encoded(&[], packed(0, 50)), []);
    assert_eq!(encoded(&[], packed(9, 0)), [0; 2]);
    // A live channel: its table and one state.
    let mut symbols = vec![0; 96 * 50];
    symbols[50 * 40..50 * 41].fill(1);
    assert!(encoded(&symbols, packed(96, 50)).len() <= 12 + 2 + 4 + 4);
}

#[test]
fn wrong_shapes_are_refused() {
    let mut bytes = [0; 100];
    let strided = Planes {
        channels: 2,
        length: 5,
        stride: 4,
    };
    assert!(encode(&[0; 9], strided, &mut bytes).is_err());
    assert!(encode(&[0; 9], packed(2, 5), &mut bytes).is_err());
    assert!(decode(&[0], &mut [0; 9], packed(2, 5)).is_err());
    let huge = packed(usize::MAX, usize::MAX);
    assert!(matches!(
        decode(&[], &mut [], huge),
        Err(Error::Shape { .. })
    ));
    assert_eq!(encode_bound(usize::MAX, 2), None);
}

/// The format: these bytes may change only with the version of the container.
#[test]
fn streams_have_these_bytes() {
    let ramp = |slope: i32| (0..600).map(move |i| (((i * i * slope) >> 7) % 83 - 40) as i16);
    let mut symbols: Vec<i16> = Vec::new();
    // Integers only, so that the test's own symbols are the same everywhere.
    for slope in [1, 3, 17] {
        symbols.extend(ramp(slope));
    }
    symbols.extend((0..600).map(|i| i16::from(i % 37 == 0) - i16::from(i % 59 == 0)));
    symbols.extend([0; 600]);
    symbols.extend((0..600).map(|i| [32767, -32768, 0, 7][i % 4]));
    let bytes = encoded(&symbols, packed(6, 600));
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!((bytes.len(), hash), (2757, 3_067_843_284_190_738_708));
}
