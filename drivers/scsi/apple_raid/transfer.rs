// SPDX-License-Identifier: GPL-2.0

//! How the data of a command travels: decided before the card sees the command.
//!
//! The card takes direction and length from the CDB, and what it does when the descriptor covers
//! less is not known (A, hazard 2 of `apple_raid_hw.rst`). So what the CDB moves is always
//! described in full:
//!
//! - *straight*, in the caller's buffer, if CDB and buffer agree on the length;
//! - through a *bounce* buffer of the driver, if they do not and it is long enough, or if the
//!   driver reads the answer too;
//! - otherwise the command is refused.
//!
//! The card moves units of 8 bytes (K, I). The last 1 to 7 bytes of data that goes straight travel
//! through an 8-byte buffer of the tag, the *tail*:
//!
//! ```text
//!   caller's segments   [ 16 bytes ] [ 13 bytes     ]
//!   entries             [ 16 bytes ] [ 8 bytes ] [ tail, 8 bytes ]
//! ```

use crate::{
    cdb::{
        self,
        Amount,
        Phase, //
    },
    wire::{
        self,
        CDB_LEN,
        UNIT, //
    },
};
use core::num::NonZero;

/// Longest transfer through a bounce buffer, in bytes.
pub(crate) const BOUNCE_MAX: u32 = 128 * 1024;

/// Which way the caller's buffer goes, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// There is none, or its length is 0.
    None,
    /// Data-in is wanted, that many bytes.
    In(u32),
    /// Data-out is offered, that many bytes.
    Out(u32),
    /// The caller does not say which way.
    Either(u32),
}

/// Which way the data goes, by the CDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the card.
    In,
    /// To the card.
    Out,
}

/// How the data travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Not at all.
    NoData,
    /// Between the card and the caller's buffer, all of it.
    Straight(Way),
    /// Through a bounce buffer; the CDB moves that many bytes.
    Bounce(Way, u32),
}

/// Why the card must not see a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What the command moves is not known.
    UnknownCommand,
    /// The CDB moves data the other way than the buffer allows.
    WrongDirection,
    /// The CDB takes more data than the buffer has.
    BufferTooShort,
    /// The CDB and the buffer do not agree, and the difference is too long to bounce.
    TooLong,
    /// The CDB counts blocks, and the logical unit has not told anybody their length yet.
    UnknownBlockLength,
}

impl Refusal {
    /// The reason, for whoever sent the command.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::UnknownCommand => "what it moves is not known",
            Self::WrongDirection => "it moves data the other way",
            Self::BufferTooShort => "it takes more data than the buffer has",
            Self::TooLong => "it moves another length than the buffer has, and too much to copy",
            Self::UnknownBlockLength => "read the capacity first: it counts blocks",
        }
    }
}

/// Bytes that the CDB moves.
fn bytes(amount: Amount, block_length: Option<NonZero<u32>>) -> Result<u32, Refusal> {
    match amount {
        Amount::Bytes(bytes) => Ok(bytes),
        Amount::Blocks(0) => Ok(0),
        Amount::Blocks(blocks) => blocks
            .checked_mul(block_length.ok_or(Refusal::UnknownBlockLength)?.get())
            .ok_or(Refusal::TooLong),
    }
}

/// Decides how the data of a command travels.
pub(crate) fn plan(
    cdb: &[u8; CDB_LEN],
    buffer: Buffer,
    block_length: Option<NonZero<u32>>,
) -> Result<Plan, Refusal> {
    let (way, amount) = match cdb::phase(cdb).ok_or(Refusal::UnknownCommand)? {
        Phase::None => return Ok(Plan::NoData),
        Phase::In(amount) => (Way::In, amount),
        Phase::Out(amount) => (Way::Out, amount),
    };
    let room = match (buffer, way) {
        (Buffer::None, _) => 0,
        (Buffer::In(room), Way::In) | (Buffer::Out(room), Way::Out) => room,
        (Buffer::Either(room), _) => room,
        _ => return Err(Refusal::WrongDirection),
    };
    match bytes(amount, block_length)? {
        0 => Ok(Plan::NoData),
        // User space may write to a buffer of its own at any time. What the driver itself reads
        // must not lie there.
        len if cdb::block_length_in_answer(cdb).is_some() => bounce(way, len),
        len if len == room => Ok(Plan::Straight(way)),
        len if way == Way::Out && len > room => Err(Refusal::BufferTooShort),
        len => bounce(way, len),
    }
}

/// A bounce buffer, where one is long enough.
pub(crate) fn bounce(way: Way, len: u32) -> Result<Plan, Refusal> {
    if len <= BOUNCE_MAX {
        Ok(Plan::Bounce(way, len))
    } else {
        Err(Refusal::TooLong)
    }
}

/// Bytes of a transfer that travel through the tail: 0 to 7.
pub(crate) fn tail_of(len: u32) -> u32 {
    len % UNIT
}

/// Bytes that entries have to cover for a transfer of `len`.
pub(crate) fn covered(len: u32) -> u32 {
    len.next_multiple_of(UNIT)
}

/// The entries of a transfer that goes straight, each passed to `each`: of the caller's segments,
/// given by address and length, and of the tail at `tail`, if there is one.
///
/// `None` if the card cannot be told so. The block layer keeps to the host's alignment, so only a
/// length that is no multiple of [`UNIT`] ends within a unit.
pub(crate) fn entries(
    segments: impl ExactSizeIterator<Item = (u64, u32)>,
    tail: u64,
    mut each: impl FnMut(wire::Entry) -> Option<()>,
) -> Option<()> {
    let last = segments.len().checked_sub(1)?;
    for (n, (address, len)) in segments.enumerate() {
        let rest = if n == last { tail_of(len) } else { 0 };
        if len > rest {
            each(wire::Entry::new(address, len - rest)?)?;
        }
        if rest > 0 {
            each(wire::Entry::new(tail, UNIT)?)?;
        }
    }
    Some(())
}
