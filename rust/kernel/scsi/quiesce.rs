// SPDX-License-Identifier: GPL-2.0

//! A device that is not accessible for a while.
//!
//! A driver's own callbacks call what is here: for suspend and resume, before and after a reset of
//! the function, in the recovery from an error on the bus (`pci.rs` has more for that). Commands
//! wait meanwhile: known logical units are blocked, so that nobody tries in vain.

use crate::bindings;
use kernel::{
    prelude::*,
    sync::atomic::ordering::Relaxed, //
};

use super::{
    state::{
        Access,
        Phase,
        Reasons,
        State, //
    },
    Device,
    Finished,
    Host,
    Operations,
    Reason, //
};

impl<T: Operations> Host<T> {
    /// Keeps the device quiet until [`Host::restart`]: when this returns it does no DMA, and nobody
    /// accesses it. Commands wait, and resets of the midlayer. See [`Operations::quiesce`].
    ///
    /// For process context. Several reasons may come together.
    pub fn quiesce(&self, reason: Reason) {
        let mut state = self.private().resets.state.lock();
        let before = match state.phase {
            Phase::Normal => Reasons::NONE,
            Phase::Deferred { reasons, .. } => reasons,
            Phase::Over => return,
        };
        let reasons = before.with(reason);
        // This lasts until a reset, whatever becomes of the reason.
        state.doubtful |= matches!(reason, Reason::BusError);
        let finished = if state.doubtful {
            Finished::Doubtful
        } else {
            Finished::Trusted
        };
        state.phase = Phase::Deferred {
            reasons,
            ready: false,
        };
        let is_lost = self.access() == Access::Lost;
        self.set_access(Access::Quiesced);
        if T::HAS_QUIESCE && !is_lost {
            // SAFETY: The host is removed under the lock that we hold.
            T::quiesce(unsafe { self.data() }, self, finished);
        }
        if let Some(dma) = &mut state.dma {
            dma.stop();
        }
        // Commands of new ones are returned as busy.
        self.block(&mut state);
    }

    /// Resets a device that was quiesced for this reason only. To be followed by
    /// [`Host::restart`], unless it fails: until then, commands and resets wait.
    ///
    /// # Errors
    ///
    /// As for [`Host::restart`]. Nobody waits any more.
    pub fn bring_up(&self, reason: Reason) -> Result {
        let mut state = self.private().resets.state.lock();
        let others = match state.phase {
            // The driver was bound when the reason was there already: the device was in use.
            Phase::Normal => Reasons::NONE,
            Phase::Deferred { reasons, .. } => reasons.without(reason),
            Phase::Over => return Err(ENODEV),
        };
        if others != Reasons::NONE {
            // The last of them does it.
            return Ok(());
        }
        let result = self.reset_locked(&mut state);
        match result {
            Ok(()) => {
                state.phase = Phase::Deferred {
                    reasons: others.with(reason),
                    ready: true,
                }
            }
            Err(_) => self.undefer(&mut state),
        }
        result
    }

    /// Ends what [`Host::quiesce`] began, by a reset if there was none yet, unless there is another
    /// reason to go on. Does nothing if there was none.
    ///
    /// # Errors
    ///
    /// What the driver returns if the device does not come back, and `ENODEV` if it was shut down.
    pub fn restart(&self, reason: Reason) -> Result {
        let mut state = self.private().resets.state.lock();
        let (reasons, ready) = match state.phase {
            Phase::Normal => return Ok(()),
            Phase::Deferred { reasons, ready } => (reasons.without(reason), ready),
            Phase::Over => return Err(ENODEV),
        };
        if reasons != Reasons::NONE {
            state.phase = Phase::Deferred { reasons, ready };
            return Ok(());
        }
        // One that was brought back may have been lost again.
        let result = if ready && !self.private().works.is_lost.load(Relaxed) {
            Ok(())
        } else {
            self.reset_locked(&mut state)
        };
        self.undefer(&mut state);
        result
    }

    /// The device has been reset, for better or worse: who waited for that goes on.
    fn undefer(&self, state: &mut State) {
        state.phase = Phase::Normal;
        if state.last.is_ok() {
            self.report_reset();
            self.set_access(Access::Running);
        }
        self.unblock(state);
        self.private().resets.undeferred.notify_all();
    }

    /// Keeps commands away from running units.
    pub(super) fn block(&self, state: &mut State) {
        // SAFETY: By the type invariant the host is valid; its template is in the driver's module,
        // or in the kernel, if that is null. If that is being unloaded, the host is about to go.
        if !state.is_blocked && unsafe { bindings::try_module_get(self.module()) } {
            state.is_blocked = true;
            self.for_each_device(Device::block);
        }
    }

    /// Lets commands come again to units that were blocked.
    pub(super) fn unblock(&self, state: &mut State) {
        if state.is_blocked {
            state.is_blocked = false;
            self.for_each_device(Device::unblock);
            // SAFETY: There is the reference that `block` took.
            unsafe { bindings::module_put(self.module()) };
        }
    }

    /// Tells the midlayer that the units were reset, and not by error handling: a unit attention
    /// condition that one reports next is no reason to fail a command.
    fn report_reset(&self) {
        let shost = self.as_raw();
        // SAFETY: By the type invariant the host is valid, and the lock that its list of units
        // wants is held.
        unsafe {
            bindings::spin_lock_irq_disable((*shost).host_lock);
            for channel in 0..=(*shost).max_channel {
                // CAST: A channel that a host has.
                bindings::scsi_report_bus_reset(shost, channel as i32);
            }
            bindings::spin_unlock_irq_enable((*shost).host_lock);
        }
    }
}
