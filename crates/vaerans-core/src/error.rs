use std::fmt;

/// Why a kernel refused. Lengths are in elements unless the variant says bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Two lengths that have to agree do not, or a count is outside what the kernel takes: a defect of the caller.
    Shape {
        what: &'static str,
        expected: usize,
        got: usize,
    },
    /// A number that came from outside (a manifest, say) is not in its range.
    OutOfRange { what: &'static str },
    /// The stream was not written by this coder for this shape.
    Corrupt { what: &'static str },
    /// The allocator had no room for working memory.
    OutOfMemory,
    /// The caller's output buffer ended before the data did.
    OutputTooSmall { capacity_bytes: usize },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Shape {
                what,
                expected,
                got,
            } => write!(f, "expected {expected} {what}, got {got}"),
            Error::OutOfRange { what } => write!(f, "expected {what}, got a value outside it"),
            Error::Corrupt { what } => write!(f, "expected {what}, got a corrupt stream"),
            Error::OutOfMemory => write!(f, "expected working memory, got none"),
            Error::OutputTooSmall { capacity_bytes } => {
                write!(
                    f,
                    "expected a larger output buffer, got {capacity_bytes} bytes"
                )
            }
        }
    }
}

impl std::error::Error for Error {}

/// `got == expected`, or the error that says which count was wrong.
pub(crate) fn check_count(what: &'static str, expected: usize, got: usize) -> Result<(), Error> {
    if got == expected {
        Ok(())
    } else {
        Err(Error::Shape {
            what,
            expected,
            got,
        })
    }
}

/// `a * b`, or `Shape` when it does not fit a `usize`.
pub(crate) fn product(what: &'static str, a: usize, b: usize) -> Result<usize, Error> {
    a.checked_mul(b).ok_or(Error::Shape {
        what,
        expected: usize::MAX,
        got: a,
    })
}
