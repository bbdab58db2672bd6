// SPDX-License-Identifier: GPL-2.0

//! How a slot names a logical unit other than 0.
//!
//! Two encodings are possible, and a card that takes the other one finds LUN 0 in what was meant
//! for another unit. So a unit that REPORT LUNS names is asked who it is in both, and has to be
//! another than LUN 0 in one of them. Where nothing can be found out, the driver keeps to LUN 0:
//! what was meant for one unit must not reach another.

use super::{
    answers::{
        self,
        Identity,
        PAGE_LEN, //
    },
    landing::{
        landed,
        Piece, //
    },
    trial::{
        Question,
        Trial, //
    },
    Stop, //
};
use crate::model::LunEncoding;
use kernel::prelude::*;

/// Bytes that REPORT LUNS is asked for: the units from 0 to 255.
const REPORT_LEN: usize = 8 + 256 * 8;

/// Pages of vital product data that tell units from each other: identification, serial number.
const PAGES: [u8; 2] = [0x83, 0x80];

/// Learns the encoding, if there is a unit to learn it from: returns whether there is.
pub(super) fn check(trial: &mut Trial<'_, '_>) -> Result<bool, Stop> {
    let Some(lun) = other_lun(trial)? else {
        trial.say(format_args!("there is no unit but LUN 0"));
        return Ok(false);
    };
    for page in PAGES {
        let mut first = Identity::ABSENT;
        if !identity(trial, [0; 4], page, &mut first)? {
            continue;
        }
        let mut answers = LunEncoding::CANDIDATES.map(|encoding| (encoding, false));
        for (encoding, other) in &mut answers {
            let name = encoding.encode(lun);
            *other = compare(trial, name, page, &first, Identity::is_another_than)?;
        }
        // What LUN 0 says may have changed meanwhile: it may just have started.
        let stayed = compare(trial, [0; 4], page, &first, Identity::eq)?;
        trial.say(format_args!(
            "LUN {lun}, page {page:#x}: {answers:?}, LUN 0 stayed: {stayed}"
        ));
        if let (true, Some(encoding)) = (stayed, answers::one_of(answers)) {
            trial.model.lun_encoding.see(encoding);
            return Ok(true);
        }
    }
    dev_warn!(
        trial.pdev,
        "LUN {} cannot be told from LUN 0: only LUN 0 will be used\n",
        lun
    );
    Ok(true)
}

/// A unit other than LUN 0 that REPORT LUNS names.
fn other_lun(trial: &mut Trial<'_, '_>) -> Result<Option<u64>, Stop> {
    let what = "REPORT LUNS";
    let [_, _, high, low] = (REPORT_LEN as u32).to_be_bytes();
    let descriptor = trial.memory.entry(0, REPORT_LEN as u32)?;
    let answered = trial.try_ask(&Question {
        what,
        lun: [0; 4],
        cdb: &[0xa0, 0, 0, 0, 0, 0, 0, 0, high, low],
        descriptor,
    })?;
    if !answered {
        trial.say(format_args!("REPORT LUNS fails"));
        return Ok(None);
    }
    let marks = trial.memory.marks()?;
    // An empty list is a head of 8 bytes.
    landed(what, &marks, &[Piece { area: 0, len: 8 }])?;
    let lun = answers::other_lun(trial.memory.look_at(0, REPORT_LEN)?, crate::MAX_LUN)?;
    trial.memory.sweep(0)?;
    Ok(lun)
}

/// Whether the unit that these bytes of a slot name says who it is, and `is` that in comparison
/// with `first`. It is forgotten again: pages are too much for the stack to have several in one
/// function. Nor can they be allocated, in a restart on which memory may depend.
fn compare(
    trial: &mut Trial<'_, '_>,
    lun: [u8; 4],
    page: u8,
    first: &Identity,
    is: fn(&Identity, &Identity) -> bool,
) -> Result<bool, Stop> {
    let mut unit = Identity::ABSENT;
    Ok(identity(trial, lun, page, &mut unit)? && is(&unit, first))
}

/// Who the unit is that these bytes of a slot name. Returns whether it says so; that it does not
/// may have any reason.
fn identity(
    trial: &mut Trial<'_, '_>,
    lun: [u8; 4],
    page: u8,
    who: &mut Identity,
) -> Result<bool, Stop> {
    let what = "INQUIRY for vital product data";
    let descriptor = trial.memory.entry(0, PAGE_LEN as u32)?;
    let answered = trial.try_ask(&Question {
        what,
        lun,
        cdb: &[0x12, 1, page, 0, PAGE_LEN as u8],
        descriptor,
    })?;
    if answered {
        // Any page has a head of 4 bytes.
        landed(what, &trial.memory.marks()?, &[Piece { area: 0, len: 4 }])?;
    }
    let data = trial.memory.look_at(0, PAGE_LEN)?;
    *who = Identity::of_page(page, data);
    trial.memory.sweep(0)?;
    Ok(answered)
}
