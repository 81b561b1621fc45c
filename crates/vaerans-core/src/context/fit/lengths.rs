//! Code lengths of a table set as a function with slopes.

use super::super::classes::{class_position, node_of, Context, MEAN_CLASSES, SCALE_CLASSES};
use super::super::tables::TableSet;

/// Code lengths of a table set in bits, as the gradient needs them.
pub struct CodeLengths {
    /// [table][index], the last index standing for all escapes
    bits: Vec<Vec<f32>>,
}

impl CodeLengths {
    pub fn new(set: &TableSet) -> Self {
        let bits = set.tables().iter().map(|table| {
            let cost = |index| 14.0 - (table.interval(index).1 as f32).log2();
            (0..=table.escape()).map(cost).collect()
        });
        Self {
            bits: bits.collect(),
        }
    }

    fn of(&self, class: usize, mean_node: i32, symbol: i16) -> f32 {
        let half = MEAN_CLASSES as i32;
        let context = Context {
            node: node_of(class, (mean_node + half).rem_euclid(2 * half) as usize),
            base: (mean_node + half).div_euclid(2 * half),
        };
        let (index, _) = context.index_of(symbol);
        let bits = &self.bits[context.table()];
        let escape = bits.len() - 1;
        let cost = if index < escape {
            bits[index]
        } else {
            let beyond = (index.div_ceil(2) - escape.div_ceil(2) + 1) as f32;
            bits[escape] + 2.0 + 2.0 * beyond.log2()
        };
        cost + context.shift() as f32
    }

    /// Bits of a symbol, and their slopes in the scale and in the mean.
    pub fn slopes(&self, scale: f32, mean: f32, symbol: i16) -> (f32, f32, f32) {
        let (class, class_per_scale) = class_position(scale);
        let low = class.floor().clamp(0.0, SCALE_CLASSES as f32 - 2.0);
        let along = (class - low).clamp(0.0, 1.0);
        let nodes = 2.0 * MEAN_CLASSES as f32;
        let node = mean * nodes - 0.5;
        let below = node.floor();
        let across = node - below;
        let (class, below) = (low as usize, below as i32);
        let at = |c: usize, m: i32| self.of(class + c, below + m, symbol);
        let (c00, c01, c10, c11) = (at(0, 0), at(0, 1), at(1, 0), at(1, 1));
        let (lower, upper) = (c00 + (c01 - c00) * across, c10 + (c11 - c10) * across);
        let in_mean = (c01 - c00) * (1.0 - along) + (c11 - c10) * along;
        (
            lower + (upper - lower) * along,
            (upper - lower) * class_per_scale,
            in_mean * nodes,
        )
    }
}
