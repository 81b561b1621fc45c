//! The encoder's choice of a law for one channel: the one with the least exact cost that a short search finds. Nothing
//! here concerns a decoder, so the search may change freely.

use crate::log2::log2;
use crate::rans::SCALE_BITS;
use crate::static_table::{
    Law, Table, CENTRES, P_BEYOND, P_ONE, P_POSITIVE, P_ZERO, SCALES, SHAPES, SKEWS,
};
use crate::Error;

/// Costs are in units of 2^-16 bit.
type Cost = u64;
const BIT: Cost = 1 << 16;

/// Raw bits of an escape besides its mantissa: side and class.
const ESCAPE_HEAD_BITS: u64 = 5;

/// How often each value occurs.
#[derive(Default)]
pub struct Histogram {
    low: i32,
    counts: Vec<u32>,
    /// The values that occur, ascending: the search goes over them some forty times, and one value far out makes
    /// `counts` long.
    values: Vec<i16>,
    total: u64,
}

impl Histogram {
    /// Counts `symbols`, of which there is at least one, instead of what was counted before.
    pub fn count(&mut self, symbols: &[i16]) -> Result<(), Error> {
        let mut low = i16::MAX;
        let mut high = i16::MIN;
        for &symbol in symbols {
            low = low.min(symbol);
            high = high.max(symbol);
        }
        self.low = i32::from(low);
        self.total = symbols.len() as u64;
        let length = (i32::from(high) - self.low).max(0) as usize + 1;
        self.counts.clear();
        self.values.clear();
        self.counts
            .try_reserve(length)
            .and_then(|()| self.values.try_reserve(length.min(symbols.len())))
            .map_err(|_| Error::OutOfMemory)?;
        self.counts.resize(length, 0);
        for &symbol in symbols {
            if let Some(count) = self.counts.get_mut((i32::from(symbol) - self.low) as usize) {
                *count += 1;
            }
        }
        let counted = (low..=high).zip(&self.counts);
        let occurring = counted.filter(|&(_, &count)| count > 0);
        self.values.extend(occurring.map(|(value, _)| value));
        Ok(())
    }

    /// (value, count) of the values that occur, ascending.
    fn entries(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.values.iter().map(|&value| {
            let value = i32::from(value);
            (value, u64::from(self.counts[(value - self.low) as usize]))
        })
    }

    fn entropy(&self) -> Cost {
        let whole = log2(self.total);
        self.entries()
            .map(|(_, count)| count * (whole - log2(count)))
            .sum()
    }
}

/// Cost of an event with a probability in units of 2^-16.
fn cost_of(probability: u32) -> Cost {
    16 * BIT - log2(u64::from(probability))
}

/// The index of the grid's entry p that codes `yes` events of probability p and `no` others for least.
fn best_binary(grid: &[u32], yes: u64, no: u64) -> u32 {
    let cost = |&(_, &p): &(usize, &u32)| yes * cost_of(p) + no * cost_of((1 << 16) - p);
    let best = grid.iter().enumerate().min_by_key(cost);
    best.map_or(0, |(index, _)| index as u32)
}

/// The peaked law: its four numbers are independent, so each is found by itself.
fn fit_peaked(histogram: &Histogram) -> Law {
    let (mut zeros, mut positives, mut ones, mut steps) = (0, 0, 0, 0);
    for (value, count) in histogram.entries() {
        match value.unsigned_abs() {
            0 => zeros += count,
            1 => ones += count,
            // Escapes end the run of steps; near 100 is where they begin at the latest.
            magnitude => steps += count * u64::from(magnitude.min(100) - 2),
        }
        if value > 0 {
            positives += count;
        }
    }
    let others = histogram.total - zeros;
    Law::Peaked {
        zero: best_binary(&P_ZERO, zeros, others),
        positive: best_binary(&P_POSITIVE, positives, others - positives),
        one: best_binary(&P_ONE, ones, others - ones),
        beyond: best_binary(&P_BEYOND, steps, others - ones),
    }
}

/// A wide law by hill climbing from the mean and the mean deviation.
fn fit_wide(histogram: &Histogram) -> (Law, Cost) {
    let sum: i64 = histogram
        .entries()
        .map(|(value, count)| i64::from(value) * count as i64)
        .sum();
    // The mean and the mean deviation in units of 1/256.
    let total = histogram.total as i64;
    let mean = (sum << 8) / total;
    let deviation: u64 = histogram
        .entries()
        .map(|(value, count)| ((i64::from(value) << 8) - mean).unsigned_abs() * count)
        .sum::<u64>()
        / histogram.total;
    let scale_at = |deviation: u64| {
        // 3 log2(s) + 1, rounded.
        let thirds = 3 * log2(deviation.max(1)) as i64 - 3 * 8 * BIT as i64;
        (((thirds + BIT as i64 / 2) >> 16) + 1).clamp(0, i64::from(SCALES) - 1) as u32
    };
    let centre_at = |scale: u32| {
        // 16 + 4 * mean / s with s in units of 1/256.
        let s = scale_length(scale);
        (16 + (4 * mean + mean.signum() * s / 2) / s).clamp(0, i64::from(CENTRES) - 1) as u32
    };
    let priced = |scale: u32, centre: u32, shape: u32, skew: u32| {
        let law = Law::Wide {
            scale,
            centre,
            shape,
            skew,
        };
        (cost(&Table::new(law), histogram), law)
    };
    // A centre lies at most 4 scales from 0.
    let scale = scale_at(deviation.max(mean.unsigned_abs() / 4));
    let mut best = (0..SHAPES)
        .map(|shape| priced(scale, centre_at(scale), shape, 3))
        .min_by_key(|&(cost, _)| cost)
        .unwrap_or_else(|| priced(scale, 16, 0, 3));
    loop {
        let (before, law) = best;
        let Law::Wide {
            scale,
            centre,
            shape,
            skew,
        } = law
        else {
            break;
        };
        // A change of scale keeps the centre where it is.
        let offset = (i64::from(centre) - 16) * scale_length(scale);
        let moved = |scale: u32| {
            let steps = offset / scale_length(scale);
            (16 + steps).clamp(0, i64::from(CENTRES) - 1) as u32
        };
        let neighbours = [
            (
                scale.saturating_sub(1),
                moved(scale.saturating_sub(1)),
                shape,
                skew,
            ),
            (
                (scale + 1).min(SCALES - 1),
                moved((scale + 1).min(SCALES - 1)),
                shape,
                skew,
            ),
            (scale, centre.saturating_sub(1), shape, skew),
            (scale, (centre + 1).min(CENTRES - 1), shape, skew),
            (scale, centre, (shape + 1) % SHAPES, skew),
            (scale, centre, (shape + SHAPES - 1) % SHAPES, skew),
            (scale, centre, shape, skew.saturating_sub(1)),
            (scale, centre, shape, (skew + 1).min(SKEWS - 1)),
        ];
        for (scale, centre, shape, skew) in neighbours {
            let other = priced(scale, centre, shape, skew);
            if other.0 < best.0 {
                best = other;
            }
        }
        if best.0 == before {
            break;
        }
    }
    (best.1, best.0)
}

/// 2^((scale-1)/3) in units of 1/256, near enough for a search.
fn scale_length(scale: u32) -> i64 {
    const THIRDS: [i64; 3] = [256, 323, 406];
    let exponent = scale as usize + 2;
    ((THIRDS[exponent % 3] << (exponent / 3)) >> 1).max(1)
}

/// What the symbols take with this table.
fn cost(table: &Table, histogram: &Histogram) -> Cost {
    let mut sizes = [0u32; crate::static_table::VALUES_MAX + 1];
    for (size, interval) in sizes.iter_mut().zip(table.intervals()) {
        *size = interval.1;
    }
    let count = table.count() as i64;
    let slot_cost = |size: u32| u64::from(SCALE_BITS) * BIT - log2(u64::from(size));
    let mut bits = histogram.total * u64::from(table.shift()) * BIT;
    for (value, times) in histogram.entries() {
        let index = i64::from(value >> table.shift()) - i64::from(table.low());
        let symbol_cost = if (0..count).contains(&index) {
            slot_cost(sizes[index as usize])
        } else {
            let distance = if index < 0 { -index } else { index - count + 1 };
            let mantissa_bits = u64::from(distance.unsigned_abs().max(1).ilog2());
            slot_cost(sizes[count as usize]) + (ESCAPE_HEAD_BITS + mantissa_bits) * BIT
        };
        bits += times * symbol_cost;
    }
    bits
}

/// No symbol takes more than 31.5 bits with this law: what makes the encoder's bound a promise.
const LAST_RESORT: Law = Law::Peaked {
    zero: 0,
    positive: 3,
    one: 0,
    beyond: 7,
};

/// The law to code these symbols with; they take at most 31.5 bits each.
pub fn fit(histogram: &Histogram) -> Law {
    let peaked = fit_peaked(histogram);
    let peaked_cost = cost(&Table::new(peaked), histogram);
    // A wide law takes some 30 tables to find, so it is tried only where there is something to win.
    let entropy = histogram.entropy();
    if peaked_cost <= entropy + entropy / 128 + 24 * BIT {
        return peaked;
    }
    let (wide, wide_cost) = fit_wide(histogram);
    if peaked_cost.min(wide_cost) > 31 * BIT * histogram.total {
        LAST_RESORT
    } else if wide_cost < peaked_cost {
        wide
    } else {
        peaked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_resort_codes_every_value_in_less_than_32_bits() {
        let table = Table::new(LAST_RESORT);
        for value in i16::MIN..=i16::MAX {
            let mut histogram = Histogram::default();
            histogram.count(&[value]).unwrap();
            assert!(cost(&table, &histogram) <= 63 * BIT / 2, "{value}");
        }
    }

    #[test]
    fn far_centres_are_found() {
        for centre in [-20_000i16, -700, -40, 40, 700, 20_000] {
            let symbols: Vec<i16> = (0..1000).map(|i| centre + (i % 3 - 1)).collect();
            let mut histogram = Histogram::default();
            histogram.count(&symbols).unwrap();
            let bits = cost(&Table::new(fit(&histogram)), &histogram) / BIT / 1000;
            // A scale that reaches the centre is about a quarter of it; beyond 4096 escapes take over.
            let reach = u64::from(centre.unsigned_abs().ilog2());
            assert!(
                bits <= reach + 1 || centre.unsigned_abs() > 4096,
                "{centre}: {bits} bits"
            );
            assert!(bits <= 24, "{centre}: {bits} bits");
        }
    }
}
