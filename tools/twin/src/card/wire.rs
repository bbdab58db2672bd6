// SPDX-License-Identifier: GPL-2.0

//! The bytes in host memory that host and card talk in: command slots,
//! scatter-gather entries, responses.
//!
//! Written from the hardware document alone. The driver has a codec of its own;
//! the two share nothing, so that a mistake in one is not a mistake in both.

use super::odd;
use super::params::{CardParams, LunEncoding};
use crate::scsi::SENSE_LEN;

/// Length of a command slot in region A.
pub const SLOT_LEN: usize = 32;

/// Length of a scatter-gather entry.
pub const ENTRY_LEN: usize = 8;

/// Length of a response without sense data.
pub const HEADER_LEN: usize = 8;

/// One piece of host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bus address, 40 bits.
    pub address: u64,
    /// Length in 4-byte words.
    pub words: u32,
}

impl Entry {
    /// Decodes an entry: 5 bytes of address, 3 of word count.
    pub fn decode(raw: [u8; ENTRY_LEN], params: &CardParams) -> Entry {
        let [a, b, c, d, e, high, mid, low] = raw;
        let high = if params.entry_count == 24 { high } else { 0 };
        let address = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        Entry {
            address: odd::address(params.odd, address),
            words: odd::count(params.odd, u32::from_be_bytes([0, high, mid, low])),
        }
    }

    /// Length in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.words) * 4
    }
}

/// Where a command's data lies, as its slot says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// All zero: no data.
    None,
    /// One entry, in the slot itself.
    Direct(Entry),
    /// A list in region E that begins at this unit.
    List(u16),
}

impl Descriptor {
    /// Decodes a slot's last 8 bytes.
    pub fn decode(raw: [u8; ENTRY_LEN], params: &CardParams) -> Descriptor {
        match raw {
            [0, 0, 0, 0, 0, 0, 0, 0] => Descriptor::None,
            [high, low, 0, 0, 0, 0, 0, 0] => Descriptor::List(u16::from_be_bytes([high, low])),
            raw => Descriptor::Direct(Entry::decode(raw, params)),
        }
    }
}

/// A SCSI command as the host puts it into region A.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The tag that the slot repeats.
    pub tag: u16,
    /// The LUN; one that does not fit 16 bits names no logical unit.
    pub lun: u32,
    /// The CDB, zero padded.
    pub cdb: [u8; 16],
    /// Where the data lies.
    pub descriptor: Descriptor,
}

/// What is wrong with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Bytes 0 and 1 are not `01 01`.
    #[error("slot begins {0:02x} {1:02x}, not 01 01")]
    NotARequest(u8, u8),
    /// The slot repeats another tag than the mailbox named.
    #[error("slot says tag {0:#x}")]
    OtherTag(u16),
}

impl Slot {
    /// Decodes the slot of tag `tag`.
    pub fn decode(raw: &[u8; SLOT_LEN], tag: u16, params: &CardParams) -> Result<Slot, SlotError> {
        let [kind, one, tag_hi, tag_lo, l0, l1, l2, l3, rest @ ..] = *raw;
        if (kind, one) != (1, 1) {
            return Err(SlotError::NotARequest(kind, one));
        }
        let repeated = u16::from_be_bytes([tag_hi, tag_lo]);
        if repeated != tag {
            return Err(SlotError::OtherTag(repeated));
        }
        let mut cdb = [0; 16];
        let mut descriptor = [0; ENTRY_LEN];
        cdb.copy_from_slice(&rest[..16]);
        descriptor.copy_from_slice(&rest[16..]);
        Ok(Slot {
            tag,
            lun: match params.lun_encoding {
                LunEncoding::U32 => u32::from_be_bytes([l0, l1, l2, l3]),
                LunEncoding::U16 => u16::from_be_bytes([l0, l1]).into(),
            },
            cdb,
            descriptor: Descriptor::decode(descriptor, params),
        })
    }
}

/// What a command is answered: a response, with the sense data that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response.
    pub header: [u8; HEADER_LEN],
    /// The sense data.
    pub sense: Vec<u8>,
}

impl Answer {
    /// The command ended well.
    pub fn good(tag: u16) -> Answer {
        Answer::status(tag, 0)
    }

    /// The command ended with this status, and no sense data.
    pub fn status(tag: u16, status: u8) -> Answer {
        let mut header = good(tag);
        header[6] = status;
        Answer {
            header,
            sense: Vec::new(),
        }
    }

    /// The command ended in CHECK CONDITION.
    pub fn check_condition(tag: u16, sense: [u8; SENSE_LEN]) -> Answer {
        Answer {
            header: check_condition(tag),
            sense: sense.into(),
        }
    }

    /// The command ended in CHECK CONDITION, for this reason.
    pub fn sense(tag: u16, key: u8, asc: u8, ascq: u8) -> Answer {
        Answer::check_condition(tag, sense(key, asc, ascq))
    }

    /// Whether it says that the command ended well.
    pub fn is_good(&self) -> bool {
        self.header[1] == 1 && self.header[6] == 0
    }

    /// Whether the host can see that it is meant for this tag.
    pub fn is_for(&self, tag: u16) -> bool {
        self.header[0] == 2 && self.header[2..4] == tag.to_be_bytes()
    }

    /// Makes it bear another tag.
    pub fn set_tag(&mut self, tag: u16) {
        self.header[2..4].copy_from_slice(&tag.to_be_bytes());
    }
}

/// The response to a command that ended well: `02 01 tt tt`, rest zero.
pub fn good(tag: u16) -> [u8; HEADER_LEN] {
    let [hi, lo] = tag.to_be_bytes();
    [0x02, 0x01, hi, lo, 0, 0, 0, 0]
}

/// The head of the response to a command that ended in CHECK CONDITION; the
/// sense data follow it.
pub fn check_condition(tag: u16) -> [u8; HEADER_LEN] {
    let [hi, lo] = tag.to_be_bytes();
    [0x02, 0x05, hi, lo, 0, SENSE_LEN as u8, 0x02, 0]
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

/// Response code of sense data in the descriptor format.
pub const DESCRIPTOR: u8 = 0x72;

/// Descriptor-format sense data, without a descriptor.
pub fn descriptor_sense(key: u8, asc: u8, ascq: u8) -> [u8; SENSE_LEN] {
    let mut sense = [0; SENSE_LEN];
    sense[..4].copy_from_slice(&[DESCRIPTOR, key, asc, ascq]);
    sense
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(text: &str) -> Slot {
        let raw: Vec<u8> = text
            .split_whitespace()
            .map(|b| u8::from_str_radix(b, 16).unwrap())
            .collect();
        Slot::decode(
            raw.as_slice().try_into().unwrap(),
            0x3b,
            &CardParams::default(),
        )
        .unwrap()
    }

    #[test]
    fn inquiry_with_a_direct_entry() {
        let slot = slot(
            "01 01 00 3B 00 00 00 00  12 00 00 00 06 00 00 00 \
             00 00 00 00 00 00 00 00  00 17 99 D1 D8 00 00 02",
        );
        assert_eq!((slot.tag, slot.lun), (59, 0));
        assert_eq!(slot.cdb[..6], [0x12, 0, 0, 0, 6, 0]);
        let entry = Entry {
            address: 0x17_99d1d8,
            words: 2,
        };
        assert_eq!(slot.descriptor, Descriptor::Direct(entry));
        assert_eq!(entry.bytes(), 8);
    }

    #[test]
    fn inquiry_above_four_gibibytes() {
        let slot = slot(
            "01 01 00 3B 00 00 00 00  12 01 83 04 00 00 00 00 \
             00 00 00 00 00 00 00 00  02 32 94 C0 00 00 00 01",
        );
        let entry = Entry {
            address: 0x02_3294_c000,
            words: 1,
        };
        assert_eq!(slot.descriptor, Descriptor::Direct(entry));
    }

    #[test]
    fn inquiry_with_a_list() {
        let slot = slot(
            "01 01 00 3B 00 00 00 00  12 01 80 0D 00 00 00 00 \
             00 00 00 00 00 00 00 00  08 87 00 00 00 00 00 00",
        );
        assert_eq!(slot.descriptor, Descriptor::List(0x0887));
        assert_eq!(0x0887, 59 * 37);
    }

    #[test]
    fn test_unit_ready_has_no_data() {
        let mut raw = [0; SLOT_LEN];
        raw[..4].copy_from_slice(&[1, 1, 0, 0x3b]);
        let slot = Slot::decode(&raw, 0x3b, &CardParams::default()).unwrap();
        assert_eq!((slot.cdb, slot.descriptor), ([0; 16], Descriptor::None));
    }

    #[test]
    fn list_of_two_entries() {
        let params = CardParams::default();
        let first = Entry::decode([0x02, 0x31, 0x9b, 0x59, 0, 0, 0, 2], &params);
        let second = Entry::decode([0x00, 0x0b, 0x59, 0xd1, 0xd8, 0, 0, 2], &params);
        assert_eq!(
            first,
            Entry {
                address: 0x02_319b_5900,
                words: 2
            }
        );
        assert_eq!(
            second,
            Entry {
                address: 0x00_0b59_d1d8,
                words: 2
            }
        );
    }

    #[test]
    fn word_count_of_24_or_16_bits() {
        let raw = [0, 0, 0, 0x10, 0, 0x01, 0x00, 0x02];
        let wide = CardParams::default();
        let narrow: CardParams = "entry-count=16".parse().unwrap();
        assert_eq!(Entry::decode(raw, &wide).words, 0x10002);
        assert_eq!(Entry::decode(raw, &narrow).words, 2);
    }

    #[test]
    fn both_lun_encodings() {
        let mut raw = [0; SLOT_LEN];
        raw[..8].copy_from_slice(&[1, 1, 0, 5, 0, 1, 0, 0]);
        let short: CardParams = "lun-encoding=u16".parse().unwrap();
        assert_eq!(Slot::decode(&raw, 5, &short).unwrap().lun, 1);
        assert_eq!(
            Slot::decode(&raw, 5, &CardParams::default()).unwrap().lun,
            0x10000
        );
    }

    #[test]
    fn slots_that_are_not_requests() {
        let mut raw = [0; SLOT_LEN];
        let params = CardParams::default();
        assert_eq!(
            Slot::decode(&raw, 0, &params),
            Err(SlotError::NotARequest(0, 0))
        );
        raw[..4].copy_from_slice(&[1, 1, 0, 9]);
        assert_eq!(Slot::decode(&raw, 8, &params), Err(SlotError::OtherTag(9)));
    }

    #[test]
    fn responses_as_the_trace_shows_them() {
        assert_eq!(good(0x3b), [2, 1, 0, 0x3b, 0, 0, 0, 0]);
        assert_eq!(
            check_condition(0x3b),
            [0x02, 0x05, 0x00, 0x3b, 0x00, 0x12, 0x02, 0x00]
        );
        let luns_changed = sense(6, 0x3f, 0x0e);
        assert_eq!(luns_changed[..8], [0x70, 0, 6, 0, 0, 0, 0, 0x0a]);
        assert_eq!(luns_changed[8..], [0, 0, 0, 0, 0x3f, 0x0e, 0, 0, 0, 0]);
    }
}
