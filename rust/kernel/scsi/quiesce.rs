// SPDX-License-Identifier: GPL-2.0

//! A device that is not accessible for a while.
//!
//! A driver's own callbacks call what is here: for suspend and resume, before and after a reset of
//! the function, in the recovery from an error on the bus (`pci.rs` has more for that). Commands
//! wait meanwhile: known logical units are blocked, so that nobody tries in vain.

use kernel::prelude::*;

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
        let (before, is_first) = match state.phase {
            Phase::Normal => (Reasons::NONE, true),
            Phase::Deferred { reasons, .. } => (reasons, false),
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
        if is_first {
            // Commands of the others, and of new ones, are given back as busy.
            self.for_each_device(Device::block);
        }
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
        let result = if ready {
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
            self.for_each_device(Device::expect_attention);
            self.set_access(Access::Running);
        }
        self.for_each_device(Device::unblock);
        self.private().resets.undeferred.notify_all();
    }
}
