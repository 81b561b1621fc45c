//! Everything between the VAE's latent and the bytes of a `.vae` file.
#![forbid(unsafe_code)]
