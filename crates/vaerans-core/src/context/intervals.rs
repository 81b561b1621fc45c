//! What an encoder looks up. It knows every context of a row beforehand, so it finds the intervals of many symbols at
//! once: as places in one list, which has those of small residuals for every node whose cells are single symbols.

use super::classes::{rounded, scale_class, Context, MEAN_CLASSES, WHOLE_CLASSES};
use super::predict::Sums;
use super::tables::TableSet;
use crate::memory::zeros;
use crate::rans::EncodeInterval;
use crate::Error;

/// Residuals of a node in the list: half of them below 0. The first and the last stand for all beyond.
pub const RESIDUALS: usize = 16;

/// Mean fractions of a scale class.
pub const FRACTIONS: usize = 2 * MEAN_CLASSES;

/// The last nodes stand for all with wider cells.
const NODES: usize = (WHOLE_CLASSES + 1) * FRACTIONS;

pub struct EncodeIntervals {
    /// [node][residual], or none.
    intervals: Vec<EncodeInterval>,
}

impl EncodeIntervals {
    pub fn new(tables: &TableSet) -> Result<Self, Error> {
        let mut intervals: Vec<EncodeInterval> = zeros(NODES * RESIDUALS)?;
        let nodes = intervals.as_chunks_mut::<RESIDUALS>().0;
        for (node, places) in nodes[..WHOLE_CLASSES * FRACTIONS].iter_mut().enumerate() {
            let context = Context { node, base: 0 };
            let table = tables.of(context);
            for (place, interval) in places.iter_mut().enumerate().take(RESIDUALS - 1).skip(1) {
                let (index, _) = context.index_of(place as i16 - RESIDUALS as i16 / 2);
                if index < table.escape() {
                    let (start, size) = table.interval(index);
                    *interval = EncodeInterval::new(start, size);
                }
            }
        }
        Ok(Self { intervals })
    }

    /// `None` for symbols beyond the list.
    #[inline(always)]
    pub fn at(&self, place: u16) -> Option<&EncodeInterval> {
        let interval = self.intervals.get(usize::from(place))?;
        (!interval.is_none()).then_some(interval)
    }
}

/// Where in the list the intervals of a row's symbols are.
pub fn find(sums: &Sums, symbols: &[i16], places: &mut [u16]) {
    let sums = sums.scale().iter().zip(sums.mean());
    for ((place, &symbol), (&scale, &mean)) in places.iter_mut().zip(symbols).zip(sums) {
        let class = scale_class(scale).min(WHOLE_CLASSES);
        let (base, fraction) = rounded(mean);
        let half = RESIDUALS as i32 / 2;
        let residual = (i32::from(symbol) - base).clamp(-half, half - 1) + half;
        let node = class * FRACTIONS + fraction as usize;
        *place = (node * RESIDUALS + residual as usize) as u16;
    }
}
