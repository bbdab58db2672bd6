// SPDX-License-Identifier: GPL-2.0

//! The vital product data pages of INQUIRY (SPC-4, 7.8; SBC-3, 6.5).

use super::MAX_TRANSFER_BLOCKS;
use super::inquiry::{PRODUCT, VENDOR};
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::Outcome;

pub(super) const SUPPORTED_PAGES: u8 = 0x00;
const SERIAL_NUMBER: u8 = 0x80;
pub(super) const IDENTIFICATION: u8 = 0x83;
const BLOCK_LIMITS: u8 = 0xb0;
const BLOCK_CHARACTERISTICS: u8 = 0xb1;

const PAGES: &[u8] = &[
    SUPPORTED_PAGES,
    SERIAL_NUMBER,
    IDENTIFICATION,
    BLOCK_LIMITS,
    BLOCK_CHARACTERISTICS,
];

/// Code sets of a designation descriptor.
pub(super) const BINARY: u8 = 0x01;
const ASCII: u8 = 0x02;
/// Designator types; alone, they name the logical unit.
const T10_VENDOR: u8 = 0x01;
pub(super) const NAA: u8 = 0x03;
/// NAA 3h: locally assigned. Nobody registered the twin.
pub(super) const NAA_LOCAL: u64 = 0x3 << 60;

/// A page, with its header. Without a unit there is only the list of pages.
pub(super) fn page(device: u8, unit: Option<&LogicalUnit>, page: u8) -> Outcome {
    let body = match (page, unit) {
        (SUPPORTED_PAGES, None) => vec![SUPPORTED_PAGES],
        (SUPPORTED_PAGES, Some(_)) => PAGES.to_vec(),
        (SERIAL_NUMBER, Some(unit)) => serial_number(unit).into_bytes(),
        (IDENTIFICATION, Some(unit)) => identification(unit),
        (BLOCK_LIMITS, Some(_)) => block_limits(),
        (BLOCK_CHARACTERISTICS, Some(_)) => vec![0; 0x3c],
        _ => return Err(Sense::invalid_cdb(2)),
    };
    Ok(with_header(device, page, &body))
}

/// A page: its header, and what follows it.
pub(super) fn with_header(device: u8, page: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (body.len() as u16).to_be_bytes();
    [&[device, page, high, low], body].concat()
}

fn serial_number(unit: &LogicalUnit) -> String {
    format!("{:016X}", unit.volume.identity())
}

/// The unit's names: a locally assigned NAA identifier, and vendor, product and
/// serial number.
fn identification(unit: &LogicalUnit) -> Vec<u8> {
    let naa = NAA_LOCAL | unit.volume.identity() & !(0xf << 60);
    let t10 = [VENDOR.as_slice(), PRODUCT, serial_number(unit).as_bytes()].concat();
    let mut descriptors = descriptor(BINARY, NAA, &naa.to_be_bytes());
    descriptors.extend(descriptor(ASCII, T10_VENDOR, &t10));
    descriptors
}

pub(super) fn descriptor(code_set: u8, kind: u8, designator: &[u8]) -> Vec<u8> {
    let mut descriptor = vec![code_set, kind, 0, designator.len() as u8];
    descriptor.extend_from_slice(designator);
    descriptor
}

/// How much one command may move. WRITE SAME to zero blocks means to the end
/// (WSNZ = 0); there is no UNMAP, no COMPARE AND WRITE.
fn block_limits() -> Vec<u8> {
    let mut body = vec![0; 0x3c];
    // MAXIMUM TRANSFER LENGTH and MAXIMUM WRITE SAME LENGTH; places count from
    // the page's header.
    body[8 - 4..12 - 4].copy_from_slice(&MAX_TRANSFER_BLOCKS.to_be_bytes());
    body[36 - 4..44 - 4].copy_from_slice(&u64::from(MAX_TRANSFER_BLOCKS).to_be_bytes());
    body
}
