// SPDX-License-Identifier: GPL-2.0

//! A logical unit: a volume, its power state, and what it has to tell the host.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::attention::{Attention, Condition};
use super::sense::Sense;
use super::volume::{Fault, Volume, VolumeError};

/// A volume as the host sees it.
pub(super) struct LogicalUnit {
    pub(super) volume: Volume,
    pub(super) attention: Attention,
    started: AtomicBool,
    /// WCE as MODE SELECT saved it: what counts after a power cut.
    saved_caching: AtomicBool,
    /// Whether INQUIRY says that the unit is not connected at the moment.
    pub(super) disconnected: AtomicBool,
    /// So many INQUIRYs for vital product data fail.
    vital_failures: AtomicU32,
}

impl LogicalUnit {
    pub(super) fn new(volume: Volume) -> Self {
        Self {
            volume,
            attention: Attention::power_on(),
            started: AtomicBool::new(true),
            saved_caching: AtomicBool::new(true),
            disconnected: AtomicBool::new(false),
            vital_failures: AtomicU32::new(0),
        }
    }

    /// Refuses what needs the medium while the unit is stopped.
    pub(super) fn ready(&self) -> Result<(), Sense> {
        match self.started.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(Sense::STOPPED),
        }
    }

    pub(super) fn start(&self) {
        self.started.store(true, Ordering::SeqCst);
    }

    /// Stops the unit, and then flushes its cache unless told not to, so that what
    /// was written before is on the medium. If that fails, it goes on running.
    pub(super) fn stop(&self, flush: bool) -> Result<(), Fault> {
        self.started.store(false, Ordering::SeqCst);
        let flushed = if flush {
            self.volume.synchronize(0, 0)
        } else {
            Ok(())
        };
        if flushed.is_err() {
            self.start();
        }
        flushed
    }

    /// The next so many INQUIRYs for vital product data fail.
    pub(super) fn fail_vital_data(&self, count: u32) {
        self.vital_failures.store(count, Ordering::SeqCst);
    }

    /// Whether this one does.
    pub(super) fn fails_vital_data(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.vital_failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
    }

    pub(super) fn saved_caching(&self) -> bool {
        self.saved_caching.load(Ordering::SeqCst)
    }

    /// Sets WCE, for good if `save`.
    pub(super) fn set_caching(&self, caching: bool, save: bool) -> Result<(), Fault> {
        self.volume.set_caching(caching)?;
        if save {
            self.saved_caching.store(caching, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Power fails and comes back.
    pub(super) fn power_cut(&self) {
        self.volume.power_cut(self.saved_caching());
        self.start();
        self.attention.power_cycle();
    }

    pub(super) fn resize(&self, bytes: u64) -> Result<(), VolumeError> {
        self.volume.resize(bytes)?;
        self.attention.raise(Condition::CapacityChanged);
        Ok(())
    }
}
