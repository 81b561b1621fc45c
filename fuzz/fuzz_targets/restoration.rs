//! Any weights and any adjustment filter a picture without an overflow, in every window of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaerans_core::image::Size;
use vaerans_core::restoration::{Adjustment, Restoration};

const WEIGHTS: usize = 2 * 144 * 36;

fuzz_target!(|data: &[u8]| {
    let Some((head, data)) = data.split_first_chunk::<6>() else {
        return;
    };
    let [width, x, y, rate, extreme, _] = head.map(usize::from);
    let (adjustment, data) = data.split_at(data.len().min(Adjustment::LENGTH));
    let (weights, pixels) = data.split_at(data.len() / 2);
    let mut own = Adjustment::default();
    for (own, &given) in own.0.iter_mut().zip(adjustment) {
        *own = given as i8;
    }
    let mut file = b"VRST\x01\x01".to_vec();
    let mut given = weights.iter().cycle();
    for _ in 0..WEIGHTS {
        let byte = i16::from(*given.next().unwrap_or(&0) as i8).max(-127);
        let weight = if extreme % 2 == 0 {
            32 * byte
        } else {
            4095 * byte.signum()
        };
        file.extend(weight.to_le_bytes());
    }
    let filter = Restoration::at_rate(&file, rate as u32 * 16, &own).expect("a good file");
    let width = 1 + width % 24;
    let height = pixels.len() / 3 / width;
    if height == 0 {
        return;
    }
    let size = Size { width, height };
    let (x, y) = (x % width, y % height);
    let area = Size {
        width: width - x,
        height: height - y,
    };
    let mut rgb = pixels[..3 * width * height].to_vec();
    filter
        .apply(&mut rgb, size, (x, y), area)
        .expect("a window inside");
});
