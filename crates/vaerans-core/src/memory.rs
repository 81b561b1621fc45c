//! Memory that may not be there is asked for, not assumed: lengths that follow from a picture's size may be more than there is.

use crate::Error;

/// `length` times `value`, or `OutOfMemory`.
pub fn filled<T: Clone>(length: usize, value: T) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    all.try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory)?;
    all.resize(length, value);
    Ok(all)
}

/// As `filled`, with a type's zero.
pub fn zeros<T: Clone + Default>(length: usize) -> Result<Vec<T>, Error> {
    filled(length, T::default())
}
