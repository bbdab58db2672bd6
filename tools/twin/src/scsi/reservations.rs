// SPDX-License-Identifier: GPL-2.0

//! PERSISTENT RESERVE IN: there are no reservations, nor a way to make one (SPC-4, 6.15).

use super::cdb::Cdb;
use super::lun::LogicalUnit;
use super::target::Outcome;

pub(super) const READ_KEYS: u8 = 0x00;
pub(super) const READ_RESERVATION: u8 = 0x01;
pub(super) const REPORT_CAPABILITIES: u8 = 0x02;

/// Byte 3 of the capabilities: the mask of reservation types is valid. It is zero.
const TMV: u8 = 0x80;

/// READ KEYS and READ RESERVATION: generation 0, and nothing follows.
pub(super) fn nothing_reserved(_: &LogicalUnit, _: &Cdb, _: &[u8]) -> Outcome {
    Ok(vec![0; 8])
}

/// REPORT CAPABILITIES.
pub(super) fn capabilities(_: &LogicalUnit, _: &Cdb, _: &[u8]) -> Outcome {
    Ok(vec![0, 8, 0, TMV, 0, 0, 0, 0])
}
