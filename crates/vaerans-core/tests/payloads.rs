//! The coders' payloads are the bytes that they have always been, in this build too; tests/wasm/payloads.test.ts asks
//! the same of the WASM builds, of the optimised native one and of another processor.

#[path = "support/payloads.rs"]
mod payloads;
#[path = "support/toy_context.rs"]
mod toy_context;
#[path = "support/toy_noise.rs"]
mod toy_noise;

#[test]
fn a_thousand_payloads_are_the_bytes_they_have_always_been() {
    let mut known = include_str!("../../../fixtures/payload-hashes.txt").lines();
    payloads::hashes(1000, |line| assert_eq!(Some(line.as_str()), known.next()));
    assert_eq!(known.next(), None);
}
