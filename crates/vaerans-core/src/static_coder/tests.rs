use super::*;

/// A stream of one channel whose last symbol is an escape to `value`, which may be none of 16 bits; zeros before it.
fn ending_in(value: i32, length: usize) -> Vec<u8> {
    let law = Law::Peaked {
        zero: 16,
        positive: 3,
        one: 8,
        beyond: 2,
    };
    let table = Table::new(law);
    let model = EncodeModel::new(&table);
    let mut buffer = vec![0; 64 + length];
    let mut words = WordWriter::new(&mut buffer);
    let mut states = [State::START; LANES_MAX];
    let lanes = lane_count(1, length);
    let last = &mut states[(length - 1) % lanes];
    model.encode_escape(value - table.low(), last, &mut words);
    let zeros = vec![0; length - 1];
    if lanes == 1 {
        model.encode_plane::<1>(&zeros, &mut states, &mut words);
    } else {
        model.encode_plane::<LANES_MAX>(&zeros, &mut states, &mut words);
    }
    for state in states[..lanes].iter().rev() {
        words.put_bytes(state.to_bytes());
    }
    let start = words.finish().expect("room");
    [&[1], &law.code().to_le_bytes()[..], &buffer[start..]].concat()
}

#[test]
fn values_of_more_than_16_bits_are_refused_wherever_they_stand() {
    // One lane; four, the symbol in a group of them or in what is left.
    for length in [1, 5, 65_536, 65_537] {
        let planes = Planes {
            channels: 1,
            length,
            stride: length,
        };
        let mut symbols = vec![0; length];
        for value in [-32768, 32767] {
            assert_eq!(
                decode(&ending_in(value, length), &mut symbols, planes),
                Ok(())
            );
            assert_eq!(symbols.last().copied().map(i32::from), Some(value));
        }
        for value in [-32769, 32768, 60_000] {
            let refused = decode(&ending_in(value, length), &mut symbols, planes);
            assert_eq!(refused, Err(BYTES_CORRUPT), "{value} of {length}");
        }
    }
}
