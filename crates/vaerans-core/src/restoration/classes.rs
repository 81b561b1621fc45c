//! The class of a pixel: direction, strength and coherence of the edge that it lies on, by the structure tensor of the 5x5
//! around it (sums of products of the slopes). Comparisons stand for the arc tangent and the roots that RAISR takes.

use super::{KEPT, LEFT, REACH};
use crate::memory::zeros;
use crate::Error;

const DIRECTIONS: usize = 8;
/// Sums of squared slopes, in quarters of a level over two samples, above which a class is stronger.
const STRENGTH_BOUNDS: [i32; 5] = [6_400, 25_000, 80_000, 250_000, 900_000];
const COHERENCES: usize = 3;
pub const CLASSES: usize = DIRECTIONS * (STRENGTH_BOUNDS.len() + 1) * COHERENCES;

/// Three planes of products: across squared, down squared, across times down.
type Products = [Vec<i32>; 3];

/// Sums of products of the rows that are near.
pub struct ClassRows {
    /// Of a row's slopes.
    rows: [Products; KEPT],
    /// Of five rows, with their edges repeated to both sides.
    columns: Products,
    /// Of the 5x5 around every pixel.
    squares: Products,
    entered: usize,
}

impl ClassRows {
    pub fn new(width: usize) -> Result<Self, Error> {
        let mut new = Self {
            rows: Default::default(),
            columns: Default::default(),
            squares: Default::default(),
            entered: 0,
        };
        for plane in new.rows.iter_mut().flatten().chain(&mut new.squares) {
            *plane = zeros(width)?;
        }
        for plane in &mut new.columns {
            *plane = zeros(width + 2 * REACH)?;
        }
        Ok(new)
    }

    /// Writes the class of every pixel of a row to `classes`; rows are asked for from the top.
    pub fn classify<'a>(
        &mut self,
        row: usize,
        height: usize,
        luma: impl Fn(usize) -> &'a [i16],
        classes: &mut [i32],
    ) {
        while self.entered < height.min(row + REACH + 1) {
            let at = self.entered;
            let (above, below) = (at.saturating_sub(1), (at + 1).min(height - 1));
            self.enter(at, luma(above), luma(at), luma(below));
        }
        let near = |by: isize| row.saturating_add_signed(by).min(height - 1) % KEPT;
        let rows: [&Products; 5] =
            std::array::from_fn(|index| &self.rows[near(index as isize - 2)]);
        let width = classes.len();
        for (plane, (sums, squares)) in self.columns.iter_mut().zip(&mut self.squares).enumerate() {
            let [a, b, c, d, e] = rows.map(|products| &products[plane][..width]);
            let own = &mut sums[REACH..REACH + width];
            for (index, sum) in own.iter_mut().enumerate() {
                *sum = a[index] + b[index] + c[index] + d[index] + e[index];
            }
            let (first, last) = (own[0], own[width - 1]);
            sums[..REACH].fill(first);
            sums[REACH + width..].fill(last);
            let [a, b, c, d, e] = std::array::from_fn(|column| &sums[column..column + width]);
            for (index, square) in squares[..width].iter_mut().enumerate() {
                *square = a[index] + b[index] + c[index] + d[index] + e[index];
            }
        }
        let [across, down, both] = self.squares.each_ref().map(|sums| &sums[..width]);
        for (index, class) in classes.iter_mut().enumerate() {
            *class = class_of(across[index], down[index], both[index]);
        }
    }

    fn enter(&mut self, row: usize, above: &[i16], own: &[i16], below: &[i16]) {
        let [across, down, both] = &mut self.rows[row % KEPT];
        let width = across.len();
        let (west, east) = (&own[LEFT - 1..][..width], &own[LEFT + 1..][..width]);
        let (above, below) = (&above[LEFT..][..width], &below[LEFT..][..width]);
        let (across, down, both) = (&mut across[..width], &mut down[..width], &mut both[..width]);
        for index in 0..width {
            let x = i32::from(east[index] - west[index]);
            let y = i32::from(below[index] - above[index]);
            (across[index], down[index], both[index]) = (x * x, y * y, x * y);
        }
        self.entered += 1;
    }
}

/// By sums over 25 pixels; of each the largest is 25 times the square of 1020.
#[inline(always)]
fn class_of(across: i32, down: i32, both: i32) -> i32 {
    // The angle of (p, r) is twice that of the slope.
    let (p, r) = (across - down, 2 * both);
    let sum = across + down;
    let (large, small) = (p.abs().max(r.abs()), p.abs().min(r.abs()));
    // Without branches, so that the compiler makes vectors of it.
    let [right, up, steep, diagonal] =
        [p > 0, r > 0, r.abs() > p.abs(), 5 * small >= 2 * large].map(i32::from);
    let quarter = right * 6 * (1 - up) + (1 - right) * (4 - 2 * up) + 1;
    let straight = steep * (6 - 4 * up) + (1 - steep) * 4 * (1 - right);
    let direction = diagonal * quarter + (1 - diagonal) * straight;
    let strength: i32 = STRENGTH_BOUNDS
        .iter()
        .map(|&bound| i32::from(sum > bound))
        .sum();
    // Eight times the length of (p, r), or nearly; over the sum it is 0 where no direction stands out, and 1 on a straight edge.
    let length = 8 * large + 3 * small;
    let coherence =
        i32::from(4 * length > 15 * (sum + 80)) + i32::from(2 * length > 13 * (sum + 80));
    (direction * (STRENGTH_BOUNDS.len() as i32 + 1) + strength) * COHERENCES as i32 + coherence
}
