use vaerans_core::Error;

/// What every export returns; `src/wasm/status.ts` mirrors it.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok = 0,
    /// Misaligned, outside the arena, overlapping, zero where that is not allowed, or counts that do not agree.
    BadArgument = -1,
    OutOfMemory = -2,
    CorruptStream = -3,
    OutputTooSmall = -4,
    OutOfRange = -5,
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Shape { .. } => Status::BadArgument,
            Error::OutOfMemory => Status::OutOfMemory,
            Error::Corrupt { .. } => Status::CorruptStream,
            Error::OutputTooSmall { .. } => Status::OutputTooSmall,
            Error::OutOfRange { .. } => Status::OutOfRange,
        }
    }
}
