//! The context coder: each symbol's mean and scale are integer sums over symbols decoded before it.
//!
//! Order: rows from the top; in a row the living channels; in a channel the columns. So a symbol
//! knows its own channel's causal 5x5 half plane, earlier channels at its place, and their five
//! neighbours west, east and above (what the three below would add is worth 0.3 % of the file,
//! and waiting for them would keep a hundred rows in flight).
//!
//! A model may have two latent grids, the coarse one first. The finer grid then knows for each of its places the cell of
//! the coarser grid that it lies in; to its sums the coarser grid's channels are channels that come before its own.
//!
//! Nothing is stored per file but the coder's states and which channels are all zero: the sums
//! choose one of the model's tables (`classes`), the table's 14-bit probabilities drive an rANS
//! coder (`crate::rans`), and what no table holds follows as raw bits in the same words (`residual`).

mod adaptation;
mod choose;
mod classes;
mod coder;
mod contexts;
mod cost;
pub mod fit;
mod found;
mod grid;
mod input;
mod intervals;
mod learner;
mod model;
mod near;
mod predict;
mod residual;
mod row_net;
mod rows;
mod tables;
mod trail;

pub use choose::{choose, LAMBDA_MAX};
pub use coder::{decode, encode, encode_bound};
pub use cost::cost;
pub use grid::{Band, Grid};
pub use model::{ContextModel, GridModel};

/// Widest and highest band, in latent samples.
pub const SIDE_MAX: usize = 1 << 15;

/// Most latent grids of a model.
pub const GRIDS_MAX: usize = 2;
