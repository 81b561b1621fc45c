//! A context model and latents made of integers alone, so that they are the same everywhere.

use crate::toy_noise::Noise;

const TABLES: u32 = 448;

/// A model file of one grid that uses every part of the format.
pub fn model_file(channels: usize) -> Vec<u8> {
    grid_file(channels, 0)
}

/// One grid's part of a model file; after a grid of `coarse` channels, where that is not 0.
pub fn grid_file(channels: usize, coarse: usize) -> Vec<u8> {
    let mut noise = Noise::new(channels as u64);
    let mut out = b"VCTX".to_vec();
    let (knots, sets) = (3u8, 2u8);
    out.extend([1 + u8::from(coarse > 0), (channels - 1) as u8, knots, sets]);
    for knot in 0..u32::from(knots) {
        for _ in 0..channels {
            out.extend((100 + noise.next(4000) * (knot * knot + 1)).to_le_bytes());
        }
    }
    for _ in 0..usize::from(knots) * channels {
        out.push(noise.next(256) as u8);
    }
    for channel in 0..channels as u32 {
        for _ in 0..10 {
            out.extend((noise.next(1500) as i16).to_le_bytes());
        }
        for _ in 0..10 {
            out.extend((noise.next(6000) as i16 - 2600).to_le_bytes());
        }
        for list in 0..6 {
            links(&mut out, &mut noise, channel, list < 2);
        }
        if coarse > 0 {
            links(&mut out, &mut noise, coarse as u32, true);
            links(&mut out, &mut noise, coarse as u32, false);
        }
    }
    for _ in 0..sets {
        for table in 0..TABLES {
            table_of_class(&mut out, table / 8, noise.next(20));
        }
    }
    out
}

/// A bare grid's file with a network, whose first layer's sums saturate where there is much to see.
pub fn with_net(file: Vec<u8>) -> Vec<u8> {
    extended(file, Some(&[]), false)
}

/// A bare grid's file whose scales adapt to the band, and of which every third channel learns, up to eight of them.
pub fn adapting(file: Vec<u8>) -> Vec<u8> {
    extended(file, None, true)
}

/// The same with a network that sees the row itself, in up to three groups of channels.
pub fn with_all(file: Vec<u8>) -> Vec<u8> {
    let channels = usize::from(file[5]) + 1;
    let mut starts = [0, channels / 3, 2 * channels / 3]
        .map(|start| start as u8)
        .to_vec();
    starts.dedup();
    extended(file, Some(&starts), true)
}

/// `groups` are those of a network, none for one that does not see the row itself.
fn extended(mut file: Vec<u8>, groups: Option<&[u8]>, adapts: bool) -> Vec<u8> {
    let (channels, knots) = (usize::from(file[5]) + 1, usize::from(file[6]));
    let mut more = Vec::new();
    if let Some(groups) = groups {
        let sees_row = !groups.is_empty();
        if sees_row {
            more.push(groups.len() as u8);
            more.extend(groups);
        }
        more.extend(net(channels, knots, groups.len()));
        file[4] += if sees_row { 10 } else { 2 };
    }
    if adapts {
        let every_third = (0..channels).step_by(3).take(8);
        let learning: Vec<u8> = every_third.map(|channel| channel as u8).collect();
        more.push(learning.len() as u8);
        more.extend(learning);
        file[4] += 4;
    }
    let at = behind_channels(&file);
    file.splice(at..at, more);
    file
}

fn net(channels: usize, knots: usize, groups: usize) -> Vec<u8> {
    let mut noise = Noise::new(77 + channels as u64);
    let mut net = Vec::new();
    let here = if groups > 0 { channels * 5 * 64 } else { 0 };
    let layers = groups.max(1);
    for (count, spread) in [
        (knots * 64, 900),
        (channels * 2 * 5 * 64, 240),
        (here, 240),
        (layers * 32, 900),
        (layers * 32 * 64, 100),
        (channels, 3000),
        (channels * 32, 1200),
    ] {
        for _ in 0..count {
            let weight = noise.next(spread) as i16 - (spread / 2) as i16;
            net.extend(weight.to_le_bytes());
        }
    }
    net
}

/// Where in a grid's file the channels' weights end.
pub fn behind_channels(file: &[u8]) -> usize {
    let (channels, knots) = (usize::from(file[5]) + 1, usize::from(file[6]));
    let lists = if file[4].is_multiple_of(2) { 8 } else { 6 };
    let mut at = 8 + 5 * knots * channels;
    for _ in 0..channels {
        at += 40;
        for _ in 0..lists {
            at += 1 + 3 * usize::from(file[at]);
        }
    }
    at
}

/// Links to about three of so many channels.
fn links(out: &mut Vec<u8>, noise: &mut Noise, channels: u32, positive: bool) {
    let chosen: Vec<u32> = (0..channels).filter(|_| noise.next(channels) < 3).collect();
    out.push(chosen.len() as u8);
    for channel in chosen {
        out.push(channel as u8);
        let weight = noise.next(2000) as i16;
        let weight = if positive { weight } else { weight - 1000 };
        out.extend(weight.to_le_bytes());
    }
}

/// Falling frequencies: the higher the class, the slower they fall and the farther they reach.
fn table_of_class(out: &mut Vec<u8>, class: u32, jitter: u32) {
    let reach = (class / 3).min(20);
    out.push(reach as u8);
    let mut left = 16384;
    for index in 0..2 * reach + 1 {
        let after = 2 * reach + 1 - index;
        let frequency = (left * (240u32.saturating_sub(4 * class) + jitter).max(24) / 264)
            .clamp(1, left - after);
        left -= frequency;
        out.extend((frequency as u16).to_le_bytes());
    }
}

/// Symbols of which `nonzero` of 256 are not zero, most of them small, a few anywhere in i16.
pub fn latents(noise: &mut Noise, length: usize, nonzero: u32, wide: u32) -> Vec<i16> {
    let symbol = |_| {
        if noise.next(256) >= nonzero {
            return 0;
        }
        if noise.next(256) < wide {
            return noise.next(65536) as u16 as i16;
        }
        let mut magnitude = 1;
        while magnitude < 300 && noise.next(3) == 0 {
            magnitude = magnitude * 3 / 2 + 1;
        }
        let sign = 1 - 2 * noise.next(2) as i16;
        sign * magnitude as i16
    };
    (0..length).map(symbol).collect()
}
