// SPDX-License-Identifier: GPL-2.0

//! What the driver takes the card to be, where `apple_raid_hw.rst` knows of cards that could be
//! otherwise.

use kernel::sizes::SZ_128K;

/// How a slot's bytes 4..8 name the logical unit (A).
#[derive(Clone, Copy, Debug)]
pub(crate) enum LunEncoding {
    /// As one big-endian `u32`.
    U32,
}

/// The card, as far as it is not known for sure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CardModel {
    /// Bytes from one tag's response to the next (A).
    pub(crate) response_stride: usize,
    /// Bytes in a unit of a list index (I).
    pub(crate) list_unit: usize,
    /// How a slot names the logical unit (A).
    pub(crate) lun_encoding: LunEncoding,
}

impl CardModel {
    /// The reference model of `apple_raid_hw.rst`.
    pub(crate) const REFERENCE: Self = Self {
        response_stride: 64,
        list_unit: 64,
        lun_encoding: LunEncoding::U32,
    };

    /// Largest stride of the responses that a card might have: the memory is there for it, so
    /// that a card that differs from the model does no harm.
    pub(crate) const MAX_RESPONSE_STRIDE: usize = 512;

    /// Bytes of region E for each tag: 37 units of 64 bytes, as macOS has it (I).
    pub(crate) const LIST_LEN: usize = 37 * 64;

    /// Segments of a list: the last entry is the zero that ends it.
    pub(crate) const MAX_SEGMENTS: u16 = (Self::LIST_LEN / crate::wire::ENTRY_LEN - 1) as u16;

    /// Longest segment, in bytes: well within 16 bits of 4-byte words (A: 24 or 16).
    pub(crate) const MAX_SEGMENT_SIZE: u32 = SZ_128K as u32;

    /// Bytes 4..8 of a slot.
    pub(crate) fn encode_lun(&self, lun: u64) -> [u8; 4] {
        match self.lun_encoding {
            // CAST: `Limits::max_lun` keeps logical unit numbers small.
            LunEncoding::U32 => (lun as u32).to_be_bytes(),
        }
    }
}
