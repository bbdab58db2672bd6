// SPDX-License-Identifier: GPL-2.0

//! The bytes in host memory that host and card talk in: slots, entries, list units,
//! responses.
//!
//! Written from the hardware document alone. The driver has a codec of its own;
//! the two share nothing, so that a mistake in one is not a mistake in both.

use super::params::ListFlag;
use crate::scsi::SENSE_LEN;

/// Length of a slot.
pub const SLOT_LEN: usize = 32;
/// Length of an entry.
pub const ENTRY_LEN: usize = 8;
/// Length of a list unit.
pub const UNIT_LEN: usize = 64;
/// Entries of a list unit.
pub const UNIT_ENTRIES: usize = 7;
/// Length of a response.
pub const RESPONSE_LEN: usize = 32;
/// Where in a response the data or the sense begins.
pub const BODY: usize = 8;
/// Most that can follow there.
pub const MOST_BODY: usize = RESPONSE_LEN - BODY;

/// One piece of host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bus address, 40 bits.
    pub address: u64,
    /// Length in 4-byte words, 24 bits.
    pub words: u32,
}

impl Entry {
    /// Decodes an entry: 5 bytes of address, 3 of word count.
    pub fn decode(raw: [u8; ENTRY_LEN]) -> Entry {
        let [a, b, c, d, e, high, mid, low] = raw;
        Entry {
            address: u64::from_be_bytes([0, 0, 0, a, b, c, d, e]),
            words: u32::from_be_bytes([0, high, mid, low]),
        }
    }

    /// Length in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.words) * 4
    }
}

/// A unit of a list: seven entries, and the index of the next unit.
pub struct Unit(pub [u8; UNIT_LEN]);

impl Unit {
    /// Its entries, those that are not used included.
    pub fn entries(&self) -> impl Iterator<Item = [u8; ENTRY_LEN]> + '_ {
        let entries = self.0.chunks_exact(ENTRY_LEN).take(UNIT_ENTRIES);
        entries.map(|raw| raw.try_into().unwrap_or_default())
    }

    /// The index of the next unit; 0 in the last one.
    pub fn link(&self) -> u16 {
        u16::from_be_bytes([self.0[56], self.0[57]])
    }

    /// What lies behind the link.
    pub fn rest(&self) -> &[u8] {
        &self.0[58..]
    }
}

/// Where a command's data lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// Nowhere.
    None,
    /// In one piece, which the slot itself describes.
    InPlace(Entry),
    /// In a list that begins with this unit.
    List(u16),
}

/// What a slot asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A SCSI command.
    Scsi,
    /// Task management.
    Task,
}

/// A request as the host puts it into a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it asks for.
    pub kind: Kind,
    /// Byte 1; bit 0 says that the descriptor is an entry in place.
    pub flags: u8,
    /// The tag that the slot repeats.
    pub tag: u16,
    /// The LUN.
    pub lun: u16,
    /// Byte 7: a SCSI command's task attribute, or a function of task management.
    pub how: u8,
    /// The CDB, zero padded.
    pub cdb: [u8; 16],
    /// The last 8 bytes.
    pub descriptor: [u8; ENTRY_LEN],
}

/// What is wrong with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Byte 0 is neither 1 nor 4.
    #[error("the slot's kind is {0:#x}, neither 1 nor 4")]
    Kind(u8),
    /// The slot repeats another tag than the submit ring named.
    #[error("the slot says tag {0}")]
    OtherTag(u16),
}

impl Slot {
    /// Decodes the slot of tag `tag`.
    pub fn decode(raw: &[u8; SLOT_LEN], tag: u16) -> Result<Slot, SlotError> {
        let [
            kind,
            flags,
            tag_hi,
            tag_lo,
            lun_hi,
            lun_lo,
            _,
            how,
            rest @ ..,
        ] = *raw;
        let kind = match kind {
            1 => Kind::Scsi,
            4 => Kind::Task,
            other => return Err(SlotError::Kind(other)),
        };
        let repeated = u16::from_be_bytes([tag_hi, tag_lo]);
        if repeated != tag {
            return Err(SlotError::OtherTag(repeated));
        }
        let mut cdb = [0; 16];
        let mut descriptor = [0; ENTRY_LEN];
        cdb.copy_from_slice(&rest[..16]);
        descriptor.copy_from_slice(&rest[16..]);
        Ok(Slot {
            kind,
            flags,
            tag,
            lun: u16::from_be_bytes([lun_hi, lun_lo]),
            how,
            cdb,
            descriptor,
        })
    }

    /// Whether bit 0 of byte 1 is set.
    pub fn in_place(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the descriptor has the shape of a list: an index, then zeros.
    pub fn looks_like_list(&self) -> bool {
        self.descriptor[2..] == [0; 6]
    }

    /// Where the data of a command that moves some lies, as a card reads it that wants the
    /// bit so. An entry in place that has no length leads nowhere.
    pub fn descriptor(&self, list_flag: ListFlag) -> Descriptor {
        let list = match list_flag {
            ListFlag::Clear => !self.in_place(),
            ListFlag::Set => self.in_place() && self.looks_like_list(),
            ListFlag::Any => self.looks_like_list(),
        };
        let entry = Entry::decode(self.descriptor);
        match list {
            true => Descriptor::List(u16::from_be_bytes([self.descriptor[0], self.descriptor[1]])),
            false if entry.words == 0 => Descriptor::None,
            false => Descriptor::InPlace(entry),
        }
    }

    /// Of task management: the function.
    pub fn function(&self) -> u8 {
        self.how & 0x0f
    }

    /// Of task management: the tag to abort.
    pub fn victim(&self) -> u16 {
        u16::from_be_bytes([self.cdb[0], self.cdb[1]])
    }
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(pub [u8; RESPONSE_LEN]);

impl Answer {
    fn new(tag: u16, follows: u8, status: u8, body: &[u8]) -> Answer {
        let mut bytes = [0; RESPONSE_LEN];
        bytes[..2].copy_from_slice(&[0x02, 0x01 | (follows << 1)]);
        bytes[2..4].copy_from_slice(&tag.to_be_bytes());
        bytes[5] = body.len() as u8;
        bytes[6] = status;
        bytes[BODY..BODY + body.len()].copy_from_slice(body);
        Answer(bytes)
    }

    /// The command ended well: `02 01 tt tt`, rest zero.
    pub fn good(tag: u16) -> Answer {
        Answer::new(tag, 0, 0, &[])
    }

    /// The command ended with this status, and nothing follows. Of task management: 0 is
    /// done, anything else rejected.
    pub fn status(tag: u16, status: u8) -> Answer {
        Answer::new(tag, 0, status, &[])
    }

    /// The command ended well, and here is its data: at most [`MOST_BODY`] bytes.
    pub fn inline(tag: u16, data: &[u8]) -> Answer {
        Answer::new(tag, 1, 0, &data[..data.len().min(MOST_BODY)])
    }

    /// The command ended in CHECK CONDITION.
    pub fn check_condition(tag: u16, sense: [u8; SENSE_LEN]) -> Answer {
        Answer::new(tag, 2, 0x02, &sense)
    }

    /// The command ended in CHECK CONDITION, for this reason.
    pub fn sense(tag: u16, key: u8, asc: u8, ascq: u8) -> Answer {
        Answer::check_condition(tag, sense(key, asc, ascq))
    }

    /// Whether it says that the command ended well.
    pub fn is_good(&self) -> bool {
        self.0[1] & 0x04 == 0 && self.0[6] == 0
    }

    /// Whether sense follows.
    pub fn has_sense(&self) -> bool {
        self.0[1] & 0x06 == 0x04
    }

    /// Whether data follows.
    pub fn has_data(&self) -> bool {
        self.0[1] & 0x06 == 0x02
    }

    /// Says that so many bytes follow.
    pub fn set_length(&mut self, length: u16) {
        self.0[4..6].copy_from_slice(&length.to_be_bytes());
    }
}

/// Fixed-format sense data.
pub fn sense(key: u8, asc: u8, ascq: u8) -> [u8; SENSE_LEN] {
    let mut sense = [0; SENSE_LEN];
    sense[0] = 0x70;
    sense[2] = key;
    sense[7] = (SENSE_LEN - 8) as u8;
    sense[12] = asc;
    sense[13] = ascq;
    sense
}

/// Fixed-format sense data with the block's address in INFORMATION, if it fits there.
pub fn sense_at(key: u8, asc: u8, ascq: u8, lba: u64) -> [u8; SENSE_LEN] {
    let mut sense = sense(key, asc, ascq);
    if let Ok(lba) = u32::try_from(lba) {
        sense[0] |= 0x80;
        sense[3..7].copy_from_slice(&lba.to_be_bytes());
    }
    sense
}

/// Response code of sense data in the descriptor format.
pub const DESCRIPTOR: u8 = 0x72;

/// Descriptor-format sense data, without a descriptor.
pub fn descriptor_sense(key: u8, asc: u8, ascq: u8) -> [u8; SENSE_LEN] {
    let mut sense = [0; SENSE_LEN];
    sense[..4].copy_from_slice(&[DESCRIPTOR, key, asc, ascq]);
    sense
}
