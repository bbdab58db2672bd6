// SPDX-License-Identifier: GPL-2.0

//! Any 32 bytes are a slot that says the same as they do, or none.

use super::super::params::{CardParams, LunEncoding};
use super::super::wire::{Descriptor, SLOT_LEN, Slot, SlotError};
use arbitrary::Arbitrary;

/// A slot as it lies in host memory, and how the card reads it.
#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    raw: [u8; SLOT_LEN],
    tag: [u8; 2],
    short_lun: bool,
    short_count: bool,
}

/// What was decoded can be encoded again; only what the card does not look at is lost.
pub fn decodes_to_what_it_says(input: &Input) {
    let tag = u16::from_be_bytes(input.tag);
    let params = CardParams {
        lun_encoding: match input.short_lun {
            true => LunEncoding::U16,
            false => LunEncoding::U32,
        },
        entry_count: if input.short_count { 16 } else { 24 },
        ..CardParams::default()
    };
    let slot = match Slot::decode(&input.raw, tag, &params) {
        Ok(slot) => slot,
        Err(SlotError::NotARequest(kind, one)) => {
            assert_ne!([kind, one], [1, 1], "{input:02x?}");
            return assert_eq!([kind, one], input.raw[..2], "{input:02x?}");
        }
        Err(SlotError::OtherTag(other)) => {
            assert_ne!(other, tag, "{input:02x?}");
            return assert_eq!(other.to_be_bytes(), input.raw[2..4], "{input:02x?}");
        }
    };

    let mut seen = input.raw;
    let lun = match input.short_lun {
        true => {
            seen[6..8].fill(0);
            slot.lun << 16
        }
        false => slot.lun,
    };
    let descriptor = match slot.descriptor {
        Descriptor::None => [0; 8],
        Descriptor::List(index) => (u64::from(index) << 48).to_be_bytes(),
        Descriptor::Direct(entry) => {
            if input.short_count {
                seen[29] = 0;
            }
            assert_eq!(entry.bytes(), u64::from(entry.words) * 4);
            ((entry.address << 24) | u64::from(entry.words)).to_be_bytes()
        }
    };
    let again = [
        &[1, 1][..],
        &slot.tag.to_be_bytes(),
        &lun.to_be_bytes(),
        &slot.cdb,
        &descriptor,
    ];
    assert_eq!(again.concat(), seen, "{input:02x?}");
}
