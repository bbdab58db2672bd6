// SPDX-License-Identifier: GPL-2.0

//! Length of a block, by logical unit, as the unit itself last told somebody.
//!
//! A READ or a WRITE counts blocks, and the driver has to know how many bytes that makes before it
//! lets the card see the command. What the disk driver believes is no help: it says 512 before it
//! has asked, and when it could not find out. So the driver reads along when anybody asks a unit
//! for its capacity; the disk driver does so before its first READ, and when the unit says that its
//! capacity has changed.

use crate::wire::CDB_LEN;
use core::num::NonZero;
use kernel::{
    prelude::*,
    sync::atomic::{
        ordering,
        Atomic, //
    },
};

/// Longest block that is believed, in bytes.
const LONGEST: u32 = 64 * 1024;

/// The lengths; 0 is unknown.
pub(crate) struct BlockLengths(KVec<Atomic<u32>>);

impl BlockLengths {
    /// Of `luns` logical units, none of which is known.
    pub(crate) fn new(luns: u64) -> Result<Self> {
        let luns = usize::try_from(luns)?;
        let mut lengths = KVec::with_capacity(luns, GFP_KERNEL)?;
        for _ in 0..luns {
            lengths.push(Atomic::new(0), GFP_KERNEL)?;
        }
        Ok(Self(lengths))
    }

    /// Bytes in a block of a logical unit, if known.
    pub(crate) fn get(&self, lun: u64) -> Option<NonZero<u32>> {
        let length = self.0.get(usize::try_from(lun).ok()?)?;
        NonZero::new(length.load(ordering::Relaxed))
    }

    /// A logical unit said that its blocks have `length` bytes. What makes no sense is ignored.
    pub(crate) fn set(&self, lun: u64, length: u32) {
        if length == 0 || length > LONGEST {
            return;
        }
        self.store(lun, length);
    }

    /// There is another logical unit now, or none.
    pub(crate) fn forget(&self, lun: u64) {
        self.store(lun, 0);
    }

    fn store(&self, lun: u64, length: u32) {
        if let Some(place) = usize::try_from(lun).ok().and_then(|lun| self.0.get(lun)) {
            place.store(length, ordering::Relaxed);
        }
    }
}

/// Where in its data the answer to this command says how long a block is: READ CAPACITY(10) and
/// (16), in SBC-3.
pub(crate) fn length_in_answer(cdb: &[u8]) -> Option<usize> {
    match *cdb.first_chunk::<2>()? {
        [0x25, _] => Some(4),
        [0x9e, action] if action & 0x1f == 0x10 && cdb.len() == CDB_LEN => Some(8),
        _ => None,
    }
}
