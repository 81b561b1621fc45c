//! The contexts of a grid's symbols, row by row: sums, what learns and what adapts, in the order that encoder and decoder
//! share. A row's symbols are known beforehand, or become known from left to right.

use super::adaptation::{Adaptation, Factor};
use super::classes::Context;
use super::intervals;
use super::learner::Learners;
use super::model::RateModel;
use super::predict::Sums;
use super::rows::Rows;
use super::trail::Trail;
use crate::memory::zeros;
use crate::Error;

pub struct Contexts<'a> {
    model: &'a RateModel<'a>,
    sums: Sums,
    learners: Learners,
    adaptation: Adaptation,
    /// Of the row's symbols, in the list of intervals.
    places: Vec<u16>,
    /// The channel that is gone through, and what its scales are multiplied by.
    channel: usize,
    factor: Factor,
    /// Whether the sums have what the row itself adds already.
    is_whole: bool,
}

impl<'a> Contexts<'a> {
    pub fn new(model: &'a RateModel<'a>, rows: &Rows) -> Result<Self, Error> {
        Ok(Self {
            model,
            sums: Sums::new(model, rows)?,
            learners: Learners::new(model, rows.width())?,
            adaptation: Adaptation::new(model)?,
            places: zeros(rows.width())?,
            channel: 0,
            factor: Factor::ONE,
            is_whole: false,
        })
    }

    /// To be called when `rows` has entered a row and before its first channel.
    pub fn enter(&mut self, rows: &Rows) {
        self.sums.enter(self.model, rows);
    }

    /// Begins a channel's row: sums all but what the row itself adds. Channels are to rise.
    pub fn begin(&mut self, rows: &Rows, channel: usize) -> Trail {
        self.channel = channel;
        self.factor = self.adaptation.factor(channel);
        self.is_whole = false;
        self.sums.fill(self.model, rows, channel, self.factor);
        Trail::new(&self.model.channels[channel], self.factor)
    }

    /// Whether contexts of the row that was begun depend on more than its trail: then `next` and `note` have to be called
    /// for every column.
    pub fn learns(&self) -> bool {
        self.learners.place(self.channel).is_some()
    }

    /// The next symbol's context, where all before it are known.
    pub fn next(&mut self, trail: &Trail, column: usize) -> Context {
        let (scale, mean) = (self.sums.scale()[column], self.sums.mean()[column]);
        let (mut scale, mut mean) = trail.sums(scale, mean);
        if let Some(place) = self.learners.place(self.channel) {
            (scale, mean) = self.learners.refine(place, column, scale, mean);
        }
        self.sums.set(column, scale, mean);
        self.is_whole = true;
        Context::of(scale, mean)
    }

    /// Takes note of the symbol at the column of `next`.
    pub fn note(&mut self, trail: &mut Trail, column: usize, symbol: i16) {
        trail.note(symbol);
        if let Some(place) = self.learners.place(self.channel) {
            self.learners.learn(place, column, symbol);
        }
    }

    /// Ends the row, which `rows` has stored.
    pub fn end(&mut self, rows: &Rows, symbols: &[i16]) {
        if let Some(place) = self.learners.place(self.channel) {
            self.learners.end_row(place);
        }
        if self.adaptation.is_on() {
            if !self.is_whole {
                self.sums
                    .add_west(self.model, rows, self.channel, self.factor);
            }
            intervals::find(&self.sums, symbols, &mut self.places);
            self.adaptation.note(self.channel, &self.places);
        }
    }

    /// A whole row of a channel that `rows` has stored: begins it, and ends it.
    pub fn know(&mut self, rows: &Rows, channel: usize, symbols: &[i16]) {
        self.begin(rows, channel);
        self.sums.add_west(self.model, rows, channel, self.factor);
        if let Some(place) = self.learners.place(channel) {
            self.learners.refine_row(place, &mut self.sums, symbols);
        }
        intervals::find(&self.sums, symbols, &mut self.places);
        self.adaptation.note(channel, &self.places);
    }

    /// Of the row that was begun; whole only when it is known.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Contexts of a row that is known.
    pub fn of_known(&self) -> impl Iterator<Item = Context> + '_ {
        let sums = self.sums.scale().iter().zip(self.sums.mean());
        sums.map(|(&scale, &mean)| Context::of(scale, mean))
    }

    /// Where in the list of intervals the symbols of a row are that is known.
    pub fn places(&self) -> &[u16] {
        &self.places
    }
}
