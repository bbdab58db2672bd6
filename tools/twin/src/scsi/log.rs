// SPDX-License-Identifier: GPL-2.0

//! LOG SENSE: what a logical unit keeps a record of (SPC-4, 6.8 and 7.3).
//!
//! The pages hold list parameters only, so PAGE CONTROL, which chooses between
//! thresholds and counters, makes no difference.

use super::cdb::{Cdb, be};
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::Outcome;

const SUPPORTED_PAGES: u8 = 0x00;
const TEMPERATURE: u8 = 0x0d;
const INFORMATIONAL_EXCEPTIONS: u8 = 0x2f;
const PAGES: [u8; 3] = [SUPPORTED_PAGES, TEMPERATURE, INFORMATIONAL_EXCEPTIONS];
/// With page 00h: the list of pages and subpages, in pairs.
const ALL_SUBPAGES: u8 = 0xff;
#[rustfmt::skip]
const PAIRS: [u8; 8] = [
    SUPPORTED_PAGES, 0,
    SUPPORTED_PAGES, ALL_SUBPAGES,
    TEMPERATURE, 0,
    INFORMATIONAL_EXCEPTIONS, 0,
];

/// In byte 0 of a page: it has a subpage code.
const SPF: u8 = 0x40;
/// Control byte of a parameter: a list in binary format.
const BINARY_LIST: u8 = 0x03;

/// Degrees Celsius: as it is, and as it should not exceed.
const CELSIUS: u8 = 35;
const CELSIUS_LIMIT: u8 = 65;

/// A log parameter: its code and its value.
type Parameter = (u16, &'static [u8]);

const TEMPERATURES: &[Parameter] = &[(0, &[0, CELSIUS]), (1, &[0, CELSIUS_LIMIT])];
/// No exception (ASC and ASCQ zero), and the temperature at that time.
const EXCEPTIONS: &[Parameter] = &[(0, &[0, 0, CELSIUS, CELSIUS_LIMIT])];

/// LOG SENSE.
pub(super) fn log_sense(_: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    let first = be(&cdb[5..7]);
    match (cdb[2] & 0x3f, cdb[3]) {
        (SUPPORTED_PAGES, 0) => Ok(page(SUPPORTED_PAGES, 0, &PAGES)),
        (SUPPORTED_PAGES, ALL_SUBPAGES) => Ok(page(SUPPORTED_PAGES | SPF, ALL_SUBPAGES, &PAIRS)),
        (TEMPERATURE, 0) => Ok(page(TEMPERATURE, 0, &parameters(TEMPERATURES, first)?)),
        (INFORMATIONAL_EXCEPTIONS, 0) => Ok(page(
            INFORMATIONAL_EXCEPTIONS,
            0,
            &parameters(EXCEPTIONS, first)?,
        )),
        (TEMPERATURE | INFORMATIONAL_EXCEPTIONS, _) => Err(Sense::invalid_cdb(3)),
        _ => Err(Sense::invalid_cdb_bits(2, 0x3f)),
    }
}

fn page(code: u8, subpage: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (body.len() as u16).to_be_bytes();
    [&[code, subpage, high, low], body].concat()
}

/// The parameters from code `first` on (PARAMETER POINTER); there must be some.
fn parameters(all: &[Parameter], first: u64) -> Outcome {
    let wanted = all.iter().filter(|(code, _)| u64::from(*code) >= first);
    let mut body = Vec::new();
    for (code, value) in wanted {
        body.extend(code.to_be_bytes());
        body.extend([BINARY_LIST, value.len() as u8]);
        body.extend_from_slice(value);
    }
    if body.is_empty() {
        Err(Sense::invalid_cdb(5))
    } else {
        Ok(body)
    }
}
