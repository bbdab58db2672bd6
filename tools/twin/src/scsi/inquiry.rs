// SPDX-License-Identifier: GPL-2.0

//! INQUIRY: what a logical unit is (SPC-4, 6.6).

use std::sync::atomic::Ordering;

use super::card_unit;
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::{Outcome, Request};
use super::vpd;

/// T10 vendor identification, eight characters.
pub(super) const VENDOR: &[u8; 8] = b"Apple   ";
/// Product identification, sixteen characters.
pub(super) const PRODUCT: &[u8; 16] = b"RAID Card Vol   ";
/// Product revision level, four characters: the card's firmware E-2.2.1.0.
const REVISION: &[u8; 4] = b"2210";

/// Peripheral qualifier and device type: a direct-access block device, connected.
const DISK: u8 = 0x00;
/// The same, not connected at the moment: qualifier 001b.
const DISCONNECTED: u8 = 0x20;
/// The same where there is no unit, nor can be one: qualifier 011b, type 1Fh.
const NO_UNIT: u8 = 0x7f;
/// The unit conforms to SPC-4.
const SPC_4: u8 = 0x06;
/// The response data format is SPC's.
const FORMAT: u8 = 0x02;
/// The full task management model: commands are queued.
const CMDQUE: u8 = 0x02;
/// What is conformed to, no version claimed: SAM-4 and SPC-4, and SBC-3 by a disk.
const VERSIONS: [u16; 2] = [0x0080, 0x0460];
const BLOCKS: u16 = 0x04c0;
const STANDARD_LEN: usize = 96;

/// INQUIRY.
pub(super) fn inquiry(request: &Request<'_>) -> Outcome {
    if request.card {
        return card_unit::inquiry(request.cdb);
    }
    let device = match request.unit {
        Some(unit) if unit.disconnected.load(Ordering::SeqCst) => DISCONNECTED,
        Some(_) => DISK,
        None => NO_UNIT,
    };
    let (vital, page) = (request.cdb[1] & 0x01 != 0, request.cdb[2]);
    match (vital, page) {
        (true, _) if request.unit.is_some_and(LogicalUnit::fails_vital_data) => {
            Err(Sense::INTERNAL_FAILURE)
        }
        (true, page) => vpd::page(device, request.unit, page),
        (false, 0) => Ok(standard(device, VENDOR, PRODUCT, &[BLOCKS])),
        (false, _) => Err(Sense::invalid_cdb(2)),
    }
}

/// Standard INQUIRY data.
pub(super) fn standard(
    device: u8,
    vendor: &[u8; 8],
    product: &[u8; 16],
    more_versions: &[u16],
) -> Vec<u8> {
    let mut data = vec![0; STANDARD_LEN];
    data[0] = device;
    data[2] = SPC_4;
    data[3] = FORMAT;
    data[4] = (STANDARD_LEN - 5) as u8;
    data[7] = CMDQUE;
    data[8..16].copy_from_slice(vendor);
    data[16..32].copy_from_slice(product);
    data[32..36].copy_from_slice(REVISION);
    let versions = VERSIONS.iter().chain(more_versions);
    for (place, version) in data[58..].chunks_exact_mut(2).zip(versions) {
        place.copy_from_slice(&version.to_be_bytes());
    }
    data
}
