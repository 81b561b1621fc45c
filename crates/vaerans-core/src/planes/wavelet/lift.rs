//! Lifting steps of CDF 9/7 on lines and on rows, in place: low coefficients at even places, high ones at odd.

/// The lifting steps in 2^-14.
const LIFTS: [i32; 4] = [-25_987, -868, 14_466, 7_266];

#[inline(always)]
fn lifted(sum: i32, lift: i32) -> i32 {
    ((i64::from(sum) * i64::from(lift) + (1 << 13)) >> 14) as i32
}

/// Which samples a lifting step changes: odd ones in the first and third.
fn lifting(inverse: bool) -> [(usize, i32); 4] {
    let [a, b, c, d] = LIFTS;
    if inverse {
        [(0, -d), (1, -c), (0, -b), (1, -a)]
    } else {
        [(1, a), (0, b), (1, c), (0, d)]
    }
}

/// The neighbours of `i` among `length` samples, mirrored at the ends.
fn neighbours(i: usize, length: usize) -> (usize, usize) {
    let before = if i == 0 { 1 } else { i - 1 };
    let after = if i + 1 < length { i + 1 } else { i - 1 };
    (before, after)
}

/// One level along a line, in place, or back.
pub fn lift_line(line: &mut [i32], inverse: bool) {
    let length = line.len();
    if length < 2 {
        return;
    }
    for (start, lift) in lifting(inverse) {
        for i in (start..length).step_by(2) {
            let (before, after) = neighbours(i, length);
            let sum = line[before].wrapping_add(line[after]);
            line[i] = line[i].wrapping_add(lifted(sum, lift));
        }
    }
}

/// One level down all columns, in place, or back.
pub fn lift_rows(data: &mut [i32], width: usize, rows: usize, inverse: bool) {
    if rows < 2 {
        return;
    }
    for (start, lift) in lifting(inverse) {
        for row in (start..rows).step_by(2) {
            let (before, after) = neighbours(row, rows);
            let (above, rest) = data.split_at_mut(row * width);
            let (own, below) = rest.split_at_mut(width);
            let line = |at: usize| {
                if at < row {
                    &above[at * width..][..width]
                } else {
                    &below[(at - row - 1) * width..][..width]
                }
            };
            for ((to, &a), &b) in own.iter_mut().zip(line(before)).zip(line(after)) {
                *to = to.wrapping_add(lifted(a.wrapping_add(b), lift));
            }
        }
    }
}
