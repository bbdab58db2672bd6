// SPDX-License-Identifier: GPL-2.0

//! The card's formats in host memory: command slot, scatter-gather entry, response.
//!
//! Pure functions on bytes, without I/O and without the kernel, so that they compile anywhere and
//! are tested against the bytes of the macOS trace. Everything is big-endian. The marks O, P, I
//! and A are those of `Documentation/scsi/apple_raid_hw.rst`.

use core::num::NonZero;

/// Length of a command slot, in bytes (O).
pub(crate) const SLOT_LEN: usize = 32;

/// Length of the CDB field of a slot, in bytes (O).
pub(crate) const CDB_LEN: usize = 16;

/// Length of a scatter-gather entry and of a data descriptor, in bytes (O).
pub(crate) const ENTRY_LEN: usize = 8;

/// Most sense bytes in a response (O: 0x12).
pub(crate) const SENSE_LEN: usize = 18;

/// Bits of a bus address in an entry (O). The card's window on host memory has only 36 (P).
pub(crate) const ADDRESS_BITS: u32 = 40;

/// Largest count of 4-byte words in an entry. The field has three bytes, of which only the last
/// was ever seen in use (A: 24 or 16 bits): the smaller reading is safe with both.
pub(crate) const MAX_WORDS: u32 = 0xffff;

/// Byte 0 of a slot that is a request (O), and of a response (O).
const REQUEST: u8 = 0x01;
const RESPONSE: u8 = 0x02;

/// Byte 1 of a slot (O: in every command seen).
const REQUEST_FLAGS: u8 = 0x01;

/// Byte 1 of a response: always set (O).
const RESPONSE_DONE: u8 = 0x01;

/// Byte 1 of a response: sense follows (I).
const RESPONSE_SENSE: u8 = 0x04;

/// A scatter-gather entry, or a data descriptor, as the card reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry([u8; ENTRY_LEN]);

impl Entry {
    /// All zero: as a descriptor it means that there is no data (O); it ends a list (A).
    pub(crate) const ZERO: Self = Self([0; ENTRY_LEN]);

    /// An entry of `len` bytes at `address`; the length is rounded up to 4-byte words (O).
    ///
    /// `None` if the address does not fit into 40 bits, or the length is 0 or too long.
    pub(crate) fn new(address: u64, len: u32) -> Option<Self> {
        let words = len.div_ceil(4);
        if address >> ADDRESS_BITS != 0 || words == 0 || words > MAX_WORDS {
            return None;
        }
        Some(Self((address << 24 | u64::from(words)).to_be_bytes()))
    }

    /// An entry at the same address with a count of words that may take all three bytes of the
    /// field, to find out how many the card reads.
    pub(crate) fn with_words(self, words: u32) -> Self {
        let Self([a, b, c, d, e, ..]) = self;
        let [_, high, middle, low] = words.to_be_bytes();
        Self([a, b, c, d, e, high, middle, low])
    }

    /// A descriptor that leads to a list: the index of its first unit in region E (O; unit I).
    ///
    /// Index 0 could not be told from "no data", so there is none.
    pub(crate) fn list(index: NonZero<u16>) -> Self {
        Self((u64::from(index.get()) << 48).to_be_bytes())
    }

    /// The bytes in memory.
    pub(crate) fn to_bytes(self) -> [u8; ENTRY_LEN] {
        self.0
    }
}

/// Builds a command slot.
///
/// `lun` stands in bytes 4..8 (I: place; its encoding is the caller's business). A CDB that is
/// shorter than 16 bytes is padded with zeros (O).
pub(crate) fn slot(
    tag: u16,
    lun: [u8; 4],
    cdb: &[u8; CDB_LEN],
    descriptor: Entry,
) -> [u8; SLOT_LEN] {
    let mut slot = [0; SLOT_LEN];
    let (head, rest) = slot.split_at_mut(8);
    let (middle, tail) = rest.split_at_mut(CDB_LEN);
    let tag = tag.to_be_bytes();
    head.copy_from_slice(&[
        REQUEST,
        REQUEST_FLAGS,
        tag[0],
        tag[1],
        lun[0],
        lun[1],
        lun[2],
        lun[3],
    ]);
    middle.copy_from_slice(cdb);
    tail.copy_from_slice(&descriptor.0);
    slot
}

/// What a response header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Response {
    /// The command is done, with this SCSI status and this many bytes of sense.
    Done {
        /// SCSI status byte.
        status: u8,
        /// Bytes of sense that follow the header; at most [`SENSE_LEN`].
        sense_len: usize,
    },
    /// The header is for this tag, but the rest makes no sense.
    Garbled,
}

/// The header that says that the command with this tag has not been answered yet.
pub(crate) const UNANSWERED: [u8; 8] = [0; 8];

/// Reads the header of a tag's response. `None` as long as there is none: byte 0 and the tag are
/// what tells (O).
pub(crate) fn response(header: [u8; 8], tag: u16) -> Option<Response> {
    let [kind, flags, tag_hi, tag_lo, len_hi, len_lo, status, zero] = header;
    if kind != RESPONSE || u16::from_be_bytes([tag_hi, tag_lo]) != tag {
        return None;
    }
    let sense_len = usize::from(u16::from_be_bytes([len_hi, len_lo]));
    let plausible = match flags {
        RESPONSE_DONE => sense_len == 0,
        f if f == RESPONSE_DONE | RESPONSE_SENSE => sense_len > 0,
        _ => false,
    };
    Some(if plausible && zero == 0 {
        Response::Done {
            status,
            sense_len: sense_len.min(SENSE_LEN),
        }
    } else {
        Response::Garbled
    })
}
