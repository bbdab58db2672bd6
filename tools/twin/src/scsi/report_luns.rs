// SPDX-License-Identifier: GPL-2.0

//! REPORT LUNS: which logical units there are (SPC-4, 6.33).

use super::sense::Sense;
use super::target::{Outcome, Request};

/// REPORT LUNS. There are no well known logical units.
pub(super) fn report_luns(request: &Request<'_>) -> Outcome {
    let luns = match request.cdb[2] {
        0x00 | 0x02 => request.target.units_to_report(),
        0x01 => Vec::new(),
        _ => return Err(Sense::invalid_cdb(2)),
    };
    if request.is_somebody() {
        request.target.clear_luns_changed();
    }
    let mut data = (luns.len() as u32 * 8).to_be_bytes().to_vec();
    data.extend([0; 4]);
    data.extend(luns.into_iter().flat_map(address));
    Ok(data)
}

/// A LUN by the peripheral device addressing method (SAM-4, 4.6.7).
fn address(lun: u16) -> [u8; 8] {
    let [high, low] = lun.to_be_bytes();
    [high, low, 0, 0, 0, 0, 0, 0]
}
