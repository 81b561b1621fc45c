//! Reads a model's file piece by piece; what is too short or no list of links is refused.

use super::model::{Link, ValueLink, BAD_MODEL, PLACES};
use crate::Error;

pub struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        if self.bytes.len() < length {
            return Err(BAD_MODEL);
        }
        let (head, tail) = self.bytes.split_at(length);
        self.bytes = tail;
        Ok(head)
    }

    pub fn numbers<const COUNT: usize>(&mut self) -> Result<[i16; COUNT], Error> {
        let mut numbers = [0; COUNT];
        let twos = self.take(2 * COUNT)?.chunks_exact(2);
        for (number, b) in numbers.iter_mut().zip(twos) {
            *number = i16::from_le_bytes([b[0], b[1]]);
        }
        Ok(numbers)
    }

    /// Links to `channels` channels, of which the first is numbered `first`.
    pub fn links(&mut self, first: usize, channels: usize) -> Result<Vec<Link>, Error> {
        let count = usize::from(self.take(1)?[0]);
        let mut links: Vec<Link> = Vec::with_capacity(count);
        for b in self.take(3 * count)?.chunks_exact(3) {
            let channel = (first + usize::from(b[0])) as u16;
            let rising = links.last().is_none_or(|last| last.channel < channel);
            if usize::from(b[0]) >= channels || !rising {
                return Err(BAD_MODEL);
            }
            links.push(Link {
                channel,
                weight: i16::from_le_bytes([b[1], b[2]]),
            });
        }
        Ok(links)
    }

    pub fn value_links(&mut self, own_channel: usize) -> Result<Vec<ValueLink>, Error> {
        let mut values = Vec::new();
        for place in PLACES {
            let links = self.links(0, own_channel)?;
            values.extend(links.into_iter().map(|link| ValueLink { place, link }));
        }
        Ok(values)
    }
}
