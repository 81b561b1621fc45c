//! What the targets share: from a fuzzer's bytes to shapes, symbols and context models, all bounded, so that no input
//! takes long for being large.

#[path = "../../crates/vaerans-core/tests/support/toy_context.rs"]
pub mod toy_context;
#[path = "../../crates/vaerans-core/tests/support/toy_noise.rs"]
pub mod toy_noise;

use vaerans_core::context::{self, Band, ContextModel, Grid, SIDE_MAX};
use vaerans_core::planes::Layout;
use vaerans_core::Error;

/// Most symbols of most inputs.
const SYMBOLS_MAX: usize = 1 << 11;
/// Most symbols of the others, which have four lanes.
const SYMBOLS_MAX_LARGE: usize = 1 << 16;

/// Reads numbers off the front of a fuzzer's bytes; past the end they are 0.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(length.min(self.0.len()));
        self.0 = tail;
        head
    }

    /// Width and height of planes of `channels`; one input in thirty-two is large.
    pub fn shape(&mut self, channels: usize) -> (usize, usize) {
        let large = self.byte() % 32 == 31;
        let area = (if large {
            SYMBOLS_MAX_LARGE
        } else {
            SYMBOLS_MAX
        }) / channels;
        let side =
            |wanted: u16, most: usize| (1 + usize::from(wanted)).min(most.clamp(1, SIDE_MAX));
        let width = side(self.u16(), area);
        let height = side(self.u16(), area / width);
        (width, height)
    }

    /// `length` symbols: two bytes each, a byte each, or zeros skipped between bytes; zeros or the same again after the
    /// last byte.
    pub fn symbols(&mut self, length: usize) -> Vec<i16> {
        let style = self.byte();
        let bytes = self.bytes(2 * length);
        let mut symbols: Vec<i16> = match style % 3 {
            0 => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&two| i16::from_le_bytes(two))
                .collect(),
            1 => bytes.iter().map(|&byte| i16::from(byte as i8)).collect(),
            _ => {
                let mut sparse = Vec::new();
                for [skip, value] in bytes.as_chunks().0 {
                    sparse.resize((sparse.len() + usize::from(*skip)).min(length), 0);
                    sparse.push(i16::from(*value as i8));
                }
                sparse
            }
        };
        symbols.truncate(length);
        let given = symbols.len();
        let again = style >= 128 && given > 0;
        (given..length).for_each(|at| symbols.push(if again { symbols[at - given] } else { 0 }));
        symbols
    }

    /// Shape of a band of the plane coder.
    pub fn planes(&mut self) -> Layout {
        let components = 1 + usize::from(self.byte()) % 4;
        let (width, rows) = self.shape(components);
        Layout {
            width,
            rows,
            components,
        }
    }

    /// Where a band lies in every grid of a model, a cell of a coarser grid having one to three places to a side.
    pub fn bands(&mut self, model: &ContextModel) -> Vec<Band> {
        let [coarsest, finer @ ..] = model.grids() else {
            return Vec::new();
        };
        let ratio = if finer.is_empty() {
            1
        } else {
            1 + usize::from(self.byte() % 3)
        };
        let finer: usize = finer.iter().map(|grid| grid.channels()).sum();
        let (width, height) = self.shape(coarsest.channels() + ratio * ratio * finer);
        let band = |ratio: usize| Band {
            plane_stride: ratio * ratio * width * height,
            width: ratio * width,
            height: ratio * height,
        };
        [1, ratio].map(band)[..model.grids().len()].to_vec()
    }

    /// A context model: a file as it is in the input, or a sound one of one or two grids, with
    /// networks and adapting scales or without, with some bytes changed.
    pub fn model(&mut self) -> Option<ContextModel> {
        let style = self.byte();
        if style >= 192 {
            let length = usize::from(self.u16());
            return ContextModel::parse(self.bytes(length)).ok();
        }
        let channels = [1, 2, 4, 5, 7, 16, 33, 96][usize::from(style % 8)];
        let mut grids = vec![toy_context::model_file(channels)];
        if style / 8 % 2 == 1 {
            grids.push(toy_context::grid_file(1 + channels / 2, channels));
        }
        let extend = [|grid| grid, toy_context::with_net, toy_context::adapting, toy_context::with_all]
            [usize::from(style / 16 % 4)];
        grids = grids.into_iter().map(extend).collect();
        let mut file = grids.concat();
        for _ in 0..style / 32 {
            let at = (usize::from(self.u16()) << 8 | usize::from(self.byte())) % file.len();
            file[at] = self.byte();
        }
        ContextModel::parse(&file).ok()
    }
}

/// Symbols of every grid, in their bands.
pub fn grids<'a>(symbols: &'a [Vec<i16>], bands: &[Band]) -> Vec<Grid<&'a [i16]>> {
    let pairs = symbols.iter().zip(bands);
    pairs
        .map(|(symbols, &band)| Grid {
            band,
            samples: symbols.as_slice(),
        })
        .collect()
}

/// What the context coder makes of all grids, within its bound.
pub fn encoded(model: &ContextModel, rate: u32, symbols: &[Vec<i16>], bands: &[Band]) -> Vec<u8> {
    let sizes: Vec<_> = bands.iter().map(|band| (band.width, band.height)).collect();
    let mut bytes = vec![0; context::encode_bound(model, &sizes).expect("small")];
    let grids = grids(symbols, bands);
    let written = context::encode(model, rate, &grids, &mut bytes).expect("the bound suffices");
    bytes.truncate(written);
    bytes
}

/// The context coder's decoder, into all grids.
pub fn decode(
    model: &ContextModel,
    rate: u32,
    bytes: &[u8],
    symbols: &mut [Vec<i16>],
    bands: &[Band],
) -> Result<(), Error> {
    let pairs = symbols.iter_mut().zip(bands);
    let mut grids: Vec<Grid<&mut [i16]>> = pairs
        .map(|(symbols, &band)| Grid {
            band,
            samples: symbols.as_mut_slice(),
        })
        .collect();
    context::decode(model, rate, bytes, &mut grids)
}
