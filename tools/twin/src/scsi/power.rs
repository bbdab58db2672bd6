// SPDX-License-Identifier: GPL-2.0

//! Whether a unit is ready, why not, and how it becomes so: TEST UNIT READY,
//! REQUEST SENSE, START STOP UNIT.

use super::cdb::Cdb;
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::{Outcome, Request};

/// START STOP UNIT, byte 4.
const START: u8 = 0x01;
const NO_FLUSH: u8 = 0x04;

/// TEST UNIT READY. That the unit is ready was checked before.
pub(super) fn test_unit_ready(_: &LogicalUnit, _: &Cdb, _: &[u8]) -> Outcome {
    Ok(Vec::new())
}

/// REQUEST SENSE: takes a pending unit attention, or says what state the unit is in.
pub(super) fn request_sense(request: &Request<'_>) -> Outcome {
    let sense = match request.unit {
        None if request.card => request.target.take_card_attention().unwrap_or(Sense::NONE),
        None => Sense::NO_SUCH_UNIT,
        Some(unit) => {
            let attention = request.target.take_attention(unit);
            attention.or(unit.ready().err()).unwrap_or(Sense::NONE)
        }
    };
    Ok(sense.fixed().to_vec())
}

/// START STOP UNIT. IMMED makes no difference: it is done at once anyway.
pub(super) fn start_stop_unit(unit: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    if cdb[4] & START != 0 {
        unit.start();
    } else {
        unit.stop(cdb[4] & NO_FLUSH == 0)?;
    }
    Ok(Vec::new())
}
