// SPDX-License-Identifier: GPL-2.0

//! Check before trust: what the driver finds out of a card before it makes a SCSI host of it.
//!
//! Much of what is known of the card is inference. On a real card a wrong inference would corrupt
//! memory or data. So the driver first holds a conversation with the card ([`trial`]) in which
//! there is nothing to lose: harmless commands (TEST UNIT READY, INQUIRY, REPORT LUNS) whose data
//! goes to memory that is there for this alone ([`memory`]). It looks where the data [`landing`]s
//! and what the [`answers`] say, and each check makes the next one safe:
//!
//! ```text
//!   responses   where is the first response?      the stride; then: is the last tag's there, too?
//!               what did the doorbell do?         it counts, or stays
//!   lists       data by an entry                  INQUIRY of LUN 0: what all others must bring
//!               data by a list at each place      the unit of an index
//!               lists of three and of nine        that lists are followed, and end
//!               entries of many words             the width of their count
//!               data of every length              how much is written behind it
//!   luns        a unit in each encoding           how slots name units
//!   high        data above 4 GiB                  that addresses are not cut
//!   endurance   300 commands                      that the ring needs no acknowledge; its size
//! ```
//!
//! What was found is a [`CardModel`], for good; how units are named may be found out later
//! ([`learn_naming`]). A card that is not like any that the driver can work with is refused by a
//! line in the log that says why ([`misfit`]). The first command after the handshake that follows
//! shows whether a conversation can be begun anew.
//!
//! With the module parameter `verbose_checks` every finding is logged.

pub(crate) mod answers;
mod endurance;
mod high;
pub(crate) mod landing;
mod lists;
mod luns;
mod memory;
pub(crate) mod misfit;
mod responses;
mod trial;

pub(crate) use self::{
    memory::Memory,
    trial::{
        ANSWER_TIMEOUT,
        PAUSE, //
    }, //
};

use self::{
    misfit::Misfit,
    trial::Trial, //
};
use crate::{
    model::{
        CardModel,
        LunEncoding, //
    },
    naming::Naming,
    regs::Bar0,
    scsi::{
        pci::BusMaster,
        DmaStopped, //
    },
};
use core::fmt::Arguments;
use kernel::{
    device::Bound,
    fmt, pci,
    prelude::*,
    time::{
        Instant,
        Monotonic, //
    },
};

/// Why the checks do not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The card is not one that the driver knows.
    Misfit(Misfit),
    /// The driver itself has failed.
    Error(Error),
}

impl From<Misfit> for Stop {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl fmt::Display for CardModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_line(f)
    }
}

impl Trial<'_, '_> {
    /// Logs a finding, if somebody wants to see them all.
    fn say(&self, finding: Arguments<'_>) {
        if crate::module_parameters::verbose_checks.value() {
            dev_info!(self.pdev, "check: {}\n", finding);
        }
    }
}

/// Finds out what the card is. It does no DMA any more when this returns.
///
/// # Errors
///
/// `ENODEV` if it is not one that the driver can work with, and what the handshake returns.
pub(crate) fn learn(
    pdev: &pci::Device<Bound>,
    bar: &Bar0<'_>,
    memory: &mut Memory,
    bus_master: &BusMaster<'_>,
) -> Result<(CardModel, Naming)> {
    let begin: Instant<Monotonic> = Instant::now();
    let mut trial = Trial::open(
        pdev,
        bar,
        memory,
        bus_master,
        bus_master.stop(),
        CardModel::REFERENCE,
    )?;
    match checks(&mut trial) {
        Ok(settled) => {
            dev_info!(pdev, "model: {}\n", trial.model);
            dev_info!(
                pdev,
                "checked by {} commands in {} ms\n",
                trial.answered,
                begin.elapsed().as_millis()
            );
            Ok((trial.model, Naming::new(&trial.model, settled)))
        }
        Err(Stop::Misfit(misfit)) => {
            dev_err!(
                pdev,
                "not a card that this driver can work with: {}\n",
                misfit
            );
            Err(ENODEV)
        }
        Err(Stop::Error(error)) => Err(error),
    }
}

/// Finds out how a card that was found to be `model` names logical units, now that there is another
/// than LUN 0. It does no DMA any more when this returns. A line in the log says how it went.
pub(crate) fn learn_naming(
    pdev: &pci::Device<Bound>,
    bar: &Bar0<'_>,
    memory: &mut Memory,
    bus_master: &BusMaster<'_>,
    stopped: DmaStopped<'_>,
    model: CardModel,
) -> Option<LunEncoding> {
    let checked = Trial::open(pdev, bar, memory, bus_master, stopped, model)
        .map_err(Stop::from)
        .and_then(|mut trial| {
            luns::check(&mut trial)?;
            Ok(trial.model.lun_encoding)
        });
    match checked {
        Ok(item) if item.is_seen() => {
            dev_info!(
                pdev,
                "model: LUN {:?} ({})\n",
                item.value,
                item.evidence.word()
            );
            return Some(item.value);
        }
        Ok(_) => dev_info!(pdev, "how logical units are named could not be found out\n"),
        Err(Stop::Misfit(misfit)) => dev_err!(pdev, "a check has failed: {}\n", misfit),
        Err(Stop::Error(error)) => dev_err!(pdev, "a check has failed: {:?}\n", error),
    }
    None
}

/// All checks. Returns whether there is nothing left to find out of how units are named.
fn checks(trial: &mut Trial<'_, '_>) -> Result<bool, Stop> {
    responses::check(trial)?;
    let data = lists::check_direct(trial)?;
    lists::check_unit(trial, &data)?;
    endurance::look_at_ring(trial)?;
    lists::check_several(trial, &data)?;
    lists::check_count(trial, &data)?;
    lists::check_overrun(trial)?;
    let settled = luns::check(trial)?;
    high::check(trial, &data)?;
    endurance::check(trial)?;
    Ok(settled)
}
