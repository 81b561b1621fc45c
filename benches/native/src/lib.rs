//! Nothing: benches/kernels.rs is what this crate is for.
