// SPDX-License-Identifier: GPL-2.0

//! How the data of a command travels: decided before the card sees the command.
//!
//! The card takes direction and length from the CDB, and what it does when the descriptor covers
//! less is not known (A, hazard 2 of `apple_raid_hw.rst`). So what the CDB moves is always
//! described in full:
//!
//! ```text
//!   what the CDB moves    [ straight                      | own | beyond   ]
//!   caller's segments     [ 16 bytes ] [ 13 bytes               ]
//!   entries               [ 16 bytes ] [ 8 bytes ] [ 8 bytes ] [ 24 bytes ]
//! ```
//!
//! - *Straight* is what the caller's buffer has room for, in units of 8 bytes, which the card moves
//!   (K, I).
//! - *Own* are the 1 to 7 bytes that are left of that. They travel through memory of the tag. So
//!   does an answer that the driver reads too.
//! - *Beyond* is data-in for which the caller has no room. It goes to a sink, memory whose contents
//!   nobody wants.
//!
//! A command that takes more data than the caller has is refused.

use crate::{
    cdb,
    wire::{
        self,
        CDB_LEN,
        UNIT, //
    },
};
use core::num::NonZero;

/// Bytes of a tag's own memory: the length of the answer to READ CAPACITY(16).
pub(crate) const OWN_LEN: usize = 32;

/// Length of the sink, in bytes.
pub(crate) const SINK_LEN: u32 = 128 * 1024;

/// How the data of a command travels. The parts are in bytes, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) way: cdb::Way,
    /// What the CDB moves.
    pub(crate) len: u32,
    /// What travels between the card and the caller's buffer.
    pub(crate) straight: u32,
    /// What travels through the tag's own memory, at most [`OWN_LEN`].
    pub(crate) own: u32,
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
    /// The CDB moves more than the buffer and the sink have room for.
    TooLong,
    /// The card cannot be told of the buffer's pieces: `blk_rq_append_bio()` lets some pass that
    /// are no whole units.
    Unaligned,
    /// The CDB counts blocks, and the logical unit has not told anybody their length yet.
    UnknownBlockLength,
}

/// Bytes that the CDB moves.
fn bytes(amount: cdb::Amount, block_length: Option<NonZero<u32>>) -> Result<u32, Refusal> {
    match amount {
        cdb::Amount::Bytes(bytes) => Ok(bytes),
        cdb::Amount::Blocks(0) => Ok(0),
        cdb::Amount::Blocks(blocks) => blocks
            .checked_mul(block_length.ok_or(Refusal::UnknownBlockLength)?.get())
            .ok_or(Refusal::TooLong),
    }
}

/// Decides how the data of a command travels; `None` if there is none.
///
/// `offered` is which way the caller's buffer of `room` bytes goes, or `None` if the caller does
/// not say so.
pub(crate) fn plan(
    cdb: &[u8; CDB_LEN],
    offered: Option<cdb::Way>,
    room: u32,
    block_length: Option<NonZero<u32>>,
) -> Result<Option<Transfer>, Refusal> {
    let (way, amount) = cdb::phase(cdb).ok_or(Refusal::UnknownCommand)?;
    let len = bytes(amount, block_length)?;
    if len == 0 {
        return Ok(None);
    }
    if room > 0 && offered.is_some_and(|offered| offered != way) {
        return Err(Refusal::WrongDirection);
    }
    if way == cdb::Way::Out && len > room {
        return Err(Refusal::BufferTooShort);
    }
    let shared = len.min(room);
    let (straight, own) = match cdb::block_length_in_answer(cdb) {
        // User space may write to a buffer of its own at any time. What the driver itself reads
        // must not lie there.
        Some(_) => (0, len.min(OWN_LEN as u32)),
        None => (shared - shared % UNIT, shared % UNIT),
    };
    let transfer = Transfer {
        way,
        len,
        straight,
        own,
    };
    if transfer.beyond() > SINK_LEN {
        return Err(Refusal::TooLong);
    }
    Ok(Some(transfer))
}

impl Transfer {
    /// What goes to the sink, in whole units.
    fn beyond(&self) -> u32 {
        let own = self.own.next_multiple_of(UNIT);
        let beyond = (self.len - self.straight).saturating_sub(own);
        beyond.checked_next_multiple_of(UNIT).unwrap_or(u32::MAX)
    }

    /// The entries of the transfer, each passed to `each`: of the caller's segments, given by
    /// address and length, of the tag's own memory at `own`, and of the `sink`.
    ///
    /// `None` if the card cannot be told so. Most ways through the block layer keep to the host's
    /// alignment, so that only the end of the buffer can lie within a unit.
    pub(crate) fn entries(
        &self,
        segments: impl Iterator<Item = (u64, u32)>,
        own: u64,
        sink: u64,
        mut each: impl FnMut(wire::Entry) -> Option<()>,
    ) -> Option<()> {
        let mut left = self.straight;
        for (address, len) in segments {
            let len = len.min(left);
            if len > 0 {
                each(wire::Entry::new(address, len)?)?;
            }
            left -= len;
        }
        if left > 0 {
            return None;
        }
        for (address, len) in [
            (own, self.own.next_multiple_of(UNIT)),
            (sink, self.beyond()),
        ] {
            if len > 0 {
                each(wire::Entry::new(address, len)?)?;
            }
        }
        Some(())
    }
}
