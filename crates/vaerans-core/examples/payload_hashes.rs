//! Codes a thousand random latents and a hundred pictures and back and prints the hashes of the payloads, for builds and machines to compare:
//!
//! ```text
//! cargo run --release -p vaerans-core --example payload_hashes > fixtures/payload-hashes.txt
//! ```

#[path = "../tests/support/payloads.rs"]
mod payloads;
#[path = "../tests/support/toy_context.rs"]
mod toy_context;
#[path = "../tests/support/toy_noise.rs"]
mod toy_noise;

fn main() {
    payloads::hashes(1000, |line| println!("{line}"));
}
