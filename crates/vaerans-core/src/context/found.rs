//! What a grid's symbols are coded by, found from its first symbol to its last, as what adapts and learns asks for it; rANS
//! takes the last one first.

use super::classes::PackedContext;
use super::contexts::Contexts;
use super::grid::{rows_of, Coarse, Grid};
use super::intervals::EncodeIntervals;
use super::model::RateModel;
use super::residual;
use super::tables::TableSet;
use crate::memory::zeros;
use crate::rans::{State, WordWriter};
use crate::Error;

pub struct Found<'a> {
    tables: &'a TableSet,
    intervals: EncodeIntervals,
    /// Of every symbol, [row][living channel][column].
    places: Vec<u16>,
    /// Contexts of those that the list of intervals does not have, in the symbols' order.
    beyond: Vec<PackedContext>,
}

impl<'a> Found<'a> {
    pub fn new(
        model: &'a RateModel<'_>,
        grid: Grid<&[i16]>,
        before: Option<Grid<&[i16]>>,
        living: &[usize],
    ) -> Result<Self, Error> {
        let Grid { band, samples } = grid;
        let mut found = Self {
            tables: model.tables,
            intervals: EncodeIntervals::new(model.tables)?,
            places: zeros(living.len() * band.area())?,
            beyond: Vec::new(),
        };
        // No more than all of them: asked for, not touched.
        let room = found.beyond.try_reserve_exact(found.places.len());
        room.map_err(|_| Error::OutOfMemory)?;
        let mut rows = rows_of(model, band)?;
        let mut coarse = Coarse::new(model, band, before)?;
        let mut contexts = Contexts::new(model, &rows)?;
        let mut places = found.places.chunks_exact_mut(band.width);
        for row in 0..band.height {
            rows.enter(row);
            if let Some(coarse) = &mut coarse {
                coarse.store(&mut rows, model.channels.len(), row);
            }
            contexts.enter(&rows);
            for (&channel, places) in living.iter().zip(&mut places) {
                let symbols = &samples[band.row(channel, row)];
                rows.store(channel, symbols);
                rows.sum_ring(channel);
                contexts.know(&rows, channel, symbols);
                places.copy_from_slice(contexts.places());
                for (&place, context) in places.iter().zip(contexts.of_known()) {
                    if found.intervals.at(place).is_none() {
                        found.beyond.push(context.packed());
                    }
                }
            }
        }
        Ok(found)
    }

    /// Puts all symbols, the last one first.
    pub fn put<const LANES: usize>(
        mut self,
        states: &mut [State; LANES],
        words: &mut WordWriter<'_>,
        Grid { band, samples }: Grid<&[i16]>,
        living: &[usize],
    ) {
        let all = std::mem::take(&mut self.places);
        let mut all = all.chunks_exact(band.width);
        for row in (0..band.height).rev() {
            for &channel in living.iter().rev() {
                let symbols = &samples[band.row(channel, row)];
                let places = all.next_back().unwrap_or_default();
                let (groups, tail) = places.as_chunks::<LANES>();
                let (symbol_groups, tail_symbols) = symbols.as_chunks::<LANES>();
                for (lane, (&place, &symbol)) in tail.iter().zip(tail_symbols).enumerate().rev() {
                    self.put_symbol(&mut states[lane], words, place, symbol);
                }
                for (places, symbols) in groups.iter().zip(symbol_groups).rev() {
                    for lane in (0..LANES).rev() {
                        self.put_symbol(&mut states[lane], words, places[lane], symbols[lane]);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn put_symbol(
        &mut self,
        state: &mut State,
        words: &mut WordWriter<'_>,
        place: u16,
        symbol: i16,
    ) {
        match self.intervals.at(place) {
            Some(interval) => state.put_steadily(interval, words),
            None => {
                let context = self.beyond.pop().unwrap_or_default().unpacked();
                residual::put(state, words, self.tables, context, symbol);
            }
        }
    }
}
