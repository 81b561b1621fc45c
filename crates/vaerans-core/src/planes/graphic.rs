//! Whole pixels guessed from what followed the same neighbours before: exact, for drawn pictures, text and screenshots.
//!
//! All components of a pixel are one key. Tables remember which key came after the last pixels around it, under three
//! sizes of neighbourhood; their guesses and the neighbours themselves are offered one after the other, a bit each that
//! says whether it is right. What none of them guessed is spelt out byte by byte. All bits are coded by counters under
//! seven contexts that a mixer weighs.

use super::mix::{code_mixed, pick, tables, Counter, Weights, COUNTERS, START_WEIGHTS};
use super::plane::{Plane, Sample};
use super::range::BitCoder;
use crate::memory::filled;
use crate::Error;

/// Pixels left and right of a row and above the first, of key 0.
const BORDER: usize = 4;

/// Entries of each table of guesses.
const GUESS_BITS: u32 = 16;
const ORDERS: usize = 3;
const COUNT_MAX: u8 = 15;

/// Guesses offered for a pixel, and where they come from: the tables, the pixel before, the pixel above.
const OFFERS: usize = 4;
const SOURCES: usize = ORDERS + 2;

const FLAG_CONTEXTS: usize = 1024;
const SPELL_BITS: u32 = 16;
const LIMIT: u32 = 127;
/// Counters of rows that are the row above again.
const ROW_LIMIT: u32 = 255;

/// What the types of sample need: the value that is spelt as 0, and bytes to spell one.
#[derive(Clone, Copy)]
pub struct Spelling {
    min: i32,
    bytes: usize,
}

impl Spelling {
    pub fn of<S: Sample>() -> Self {
        Spelling {
            min: S::MIN,
            bytes: if S::MAX - S::MIN > 255 { 2 } else { 1 },
        }
    }
}

/// Codes all planes; the encoder finds the samples there, the decoder leaves them. Keys have 16 bits a component.
pub fn code<C: BitCoder>(
    coder: &mut C,
    planes: &mut [Plane],
    spelling: Spelling,
) -> Result<(), Error> {
    let (width, rows) = (planes[0].width(), planes[0].rows());
    let stride = width + 2 * BORDER;
    let mut keys = filled(stride * (rows + 2), 0u64)?;
    let mut model = Model::new(planes.len(), spelling)?;
    let mut row_counters = [Counter::EVEN; 2];
    let mut copied = false;
    for row in 0..rows {
        let start = (row + 2) * stride + BORDER;
        if C::ENCODES {
            for (component, plane) in planes.iter().enumerate() {
                for (key, &value) in keys[start..].iter_mut().zip(plane.row(row)) {
                    *key |= ((value - spelling.min) as u64 & 0xffff) << (16 * component);
                }
            }
        }
        let above = start - stride;
        let is_copy = C::ENCODES && keys[start..start + width] == keys[above..above + width];
        copied = row_counters[usize::from(copied)].code(coder, is_copy, ROW_LIMIT);
        if copied {
            keys.copy_within(above..above + width, start);
            model.missed[..width].fill(false);
        } else {
            for x in 0..width {
                model.pixel(coder, &mut keys, start + x, stride, x);
            }
        }
        // The border goes on as the row ends, and begins as the row above did.
        let last = keys[start + width - 1];
        keys[start + width..start + width + BORDER].fill(last);
        let first = keys[start];
        keys[start + width + BORDER..]
            .iter_mut()
            .take(BORDER)
            .for_each(|key| *key = first);
        if !C::ENCODES {
            for (component, plane) in planes.iter_mut().enumerate() {
                for (value, &key) in plane.row_mut(row).iter_mut().zip(&keys[start..]) {
                    *value = (key >> (16 * component) & 0xffff) as i32 + spelling.min;
                }
            }
        }
        if coder.has_failed() {
            return Err(Error::Corrupt {
                what: "a band as long as its pixels",
            });
        }
    }
    Ok(())
}

fn hash(a: u64, b: u64) -> u64 {
    let mixed = (a ^ b.rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// The `bits` best bits of a hash.
fn top(hash: u64, bits: u32) -> usize {
    (hash.wrapping_mul(0xd6e8_feb8_6659_fd93) >> (64 - bits)) as usize
}

#[derive(Clone, Copy, Default)]
struct Guess {
    key: u64,
    /// 0 where nothing is remembered.
    count: u8,
}

struct Model {
    components: usize,
    spelling: Spelling,
    guesses: Vec<Guess>,
    flags: [Vec<Counter>; COUNTERS],
    flag_weights: Vec<Weights>,
    spelt: [Vec<Counter>; COUNTERS],
    spell_weights: Vec<Weights>,
    /// Whether the pixels of the row before, or of this one so far, had to be spelt.
    missed: Vec<bool>,
    /// One bit for each of the last pixels: was the first offer right.
    history: u32,
}

impl Model {
    fn new(components: usize, spelling: Spelling) -> Result<Self, Error> {
        Ok(Model {
            components,
            spelling,
            guesses: filled(ORDERS << GUESS_BITS, Guess::default())?,
            flags: tables(FLAG_CONTEXTS * OFFERS, &Counter::EVEN)?,
            flag_weights: vec![START_WEIGHTS; OFFERS * SOURCES * 3],
            spelt: tables(1 << SPELL_BITS, &Counter::EVEN)?,
            spell_weights: vec![START_WEIGHTS; 256 * 8],
            missed: filled(65_536 + 1, false)?,
            history: 0,
        })
    }

    fn pixel<C: BitCoder>(
        &mut self,
        coder: &mut C,
        keys: &mut [u64],
        i: usize,
        s: usize,
        x: usize,
    ) {
        let wanted = keys[i];
        let (w, n, nw, ne) = (keys[i - 1], keys[i - s], keys[i - s - 1], keys[i - s + 1]);
        let (ww, nn) = (keys[i - 2], keys[i - 2 * s]);
        let small = hash(hash(w, n), hash(nw, ne));
        let middle = hash(small, hash(ww, nn));
        let large = hash(
            hash(middle, hash(keys[i - s + 2], keys[i - s - 2])),
            hash(
                hash(keys[i - 3], keys[i - s + 3]),
                hash(keys[i - 2 * s + 1], keys[i - 2 * s - 1]),
            ),
        );
        let places = [
            top(large, GUESS_BITS),
            (1 << GUESS_BITS) + top(middle, GUESS_BITS),
            (2 << GUESS_BITS) + top(small, GUESS_BITS),
        ];
        let remembered = places.map(|place| self.guesses[place]);
        let [first, second, third] = remembered;
        let offers = [
            first,
            second,
            third,
            Guess { key: w, count: 1 },
            Guess { key: n, count: 1 },
        ];
        let same = |a: u64, b: u64| usize::from(a == b);
        let pattern = same(w, n)
            | same(n, nw) << 1
            | same(w, nw) << 2
            | same(n, ne) << 3
            | same(w, ww) << 4
            | same(n, nn) << 5;
        let around = usize::from(x > 0 && self.missed[x - 1])
            | usize::from(self.missed[x]) << 1
            | usize::from(self.missed[x + 1]) << 2;

        let mut offered = 0;
        let mut hit = false;
        for (source, &offer) in offers.iter().enumerate() {
            let Guess { key, count } = offer;
            if count == 0
                || offered == OFFERS
                || offers[..source].iter().any(|o| o.count > 0 && o.key == key)
            {
                continue;
            }
            let agreeing = offers[source + 1..]
                .iter()
                .filter(|o| o.count > 0 && o.key == key)
                .count();
            let count = usize::from(count);
            let contexts = [
                (source * 16 + count) * 5 + agreeing,
                source * 64 + pattern,
                source * 64 + (self.history & 63) as usize,
                ((source * 8 + around) * 4 + count.min(3)) * 3 + agreeing.min(2),
                top(hash(w, key), 10),
                top(hash(n, key), 10),
                top(hash(small, key), 10),
            ];
            let slots = contexts.map(|context| context * OFFERS + offered);
            let weights = (offered * SOURCES + source) * 3 + agreeing.min(2);
            hit = code_mixed(
                coder,
                pick(&mut self.flags, slots),
                &mut self.flag_weights[weights],
                LIMIT,
                wanted == key,
            );
            offered += 1;
            if hit {
                keys[i] = key;
                break;
            }
        }
        self.history = self.history << 1 | u32::from(hit && offered == 1);
        self.missed[x] = !hit;
        if !hit {
            keys[i] = self.spell(coder, wanted, w, n);
        }
        let key = keys[i];
        for place in places {
            let guess = &mut self.guesses[place];
            if guess.key == key && guess.count > 0 {
                guess.count = (guess.count + 1).min(COUNT_MAX);
            } else if guess.count > 1 {
                guess.count /= 2;
            } else {
                *guess = Guess { key, count: 1 };
            }
        }
    }

    /// Codes a pixel by its bytes, the high one of a component first.
    fn spell<C: BitCoder>(&mut self, coder: &mut C, wanted: u64, w: u64, n: u64) -> u64 {
        let mut key = 0;
        let mut before = 0u64;
        let mut position = 0;
        for component in 0..self.components {
            for byte in (0..self.spelling.bytes).rev() {
                let shift = 16 * component + 8 * byte;
                let of = |key: u64| key >> shift & 0xff;
                let (here, left, up) = (of(wanted), of(w), of(n));
                let last = before & 0xff;
                let bases = [
                    0,
                    hash(1, left),
                    hash(2, up),
                    hash(3, left << 8 | up),
                    hash(4, last),
                    hash(5, before & 0xffff),
                    hash(6, last << 8 | left),
                ];
                let mut node = 1u64;
                for place in (0..8).rev() {
                    let slots = bases.map(|base| top(hash(base, node << 4 | position), SPELL_BITS));
                    let weights = position as usize % 8 * 256 + node as usize;
                    let one = code_mixed(
                        coder,
                        pick(&mut self.spelt, slots),
                        &mut self.spell_weights[weights],
                        LIMIT,
                        here >> place & 1 == 1,
                    );
                    node = node << 1 | u64::from(one);
                }
                let value = node & 0xff;
                key |= value << shift;
                before = before << 8 | value;
                position += 1;
            }
        }
        key
    }
}
