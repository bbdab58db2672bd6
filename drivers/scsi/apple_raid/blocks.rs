// SPDX-License-Identifier: GPL-2.0

//! Length of a block, by logical unit, as the unit itself last told somebody.
//!
//! A READ or a WRITE counts blocks, and the driver has to know how many bytes that makes before it
//! lets the card see the command. What the disk driver believes is no help: it says 512 before it
//! has asked, and when it could not find out. So the driver reads along when anybody asks a unit
//! for its capacity; the disk driver does so before its first READ, and when the unit says that its
//! capacity has changed.

use crate::MAX_LUN;
use core::num::NonZero;
use kernel::sync::atomic::{
    ordering::Relaxed,
    Atomic, //
};

/// Longest block that is believed, in bytes.
const LONGEST: u32 = 64 * 1024;

/// The lengths; 0 is unknown.
pub(crate) struct BlockLengths([Atomic<u32>; MAX_LUN as usize]);

impl BlockLengths {
    pub(crate) fn new() -> Self {
        Self([const { Atomic::new(0) }; MAX_LUN as usize])
    }

    fn of(&self, lun: u64) -> Option<&Atomic<u32>> {
        self.0.get(usize::try_from(lun).ok()?)
    }

    /// Bytes in a block of a logical unit, if known.
    pub(crate) fn get(&self, lun: u64) -> Option<NonZero<u32>> {
        NonZero::new(self.of(lun)?.load(Relaxed))
    }

    /// A logical unit said that its blocks have `length` bytes. What makes no sense is ignored.
    pub(crate) fn set(&self, lun: u64, length: u32) {
        match self.of(lun) {
            Some(place) if (1..=LONGEST).contains(&length) => place.store(length, Relaxed),
            _ => {}
        }
    }

    /// There is another logical unit now, or none.
    pub(crate) fn forget(&self, lun: u64) {
        if let Some(place) = self.of(lun) {
            place.store(0, Relaxed);
        }
    }
}
