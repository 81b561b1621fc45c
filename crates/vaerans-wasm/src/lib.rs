//! Exports over offsets: check, slice, call the core.
