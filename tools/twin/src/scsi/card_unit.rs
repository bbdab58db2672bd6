// SPDX-License-Identifier: GPL-2.0

//! The card's own logical unit: LUN 0, if it is not a volume's.
//!
//! A storage array controller without a medium. It says what it is, that it is ready, and
//! which units there are; whoever takes it for a disk is told that there is no such command.

use super::cdb::Cdb;
use super::inquiry;
use super::opcodes::Command;
use super::sense::Sense;
use super::target::Outcome;
use super::vpd::{self, BINARY, IDENTIFICATION, NAA, NAA_LOCAL, SUPPORTED_PAGES};

/// Its LUN.
pub(super) const LUN: u16 = 0;

/// Vendor and product, as macOS knows them (K).
const VENDOR: &[u8; 8] = b"APPLE   ";
const PRODUCT: &[u8; 16] = b"RAID Card       ";
/// Peripheral device type: a storage array controller.
const CONTROLLER: u8 = 0x0c;

/// In byte 0 of a designation descriptor: its protocol is SAS.
const SAS: u8 = 0x60;
/// In byte 1: the protocol is valid; what is named is the target port, or the target device.
const PIV: u8 = 0x80;
const TARGET_PORT: u8 = 0x10;
const TARGET_DEVICE: u8 = 0x20;
/// The names of port and device, locally assigned: nobody registered the twin.
const PORT_NAME: u64 = NAA_LOCAL | 0x0a99_1e00_0000_0001;
const DEVICE_NAME: u64 = NAA_LOCAL | 0x0a99_1e00_0000_0000;

/// Whether the unit knows a command at all.
pub(super) fn knows(command: &Command) -> Result<(), Sense> {
    match command.always() || command.name == "TEST UNIT READY" {
        true => Ok(()),
        false => Err(Sense::INVALID_OPCODE),
    }
}

/// INQUIRY.
pub(super) fn inquiry(cdb: &Cdb) -> Outcome {
    let (vital, page) = (cdb[1] & 0x01 != 0, cdb[2]);
    match (vital, page) {
        (false, 0) => Ok(inquiry::standard(CONTROLLER, VENDOR, PRODUCT, &[])),
        (true, SUPPORTED_PAGES) => {
            let pages = [SUPPORTED_PAGES, IDENTIFICATION];
            Ok(vpd::with_header(CONTROLLER, page, &pages))
        }
        (true, IDENTIFICATION) => Ok(vpd::with_header(CONTROLLER, page, &names())),
        _ => Err(Sense::invalid_cdb(2)),
    }
}

/// The names of the target device and of the target port.
fn names() -> Vec<u8> {
    [(TARGET_DEVICE, DEVICE_NAME), (TARGET_PORT, PORT_NAME)]
        .into_iter()
        .flat_map(|(whose, name)| {
            vpd::descriptor(SAS | BINARY, PIV | whose | NAA, &name.to_be_bytes())
        })
        .collect()
}
