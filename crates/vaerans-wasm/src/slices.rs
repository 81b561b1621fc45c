//! The one file of this crate with `unsafe`: from offsets that TypeScript sent to slices that Rust may use.
//!
//! TypeScript owns one block of the linear memory, the arena, and nothing else: every range is checked to lie inside it,
//! so no mistake on that side can reach Rust's own heap, stack or constants.
#![allow(unsafe_code)]

use std::alloc::{alloc, dealloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::status::Status;

/// Start of the arena: one cache line, and enough for every element type.
const ARENA_ALIGNMENT: usize = 64;

static ARENA_OFFSET: AtomicU32 = AtomicU32::new(0);
static ARENA_LENGTH: AtomicU32 = AtomicU32::new(0);

/// Replaces the arena by one of `byte_length` bytes and returns its offset, or 0 when the memory cannot be had (there
/// is no arena then). The content is whatever lay there.
pub fn replace_arena(byte_length: u32) -> u32 {
    release_arena();
    let Ok(layout) = Layout::from_size_align(byte_length as usize, ARENA_ALIGNMENT) else {
        return 0;
    };
    if byte_length == 0 {
        return 0;
    }
    // SAFETY: the layout's size is not zero.
    let block = unsafe { alloc(layout) };
    let Ok(offset) = u32::try_from(block.expose_provenance()) else {
        // Only a native build has addresses above 4 GiB; it has no linear memory to hand out.
        // SAFETY: `block` was allocated just above with this layout.
        unsafe { dealloc(block, layout) };
        return 0;
    };
    if offset != 0 {
        ARENA_OFFSET.store(offset, Ordering::Relaxed);
        ARENA_LENGTH.store(byte_length, Ordering::Relaxed);
    }
    offset
}

fn release_arena() {
    let offset = ARENA_OFFSET.swap(0, Ordering::Relaxed);
    let byte_length = ARENA_LENGTH.swap(0, Ordering::Relaxed);
    if offset == 0 {
        return;
    }
    let Ok(layout) = Layout::from_size_align(byte_length as usize, ARENA_ALIGNMENT) else {
        return;
    };
    let block = std::ptr::with_exposed_provenance_mut::<u8>(offset as usize);
    // SAFETY: offset and length are those of the block that `replace_arena` allocated with this layout, and the swap
    // above makes sure that it is freed once. No slice outlives the export that made it.
    unsafe { dealloc(block, layout) };
}

/// Element types that may lie in the arena.
pub trait Element: Copy + sealed::Sealed {}

mod sealed {
    /// # Safety
    /// Every pattern of bits has to be a valid value.
    pub unsafe trait Sealed {}
}

macro_rules! elements {
    ($($type:ty),*) => {$(
        // SAFETY: integers and floats are valid for every pattern of bits.
        unsafe impl sealed::Sealed for $type {}
        impl Element for $type {}
    )*};
}
elements!(u8, u16, i16, u32, i32, f32, f64);

/// Most slices that one export takes.
const CLAIMS_MAX: usize = 6;

#[derive(Clone, Copy)]
struct Claim {
    start: u64,
    end: u64,
    writable: bool,
}

/// The slices of one call: hands out each range of the arena to one writer or to any number of readers.
pub struct Claims {
    claims: Cell<[Option<Claim>; CLAIMS_MAX]>,
}

impl Claims {
    /// # Safety
    /// Only one may exist at a time: it is made by an export and dropped when that returns.
    unsafe fn new() -> Self {
        Claims {
            claims: Cell::new([None; CLAIMS_MAX]),
        }
    }

    /// `count` elements at `byte_offset` to read.
    pub fn read<T: Element>(&self, byte_offset: u32, count: u64) -> Result<&[T], Status> {
        let Some((offset, length)) = self.claim::<T>(byte_offset, count, false)? else {
            return Ok(&[]);
        };
        let pointer = std::ptr::with_exposed_provenance::<T>(offset);
        // SAFETY: `claim` found the range aligned, inside the arena and not lent to a writer of this call; the arena
        // was exposed when it was allocated, every bit pattern is a T, and the slice ends with `self`.
        Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
    }

    /// `count` elements at `byte_offset` to read and write.
    #[allow(clippy::mut_from_ref)] // exclusive by the claim, not by the borrow
    pub fn write<T: Element>(&self, byte_offset: u32, count: u64) -> Result<&mut [T], Status> {
        let Some((offset, length)) = self.claim::<T>(byte_offset, count, true)? else {
            return Ok(&mut []);
        };
        let pointer = std::ptr::with_exposed_provenance_mut::<T>(offset);
        // SAFETY: as in `read`, and no other slice of this call overlaps the range.
        Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
    }

    /// Checks and notes a range; `None` for an empty one.
    fn claim<T: Element>(
        &self,
        byte_offset: u32,
        count: u64,
        writable: bool,
    ) -> Result<Option<(usize, usize)>, Status> {
        let size = size_of::<T>() as u64;
        let start = u64::from(byte_offset);
        let byte_length = count.checked_mul(size).ok_or(Status::BadArgument)?;
        let end = start.checked_add(byte_length).ok_or(Status::BadArgument)?;
        let arena_start = u64::from(ARENA_OFFSET.load(Ordering::Relaxed));
        let arena_end = arena_start + u64::from(ARENA_LENGTH.load(Ordering::Relaxed));
        if arena_start == 0 || !start.is_multiple_of(size) || start < arena_start || end > arena_end
        {
            return Err(Status::BadArgument);
        }
        if count == 0 {
            return Ok(None);
        }
        let mut claims = self.claims.get();
        let clash =
            |other: &Claim| (writable || other.writable) && start < other.end && other.start < end;
        if claims.iter().flatten().any(clash) {
            return Err(Status::BadArgument);
        }
        let free = claims.iter_mut().find(|claim| claim.is_none());
        *free.ok_or(Status::BadArgument)? = Some(Claim {
            start,
            end,
            writable,
        });
        self.claims.set(claims);
        Ok(Some((byte_offset as usize, count as usize)))
    }
}

/// Runs the body of one export and turns its result into the number that TypeScript gets.
pub fn with_claims(body: impl FnOnce(&Claims) -> Result<(), Status>) -> i32 {
    // SAFETY: no body calls an export, and WASM has one thread, so this is the only one.
    let claims = unsafe { Claims::new() };
    match body(&claims) {
        Ok(()) => Status::Ok as i32,
        Err(status) => status as i32,
    }
}
