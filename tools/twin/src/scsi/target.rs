// SPDX-License-Identifier: GPL-2.0

//! The target: its logical units, and what every command meets before its handler.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tracing::debug;

use super::attention::Condition;
use super::card_unit;
use super::cdb::Cdb;
use super::error::TargetError;
use super::lun::LogicalUnit;
use super::opcodes::{self, Command, Handler};
use super::sense::Sense;
use super::volume::Volume;
use super::{DataPhase, Reply};

/// What a handler returns: data-in, or why there is none.
pub(super) type Outcome = Result<Vec<u8>, Sense>;

/// The last LUN, as macOS has them (K).
pub(super) const MAX_LUN: u16 = 63;

type Units = BTreeMap<u16, Arc<LogicalUnit>>;

/// The target behind the card: its logical units, by LUN.
#[derive(Default)]
pub struct Target {
    units: RwLock<Units>,
    /// Whether a host has sent anything since power-on: before that, nobody knows
    /// a list of LUNs that could have changed.
    addressed: AtomicBool,
    /// Whether LUN 0 is the card's own unit. A volume that has been there stays, unseen.
    card_unit: AtomicBool,
    /// What the card's own unit has to tell: that the list of LUNs has changed.
    card_luns_changed: AtomicBool,
}

/// A command that is answered whether or not there is a unit at its LUN.
pub(super) struct Request<'a> {
    pub(super) target: &'a Target,
    /// Whether it is for the card's own unit; there is no other then.
    pub(super) card: bool,
    pub(super) unit: Option<&'a LogicalUnit>,
    pub(super) cdb: &'a Cdb,
}

impl Request<'_> {
    /// Whether there is a unit at its LUN.
    pub(super) fn is_somebody(&self) -> bool {
        self.card || self.unit.is_some()
    }
}

impl Target {
    /// What the CDB would move, whatever buffer the host provided.
    ///
    /// It depends on the CDB alone: not on whether the unit is there, nor on
    /// whether it would accept the command. A length of zero is no data phase.
    pub fn data_phase(&self, _lun: u16, cdb: &[u8; 16]) -> DataPhase {
        opcodes::find(cdb).map_or(DataPhase::None, |command| command.phase.of(cdb))
    }

    /// Executes one command. `data_out` holds as many bytes as [`DataPhase::Out`] said.
    pub fn execute(&self, lun: u16, cdb: &[u8; 16], data_out: &[u8]) -> Reply {
        self.addressed.store(true, Ordering::SeqCst);
        match self.dispatch(lun, cdb, data_out) {
            Ok(mut data_in) => {
                let room = match self.data_phase(lun, cdb) {
                    DataPhase::In(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
                    DataPhase::None | DataPhase::Out(_) => 0,
                };
                data_in.truncate(room);
                Reply::good(data_in)
            }
            Err(sense) => {
                let command = opcodes::find(cdb).map_or("unknown", |command| command.name);
                debug!(lun, command, ?cdb, ?sense, "check condition");
                Reply::check(sense)
            }
        }
    }

    /// Puts a volume at a free LUN.
    pub fn add_volume(&self, lun: u16, volume: Volume) -> Result<(), TargetError> {
        if lun > MAX_LUN {
            return Err(TargetError::BeyondLimit(lun));
        }
        if self.is_card(lun) {
            return Err(TargetError::Card(lun));
        }
        let mut units = self.units_mut();
        if units.contains_key(&lun) {
            return Err(TargetError::Taken(lun));
        }
        self.raise_luns_changed(&units);
        units.insert(lun, Arc::new(LogicalUnit::new(volume)));
        Ok(())
    }

    /// Takes a volume away and flushes it. A command that is under way ends as if
    /// it had come before; what it writes is flushed with the last reference.
    pub fn remove_volume(&self, lun: u16) -> Result<(), TargetError> {
        let mut units = self.units_mut();
        let unit = units.remove(&lun).ok_or(TargetError::Absent(lun))?;
        self.raise_luns_changed(&units);
        drop(units);
        unit.volume
            .flush()
            .map_err(|source| TargetError::Volume { lun, source })
    }

    /// Gives a volume another size.
    pub fn resize(&self, lun: u16, bytes: u64) -> Result<(), TargetError> {
        let unit = self.unit(lun).ok_or(TargetError::Absent(lun))?;
        unit.resize(bytes)
            .map_err(|source| TargetError::Volume { lun, source })
    }

    /// Puts another volume where one is. The next command to it is told that its INQUIRY
    /// data have changed, and nothing else; the list of LUNs is the same.
    pub fn replace_volume(&self, lun: u16, volume: Volume) -> Result<(), TargetError> {
        let unit = LogicalUnit::new(volume);
        unit.attention.clear(Condition::PowerOn);
        unit.attention.raise(Condition::InquiryChanged);
        let mut units = self.units_mut();
        let old = units.get_mut(&lun).ok_or(TargetError::Absent(lun))?;
        *old = Arc::new(unit);
        Ok(())
    }

    /// Has INQUIRY say that the unit is not connected at the moment, or is again. It works
    /// all the same.
    pub fn disconnect(&self, lun: u16, disconnected: bool) -> Result<(), TargetError> {
        let unit = self.unit(lun).ok_or(TargetError::Absent(lun))?;
        unit.disconnected.store(disconnected, Ordering::SeqCst);
        Ok(())
    }

    /// The unit fails the next `count` INQUIRYs for vital product data.
    pub fn fail_vital_data(&self, lun: u16, count: u32) -> Result<(), TargetError> {
        let unit = self.unit(lun).ok_or(TargetError::Absent(lun))?;
        unit.fail_vital_data(count);
        Ok(())
    }

    /// Power fails and comes back: what was not flushed is lost, and every unit
    /// has that to tell. Units fail one after the other: whoever wants one moment
    /// for all lets no command run meanwhile.
    pub fn power_cut(&self) {
        for unit in self.units().values() {
            unit.power_cut();
        }
        self.addressed.store(false, Ordering::SeqCst);
        self.card_luns_changed.store(false, Ordering::SeqCst);
    }

    /// An orderly end: flushes every volume, and returns the first error.
    pub fn shutdown(&self) -> Result<(), TargetError> {
        let flush = |(lun, unit): (u16, Arc<LogicalUnit>)| {
            unit.volume
                .flush()
                .map_err(|source| TargetError::Volume { lun, source })
        };
        let units = self.units().clone();
        units.into_iter().map(flush).fold(Ok(()), Result::and)
    }

    /// Whether LUN 0 is the card's own unit.
    pub fn set_card_unit(&self, card: bool) {
        self.card_unit.store(card, Ordering::SeqCst);
    }

    /// The LUNs that have a volume, in order.
    pub fn luns(&self) -> Vec<u16> {
        self.units().keys().copied().collect()
    }

    /// How many bytes a power cut would lose now.
    pub fn dirty_bytes(&self) -> u64 {
        self.units()
            .values()
            .map(|unit| unit.volume.dirty_bytes())
            .sum()
    }

    /// The LUNs of all units, in order.
    pub(super) fn units_to_report(&self) -> Vec<u16> {
        let mut luns = self.luns();
        if self.is_card(card_unit::LUN) {
            luns.retain(|lun| *lun != card_unit::LUN);
            luns.insert(0, card_unit::LUN);
        }
        luns
    }

    fn is_card(&self, lun: u16) -> bool {
        lun == card_unit::LUN && self.card_unit.load(Ordering::SeqCst)
    }

    /// Clears REPORTED LUNS DATA HAS CHANGED on every unit.
    pub(super) fn clear_luns_changed(&self) {
        self.card_luns_changed.store(false, Ordering::SeqCst);
        for unit in self.units().values() {
            unit.attention.clear(Condition::LunsChanged);
        }
    }

    /// What the unit has to tell first. A changed list of LUNs is told once, by
    /// whichever unit is asked first, as SPC-4 devices do.
    pub(super) fn take_attention(&self, unit: &LogicalUnit) -> Option<Sense> {
        let condition = unit.attention.take()?;
        if condition == Condition::LunsChanged {
            self.clear_luns_changed();
        }
        Some(condition.sense())
    }

    /// What the card's own unit has to tell first.
    pub(super) fn take_card_attention(&self) -> Option<Sense> {
        let changed = self.card_luns_changed.load(Ordering::SeqCst);
        changed.then(|| {
            self.clear_luns_changed();
            Condition::LunsChanged.sense()
        })
    }

    fn raise_luns_changed(&self, units: &Units) {
        if self.addressed.load(Ordering::SeqCst) {
            self.card_luns_changed.store(true, Ordering::SeqCst);
            for unit in units.values() {
                unit.attention.raise(Condition::LunsChanged);
            }
        }
    }

    /// The order of the checks is the order in which a host is told: no such unit,
    /// unit attention, no such command, bad CDB, data missing, unit not ready.
    fn dispatch(&self, lun: u16, cdb: &Cdb, data_out: &[u8]) -> Outcome {
        let (card, unit) = match self.is_card(lun) {
            true => (true, None),
            false => (false, self.unit(lun)),
        };
        let unit = unit.as_deref();
        let present = || unit.ok_or(Sense::NO_SUCH_UNIT);
        let command = opcodes::find(cdb);
        if !command.is_ok_and(Command::always) {
            let attention = match card {
                true => self.take_card_attention(),
                false => self.take_attention(present()?),
            };
            attention.map_or(Ok(()), Err)?;
        }
        let command = command?;
        if card {
            card_unit::knows(command)?;
        }
        command.check_reserved(cdb)?;
        command.check_length(cdb)?;
        let data_out = command.data_out(cdb, data_out)?;
        match command.handler {
            Handler::Always(run) => run(&Request {
                target: self,
                card,
                unit,
                cdb,
            }),
            // TEST UNIT READY, which it always is.
            Handler::Unit(_) | Handler::Medium(_) if card => Ok(Vec::new()),
            Handler::Unit(run) => run(present()?, cdb, data_out),
            Handler::Medium(run) => {
                let unit = present()?;
                unit.ready()?;
                run(unit, cdb, data_out)
            }
        }
    }

    fn unit(&self, lun: u16) -> Option<Arc<LogicalUnit>> {
        self.units().get(&lun).cloned()
    }

    // The map is whole whenever the lock is free, poisoned or not.
    fn units(&self) -> RwLockReadGuard<'_, Units> {
        self.units.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn units_mut(&self) -> RwLockWriteGuard<'_, Units> {
        self.units.write().unwrap_or_else(PoisonError::into_inner)
    }
}
