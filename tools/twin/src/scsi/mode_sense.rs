// SPDX-License-Identifier: GPL-2.0

//! MODE SENSE: mode parameter header, block descriptor, pages (SPC-4, 6.13, 7.5).

use super::BLOCK_LEN;
use super::cdb::Cdb;
use super::lun::LogicalUnit;
use super::mode_pages::{Control, PAGES};
use super::sense::Sense;
use super::target::Outcome;

/// Byte 1: no block descriptor, please; and: one with a long LBA is welcome.
const DBD: u8 = 0x08;
const LLBAA: u8 = 0x10;
/// Device-specific parameter of a direct-access device: DPO and FUA are known.
const DPOFUA: u8 = 0x10;
/// In the long header: the block descriptor is the long one.
const LONGLBA: u8 = 0x01;
/// Page and subpage codes that ask for all there are.
const ALL_PAGES: u8 = 0x3f;
const ALL_SUBPAGES: u8 = 0xff;

/// MODE SENSE(6).
pub(super) fn mode_sense_6(unit: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    let descriptor = short_descriptor(unit, cdb);
    let pages = pages(unit, cdb)?;
    let length = 3 + descriptor.len() + pages.len();
    let header = [length as u8, 0, DPOFUA, descriptor.len() as u8];
    Ok([&header, descriptor.as_slice(), &pages].concat())
}

/// MODE SENSE(10).
pub(super) fn mode_sense_10(unit: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    let long = cdb[1] & (LLBAA | DBD) == LLBAA;
    let descriptor = if long {
        long_descriptor(unit)
    } else {
        short_descriptor(unit, cdb)
    };
    let pages = pages(unit, cdb)?;
    let [high, low] = ((6 + descriptor.len() + pages.len()) as u16).to_be_bytes();
    let long = if long { LONGLBA } else { 0 };
    let header = [high, low, 0, DPOFUA, long, 0, 0, descriptor.len() as u8];
    Ok([&header, descriptor.as_slice(), &pages].concat())
}

/// Number and length of the blocks, in eight bytes; more than fit are all ones.
fn short_descriptor(unit: &LogicalUnit, cdb: &Cdb) -> Vec<u8> {
    if cdb[1] & DBD != 0 {
        return Vec::new();
    }
    let blocks = u32::try_from(unit.volume.blocks()).unwrap_or(u32::MAX);
    // A reserved byte, then three of length: the length's upper byte is zero.
    [blocks.to_be_bytes(), (BLOCK_LEN as u32).to_be_bytes()].concat()
}

/// The same in sixteen bytes.
fn long_descriptor(unit: &LogicalUnit) -> Vec<u8> {
    let mut descriptor = unit.volume.blocks().to_be_bytes().to_vec();
    descriptor.extend([0; 4]);
    descriptor.extend((BLOCK_LEN as u32).to_be_bytes());
    descriptor
}

/// The pages that the CDB asks for. None has subpages.
fn pages(unit: &LogicalUnit, cdb: &Cdb) -> Outcome {
    let (control, code, subpage) = (Control::from_bits(cdb[2]), cdb[2] & 0x3f, cdb[3]);
    if subpage != 0 && subpage != ALL_SUBPAGES {
        return Err(Sense::invalid_cdb(3));
    }
    let asked = PAGES
        .iter()
        .filter(|page| code == ALL_PAGES || page.code == code);
    let pages: Vec<u8> = asked.flat_map(|page| page.values(unit, control)).collect();
    if pages.is_empty() {
        return Err(Sense::invalid_cdb(2));
    }
    Ok(pages)
}
