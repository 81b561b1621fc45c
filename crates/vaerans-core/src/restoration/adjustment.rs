//! What a file may say of its own picture's filter: how strong it is to be, and a small filter that is the same for all classes.
//! An encoder that knows the original finds both by least squares; here it gets the sums for that.

use super::scalar::parts;
use super::{Restoration, RowInput, LEFT, NEAR, SHIFT, WEIGHT_MAX, WIDE};
use crate::error::check_count;
use crate::image::Size;
use crate::Error;

/// Of luma: its share and its pairs near the pixel.
const LUMA: usize = 1 + NEAR.len();
/// Of a colour difference: its share, and pairs near the pixel of luma and of itself.
const COLOUR: usize = 1 + 2 * NEAR.len();
/// In the order of luma, red - blue, 2 green - red - blue.
const LENGTHS: [usize; 3] = [LUMA, COLOUR, COLOUR];

/// Units of a share to one, and of a pair's weight in those of a filter.
const SHARE_UNITS: i32 = 64;
const PAIR_UNITS: i32 = 8;

/// One of every `STEP` pixels of a row is looked at, which ones changes with the row.
const STEP: usize = 8;

/// As the file has it: luma's, then each colour difference's. All zeros change nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adjustment(pub [i8; Adjustment::LENGTH]);

impl Adjustment {
    pub const LENGTH: usize = LUMA + 2 * COLOUR;

    /// Turns the weights of one class.
    pub(super) fn apply(&self, weights: &mut [i16]) {
        let mut all = self.0.as_slice();
        let mut weights = weights;
        for (component, length) in LENGTHS.into_iter().enumerate() {
            let (own, after) = all.split_at(length);
            // Luma's pairs are as many as a difference has of all three components.
            let (part, rest) = weights.split_at_mut(WIDE.len());
            let share = SHARE_UNITS + i32::from(own[0]);
            let mut sums = [0; WIDE.len()];
            for (sum, &weight) in sums.iter_mut().zip(&*part) {
                *sum = (i32::from(weight) * share).div_euclid(SHARE_UNITS);
            }
            for (index, &pair) in own[1..].iter().enumerate() {
                sums[place(component, index)] += PAIR_UNITS * i32::from(pair);
            }
            let most = i32::from(WEIGHT_MAX);
            for (weight, sum) in part.iter_mut().zip(sums) {
                *weight = sum.clamp(-most, most) as i16;
            }
            (all, weights) = (after, rest);
        }
    }
}

/// Which weight of a component a pair of its adjustment is added to.
fn place(component: usize, pair: usize) -> usize {
    if component == 0 {
        return WIDE.iter().position(|at| *at == NEAR[pair]).unwrap_or(0);
    }
    // Luma's pairs come first, then those of both differences.
    if pair < NEAR.len() {
        pair
    } else {
        component * NEAR.len() + pair - NEAR.len()
    }
}

/// Normal equations of an adjustment, added up over as much of a picture as is looked at.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// Of luma and of each difference.
    sums: [Sums; 3],
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Products of features, the lower triangle.
    squares: [[f64; COLOUR]; COLOUR],
    /// Products of features with what is missing.
    products: [f64; COLOUR],
    /// What is missing, squared.
    error: f64,
}

impl Observations {
    /// How many numbers `to_numbers` gives.
    pub const NUMBERS: usize = 3 * (COLOUR * (COLOUR + 1) + 1);

    /// All sums in a fixed order: those of several parts of a picture can be added.
    pub fn to_numbers(&self) -> impl Iterator<Item = f64> + '_ {
        let one = |sums: &'_ Sums| {
            let Sums {
                squares,
                products,
                error,
            } = *sums;
            squares.into_iter().flatten().chain(products).chain([error])
        };
        self.sums.iter().flat_map(one)
    }

    /// Looks at `area` at `at` of a decoded picture that was not filtered, and at the same place of its original.
    pub fn add(
        &mut self,
        filter: &Restoration,
        decoded: &mut [u8],
        original: &[u8],
        size: Size,
        at: (usize, usize),
        area: Size,
    ) -> Result<(), Error> {
        check_count("bytes of RGB", decoded.len(), original.len())?;
        filter.each_row(decoded, size, at, area, |row, input, samples| {
            let start = 3 * ((at.1 + row) * size.width + at.0);
            let wanted = original[start..][..samples.len()].as_chunks::<3>().0;
            let pixels = samples.as_chunks::<3>().0.iter().zip(wanted).enumerate();
            for (x, (got, wanted)) in pixels.skip(3 * row % STEP).step_by(STEP) {
                self.add_pixel(input, x, got, wanted);
            }
        })
    }

    fn add_pixel(&mut self, input: &RowInput<'_>, x: usize, got: &[u8; 3], wanted: &[u8; 3]) {
        let [red, green, blue]: [f64; 3] =
            std::array::from_fn(|channel| f64::from(wanted[channel]) - f64::from(got[channel]));
        let errors = [
            (red + green + blue) / 3.0,
            (red - blue) / 2.0,
            (2.0 * green - red - blue) / 6.0,
        ];
        let parts = parts(input, x).map(|part| f64::from(part) / f64::from(1 << SHIFT));
        let luma = |row: isize, column: isize| {
            input.luma[2_usize.saturating_add_signed(row)][x + LEFT.saturating_add_signed(column)]
        };
        let chroma = |component: usize, row: isize, column: isize| {
            let row = input.chroma[1_usize.saturating_add_signed(row)];
            row[2 * (x + 1_usize.saturating_add_signed(column)) + component - 1]
        };
        let pair = |here: i16, behind: i16, ahead: i16| {
            f64::from(behind + ahead - 2 * here) / f64::from(1 << super::SAMPLE_BITS)
        };
        for (component, sums) in self.sums.iter_mut().enumerate() {
            let mut features = [0.0; COLOUR];
            features[0] = parts[component];
            for (index, &(row, column)) in NEAR.iter().enumerate() {
                features[1 + index] = pair(luma(0, 0), luma(row, column), luma(-row, -column));
                if component > 0 {
                    features[LUMA + index] = pair(
                        chroma(component, 0, 0),
                        chroma(component, row, column),
                        chroma(component, -row, -column),
                    );
                }
            }
            let missing = errors[component] - parts[component];
            for (index, &feature) in features[..LENGTHS[component]].iter().enumerate() {
                for (square, &other) in sums.squares[index][..=index].iter_mut().zip(&features) {
                    *square += feature * other;
                }
                sums.products[index] += feature * missing;
            }
            sums.error += missing * missing;
        }
    }
}
