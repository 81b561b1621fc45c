//! The bare coder: any mixture of intervals and raw bits over any number of lanes comes back, at its ideal size.

use proptest::prelude::*;
use vaerans_core::rans::{EncodeInterval, State, WordReader, WordWriter, SCALE, SCALE_BITS};

#[derive(Clone, Copy, Debug)]
enum Item {
    Interval { start: u32, size: u32 },
    Bits { value: u32, count: u32 },
}

impl Item {
    fn ideal_bits(self) -> f64 {
        match self {
            Item::Interval { size, .. } => f64::from(SCALE_BITS) - f64::from(size).log2(),
            Item::Bits { count, .. } => f64::from(count),
        }
    }
}

fn items() -> impl Strategy<Value = Item> {
    let size = prop_oneof![
        Just(1),
        Just(2),
        Just(3),
        Just(SCALE),
        Just(SCALE - 1),
        1..=SCALE
    ];
    let interval = (size, any::<u32>()).prop_map(|(size, at)| Item::Interval {
        start: at % (SCALE - size + 1),
        size,
    });
    let bits = (0u32..=16, any::<u32>()).prop_map(|(count, value)| Item::Bits {
        value: value & ((1 << count) - 1),
        count,
    });
    prop_oneof![3 => interval, 1 => bits]
}

fn encode(items: &[Item], lanes: usize, buffer: &mut [u8]) -> Option<(Vec<State>, usize)> {
    let mut states = vec![State::START; lanes];
    let mut words = WordWriter::new(buffer);
    for (i, &item) in items.iter().enumerate().rev() {
        let state = &mut states[i % lanes];
        match item {
            Item::Interval { start, size } => {
                state.put(&EncodeInterval::new(start, size), &mut words);
            }
            Item::Bits { value, count } => state.put_bits(value, count, &mut words),
        }
    }
    words.finish().map(|start| (states, start))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_mixture_comes_back(items in prop::collection::vec(items(), 0..300), lanes in 1usize..9) {
        let mut buffer = vec![0; 2 * items.len()];
        let (mut states, start) = encode(&items, lanes, &mut buffer).unwrap();
        let mut words = WordReader::new(&buffer[start..]);
        for (i, &item) in items.iter().enumerate() {
            let state = &mut states[i % lanes];
            *state = State::from_bytes(state.to_bytes());
            match item {
                Item::Interval { start, size } => {
                    prop_assert!((start..start + size).contains(&state.slot()));
                    state.take(start, size, &mut words);
                }
                Item::Bits { value, count } => prop_assert_eq!(state.take_bits(count, &mut words), value),
            }
        }
        prop_assert!(words.is_finished());
        prop_assert!(states.iter().all(|state| state.is_start()));

        if start < buffer.len() {
            let short = buffer.len() - start - 1;
            prop_assert!(encode(&items, lanes, &mut buffer[..short]).is_none());
        }
    }

    #[test]
    fn words_are_read_once_and_then_zero(bytes in prop::collection::vec(any::<u8>(), 0..9)) {
        let mut words = WordReader::new(&bytes);
        for pair in bytes.chunks_exact(2) {
            prop_assert!(!words.is_finished());
            prop_assert_eq!(words.take(), u16::from(pair[0]) | u16::from(pair[1]) << 8);
        }
        prop_assert_eq!(words.is_finished(), bytes.len() % 2 == 0);
        prop_assert_eq!(words.take(), 0);
        prop_assert!(words.is_overread() && !words.is_finished());
    }
}

#[test]
fn sizes_are_ideal_to_a_thousandth() {
    let mut seed = 1u32;
    let items: Vec<Item> = (0..100_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Sizes as they come: interval k of a table is hit in proportion to its size.
            let slot = seed >> 18;
            let (start, size) = [(0, 12_000), (12_000, 4_000), (16_000, 383), (16_383, 1)]
                .into_iter()
                .find(|&(start, size)| slot < start + size)
                .unwrap();
            Item::Interval { start, size }
        })
        .collect();
    let ideal: f64 = items.iter().map(|item| item.ideal_bits()).sum();
    let mut buffer = vec![0; 2 * items.len()];
    let (_, start) = encode(&items, 4, &mut buffer).unwrap();
    let bits = 8.0 * (buffer.len() - start + 16) as f64;
    assert!(bits < ideal * 1.001 + 4.0 * 32.0, "{bits} against {ideal}");
}

#[test]
fn intervals_that_leave_the_scale_are_brought_into_it() {
    let same = |(start, size), (inside_start, inside_size)| {
        let [given, inside] = [(start, size), (inside_start, inside_size)]
            .map(|(start, size)| EncodeInterval::new(start, size));
        assert_eq!(format!("{given:?}"), format!("{inside:?}"));
    };
    same((5, SCALE), (5, SCALE - 5));
    same((SCALE, 1), (SCALE - 1, 1));
    same((u32::MAX, u32::MAX), (SCALE - 1, 1));
    same((7, 0), (7, 1));
}
