// SPDX-License-Identifier: GPL-2.0

//! How the data of a command travels: decided before the card sees the command.
//!
//! Two hazards of the card are closed here.
//!
//! Hazard 1 (O): the card may write some junk behind data-in, always beyond what the CDB asks for;
//! it is taken not to where the data ends on a 512-byte boundary (I). So only whole blocks go
//! straight into the caller's buffer, and only if each segment begins and ends on such a boundary.
//! All other data-in lands in a bounce buffer of the driver, which has room for junk behind it,
//! and is copied.
//!
//! Hazard 2 (A): the card takes direction and length from the CDB alone. So what the CDB moves is
//! always described in full: by the caller's buffer if the lengths are equal, by the bounce buffer
//! if they are not and it is long enough. What neither can describe is refused.
//!
//! Lengths that are no multiple of 4 bytes, which the card rounds up (O), only occur in bounce
//! buffers.

use crate::{
    cdb::{
        self,
        Amount,
        Phase, //
    },
    wire::CDB_LEN, //
};
use core::num::NonZero;

/// Where data-in ends on such a boundary, the card is taken not to write junk behind it (I).
pub(crate) const BOUNDARY: u32 = 512;

/// Longest transfer through a bounce buffer, in bytes. Every allocation length of two bytes fits.
pub(crate) const BOUNCE_MAX: u32 = 124 * 1024;

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
    /// Between the card and the caller's buffer, all of it, if its segments are [`aligned`].
    Direct(Way),
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
    match cdb::phase(cdb).ok_or(Refusal::UnknownCommand)? {
        Phase::None => Ok(Plan::NoData),
        Phase::In(amount) => {
            let wanted = match buffer {
                Buffer::None => 0,
                Buffer::In(len) | Buffer::Either(len) => len,
                Buffer::Out(_) => return Err(Refusal::WrongDirection),
            };
            Ok(match bytes(amount, block_length)? {
                0 => Plan::NoData,
                len if is_direct(amount, len, wanted) => Plan::Direct(Way::In),
                len if len <= BOUNCE_MAX => Plan::Bounce(Way::In, len),
                _ => return Err(Refusal::TooLong),
            })
        }
        Phase::Out(amount) => {
            let offered = match buffer {
                Buffer::None => 0,
                Buffer::Out(len) | Buffer::Either(len) => len,
                Buffer::In(_) => return Err(Refusal::WrongDirection),
            };
            Ok(match bytes(amount, block_length)? {
                0 => Plan::NoData,
                len if offered < len => return Err(Refusal::BufferTooShort),
                len if is_direct(amount, len, offered) => Plan::Direct(Way::Out),
                len if len <= BOUNCE_MAX => Plan::Bounce(Way::Out, len),
                _ => return Err(Refusal::TooLong),
            })
        }
    }
}

/// Whole blocks, exactly as many as the buffer holds.
fn is_direct(amount: Amount, len: u32, buffer: u32) -> bool {
    matches!(amount, Amount::Blocks(_)) && len == buffer && len % BOUNDARY == 0
}

/// Whether a segment begins and ends where the card does not write junk.
pub(crate) fn aligned(address: u64, len: u32) -> bool {
    (address | u64::from(len)) % u64::from(BOUNDARY) == 0
}

/// Decides how data travels that [`plan`] says can go [`Plan::Direct`], once it is known where the
/// caller's buffer of `len` bytes lies: its segments, each an address and a length.
///
/// The block layer makes no requests whose segments are not [`aligned`]. If one comes, it is
/// bounced.
pub(crate) fn route(
    way: Way,
    len: u32,
    mut segments: impl Iterator<Item = (u64, u32)>,
) -> Result<Plan, Refusal> {
    if segments.all(|(address, len)| aligned(address, len)) {
        Ok(Plan::Direct(way))
    } else if len <= BOUNCE_MAX {
        Ok(Plan::Bounce(way, len))
    } else {
        Err(Refusal::TooLong)
    }
}
