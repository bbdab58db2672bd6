// SPDX-License-Identifier: GPL-2.0

//! REPORT LUNS: which logical units there are (SPC-4, 6.33).

use super::sense::Sense;
use super::target::{Outcome, Request};

/// The last LUN that flat space addressing can name.
pub(super) const MAX_LUN: u16 = 0x3fff;
/// The last LUN that the peripheral device addressing method names here.
const MAX_PERIPHERAL: u16 = 0xff;
/// Flat space addressing (SAM-4, 4.6.8), in the first two bytes of eight.
const FLAT_SPACE: u16 = 0x4000;

/// REPORT LUNS. There are no well known logical units.
pub(super) fn report_luns(request: &Request<'_>) -> Outcome {
    let luns = match request.cdb[2] {
        0x00 | 0x02 => request.target.luns(),
        0x01 => Vec::new(),
        _ => return Err(Sense::invalid_cdb(2)),
    };
    if request.unit.is_some() {
        request.target.clear_luns_changed();
    }
    let mut data = (luns.len() as u32 * 8).to_be_bytes().to_vec();
    data.extend([0; 4]);
    data.extend(luns.into_iter().flat_map(address));
    Ok(data)
}

fn address(lun: u16) -> [u8; 8] {
    let method = if lun > MAX_PERIPHERAL { FLAT_SPACE } else { 0 };
    let [high, low] = (method | lun).to_be_bytes();
    [high, low, 0, 0, 0, 0, 0, 0]
}
