//! Where to cut a context model's file.

/// Everywhere before the tables; in those, which are most of a file and all alike, at steps that come to every place of
/// one; and everywhere near the end.
pub fn cuts(file: &[u8]) -> impl Iterator<Item = usize> {
    let length = file.len();
    (0..length).filter(move |end| *end < 2000 || end % 61 == 0 || end + 200 > length)
}
