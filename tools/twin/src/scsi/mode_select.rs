// SPDX-License-Identifier: GPL-2.0

//! MODE SELECT: the host changes a mode page (SPC-4, 6.11).
//!
//! The whole list is checked before anything of it counts, and everything in it
//! must be as MODE SENSE returned it, but for what the pages call changeable.

use super::BLOCK_LEN;
use super::cdb::{Cdb, be};
use super::lun::LogicalUnit;
use super::mode_pages::{self, CACHING, Control, PS, WCE, WCE_AT};
use super::sense::Sense;
use super::target::Outcome;

/// Byte 1 of the CDB: the pages have the standard's format; save them.
const PF: u8 = 0x10;
const SP: u8 = 0x01;
/// In the long header: the block descriptors are long ones.
const LONGLBA: u8 = 0x01;
/// A page of the subpage format.
const SPF: u8 = 0x40;

/// MODE SELECT(6).
pub(super) fn mode_select_6(unit: &LogicalUnit, cdb: &Cdb, list: &[u8]) -> Outcome {
    select(unit, cdb, list, Header::short)
}

/// MODE SELECT(10).
pub(super) fn mode_select_10(unit: &LogicalUnit, cdb: &Cdb, list: &[u8]) -> Outcome {
    select(unit, cdb, list, Header::long)
}

fn select(
    unit: &LogicalUnit,
    cdb: &Cdb,
    list: &[u8],
    header: fn(&[u8]) -> Result<Header, Sense>,
) -> Outcome {
    if cdb[1] & PF == 0 {
        return Err(Sense::invalid_cdb_bits(1, PF));
    }
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let header = header(list)?;
    let pages = header.check_descriptor(unit, list)?;
    let caching = check_pages(unit, list, pages)?;
    let save = cdb[1] & SP != 0;
    if save || caching.is_some() {
        let caching = caching.unwrap_or_else(|| unit.volume.caching());
        unit.set_caching(caching, save)?;
    }
    Ok(Vec::new())
}

/// What the mode parameter header says.
struct Header {
    len: usize,
    descriptors_len: usize,
    /// Where the length of the descriptors stands, for the field pointer.
    descriptors_len_at: usize,
    long_lba: bool,
}

impl Header {
    fn short(list: &[u8]) -> Result<Self, Sense> {
        let &[length, medium, _, descriptors, ..] = list else {
            return Err(Sense::PARAMETER_LIST_LENGTH);
        };
        reserved(&[length, medium], 0)?;
        Ok(Self {
            len: 4,
            descriptors_len: descriptors.into(),
            descriptors_len_at: 3,
            long_lba: false,
        })
    }

    fn long(list: &[u8]) -> Result<Self, Sense> {
        let &[length_hi, length, medium, _, flags, zero, high, low, ..] = list else {
            return Err(Sense::PARAMETER_LIST_LENGTH);
        };
        reserved(&[length_hi, length, medium], 0)?;
        reserved(&[flags & !LONGLBA, zero], 4)?;
        Ok(Self {
            len: 8,
            descriptors_len: u16::from_be_bytes([high, low]).into(),
            descriptors_len_at: 6,
            long_lba: flags & LONGLBA != 0,
        })
    }

    /// Checks the block descriptor, if there is one: it must name the blocks that
    /// there are. Says where the pages begin.
    fn check_descriptor(&self, unit: &LogicalUnit, list: &[u8]) -> Result<usize, Sense> {
        let end = self.len + self.descriptors_len;
        let descriptor = list
            .get(self.len..end)
            .ok_or(Sense::PARAMETER_LIST_LENGTH)?;
        let (blocks, none, many, block_len) = match (descriptor.len(), self.long_lba) {
            (0, _) => return Ok(end),
            (8, false) => {
                let (blocks, len) = descriptor.split_at(4);
                (be(blocks), &len[..1], u32::MAX.into(), be(&len[1..]))
            }
            (16, true) => {
                let (blocks, len) = descriptor.split_at(8);
                (be(blocks), &len[..4], u64::MAX, be(&len[4..]))
            }
            _ => return Err(Sense::invalid_parameter(self.descriptors_len_at)),
        };
        // Zero leaves the number alone, all ones means as many as there are.
        if blocks != 0 && blocks != many && blocks != unit.volume.blocks() {
            return Err(Sense::invalid_parameter(self.len));
        }
        reserved(none, self.len)?;
        if block_len != BLOCK_LEN as u64 {
            return Err(Sense::invalid_parameter(end - 3));
        }
        Ok(end)
    }
}

/// Bytes from `at` on that must be zero.
fn reserved(bytes: &[u8], at: usize) -> Result<(), Sense> {
    match bytes.iter().position(|byte| *byte != 0) {
        Some(place) => Err(Sense::invalid_parameter(at + place)),
        None => Ok(()),
    }
}

/// Checks the pages from `at` to the end of the list; returns what they say of
/// the write cache, if they do.
fn check_pages(unit: &LogicalUnit, list: &[u8], mut at: usize) -> Result<Option<bool>, Sense> {
    let mut caching = None;
    while at < list.len() {
        let page = check_page(unit, list, at)?;
        if page[0] == CACHING {
            caching = Some(page[WCE_AT] & WCE != 0);
        }
        at += page.len();
    }
    Ok(caching)
}

/// Checks the page at `at`, and returns its bytes, as many as the unit's own has.
fn check_page<'a>(unit: &LogicalUnit, list: &'a [u8], at: usize) -> Result<&'a [u8], Sense> {
    let &[code, len, ..] = &list[at..] else {
        return Err(Sense::PARAMETER_LIST_LENGTH);
    };
    let known = mode_pages::PAGES.iter().find(|page| page.code == code);
    let Some(known) = known.filter(|_| code & (PS | SPF) == 0) else {
        return Err(Sense::invalid_parameter(at));
    };
    let current = known.values(unit, Control::Current);
    if usize::from(len) + 2 != current.len() {
        return Err(Sense::invalid_parameter(at + 1));
    }
    let page = list
        .get(at..at + current.len())
        .ok_or(Sense::PARAMETER_LIST_LENGTH)?;
    let changeable = known.values(unit, Control::Changeable);
    let mut bytes = page.iter().zip(current).zip(changeable).skip(2);
    match bytes.position(|((new, old), changeable)| (new ^ old) & !changeable != 0) {
        Some(place) => Err(Sense::invalid_parameter(at + 2 + place)),
        None => Ok(page),
    }
}
