// SPDX-License-Identifier: GPL-2.0

//! Any 32 bytes are a slot that says the same as they do, or none.

use super::super::params::ListFlag;
use super::super::wire::{Descriptor, Kind, SLOT_LEN, Slot, SlotError};
use arbitrary::Arbitrary;

/// A slot as it lies in host memory, and how the card reads it.
#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    raw: [u8; SLOT_LEN],
    tag: [u8; 2],
    list_flag: u8,
}

/// What was decoded can be encoded again; only what the card does not look at is lost.
pub fn decodes_to_what_it_says(input: &Input) {
    let tag = u16::from_be_bytes(input.tag);
    let slot = match Slot::decode(&input.raw, tag) {
        Ok(slot) => slot,
        Err(SlotError::Kind(kind)) => {
            assert!(![1, 4].contains(&kind), "{input:02x?}");
            return assert_eq!(kind, input.raw[0], "{input:02x?}");
        }
        Err(SlotError::OtherTag(other)) => {
            assert_ne!(other, tag, "{input:02x?}");
            return assert_eq!(other.to_be_bytes(), input.raw[2..4], "{input:02x?}");
        }
    };

    let mut seen = input.raw;
    seen[6] = 0;
    let kind = match slot.kind {
        Kind::Scsi => 1,
        Kind::Task => 4,
    };
    let again = [
        &[kind, slot.flags][..],
        &slot.tag.to_be_bytes(),
        &slot.lun.to_be_bytes(),
        &[0, slot.how],
        &slot.cdb,
        &slot.descriptor,
    ];
    assert_eq!(again.concat(), seen, "{input:02x?}");

    let flags = [ListFlag::Clear, ListFlag::Set, ListFlag::Any];
    match slot.descriptor(flags[usize::from(input.list_flag % 3)]) {
        Descriptor::None => assert_eq!(seen[29..], [0; 3]),
        Descriptor::List(index) => assert_eq!(index.to_be_bytes(), seen[24..26]),
        Descriptor::InPlace(entry) => {
            let raw = (entry.address << 24) | u64::from(entry.words);
            assert_eq!(raw.to_be_bytes(), seen[24..]);
            assert_eq!(entry.bytes(), u64::from(entry.words) * 4);
        }
    }
}
