//! Quantises the latents in a file, codes them with the static coder and writes the payload to standard output, so that
//! a test can compare the native build with the WASM one byte for byte.
//!
//! ```text
//! cargo run --release -p vaerans-core --example static_payload -- latents.bin > payload.bin
//! ```
//!
//! The file is little-endian throughout: u32 channels, u32 height, u32 width, f32 gains[channels], then the f32 latents
//! as [channels][height][width]. The payload is decoded again before it is written.

use std::error::Error;
use std::io::Write;

use vaerans_core::quantise::quantise;
use vaerans_core::static_coder::{decode, encode, encode_bound, Planes};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("static_payload: expected the path of a latent file, got none")?;
    let bytes = std::fs::read(path)?;
    let payload = payload(&bytes)?;
    std::io::stdout().lock().write_all(&payload)?;
    Ok(())
}

fn payload(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    const TOO_SHORT: &str =
        "static_payload: expected 12 bytes of header, then gains and latents, got fewer or more";
    let (words, []) = bytes.as_chunks::<4>() else {
        return Err(TOO_SHORT.into());
    };
    let [channels, height, width, numbers @ ..] = words else {
        return Err(TOO_SHORT.into());
    };
    let [channels, height, width] =
        [channels, height, width].map(|&word| u32::from_le_bytes(word) as usize);
    let numbers: Vec<f32> = numbers
        .iter()
        .map(|&word| f32::from_le_bytes(word))
        .collect();
    let (gains, latents) = numbers.split_at_checked(channels).ok_or(TOO_SHORT)?;

    let length = height.checked_mul(width).ok_or(TOO_SHORT)?;
    let planes = Planes {
        channels,
        length,
        stride: length,
    };
    let mut symbols = vec![0i16; latents.len()];
    quantise(latents, &mut symbols, gains, length)?;
    let mut payload = vec![0u8; encode_bound(channels, length).ok_or(TOO_SHORT)?];
    let written = encode(&symbols, planes, &mut payload)?;
    payload.truncate(written);

    let mut decoded = vec![0i16; symbols.len()];
    decode(&payload, &mut decoded, planes)?;
    if decoded != symbols {
        return Err("static_payload: expected the same symbols back, got others".into());
    }
    Ok(payload)
}
