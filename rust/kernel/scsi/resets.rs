// SPDX-License-Identifier: GPL-2.0

//! Resets of a host's device: that nobody is in the way, and that nothing is left of old commands.

use kernel::{
    pr_err_once,
    prelude::*,
    sync::{
        atomic::ordering::Relaxed,
        rcu, //
    },
};

use super::{
    state::{
        Access,
        Phase,
        State, //
    },
    Dma,
    DmaStopped,
    Host,
    HostByte,
    Operations,
    Outcome, //
};

impl<T: Operations> Host<T> {
    /// Waits until the device is not quiesced, and calls `f`; it is not quiesced, reset, shut down
    /// or removed before that returns. `None` if the host is not registered, or the device was shut
    /// down or is lost.
    pub(super) fn accessible<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        self.undeferred(|_, _| (self.access() != Access::Lost).then(f))
            .flatten()
    }

    /// As [`Host::accessible`]. `f` is told whether it was waited for a reset.
    fn undeferred<R>(&self, f: impl FnOnce(&mut State, bool) -> R) -> Option<R> {
        let resets = &self.private().resets;
        let mut state = resets.state.lock();
        let mut waited = false;
        while matches!(state.phase, Phase::Deferred { .. }) {
            waited = true;
            resets.undeferred.wait(&mut state);
        }
        match state.phase {
            Phase::Over => None,
            _ => Some(f(&mut state, waited)),
        }
    }

    /// Has the driver reset the device, one reset at a time. If it is quiesced, the reset that ends
    /// this serves.
    ///
    /// # Errors
    ///
    /// `ENODEV` if the host is not registered or the device was shut down, and what the driver
    /// returns.
    pub(super) fn reset(&self) -> Result {
        self.undeferred(|state, waited| {
            if waited {
                return state.last;
            }
            self.reset_locked(state)?;
            self.set_access(Access::Running);
            Ok(())
        })
        .unwrap_or(Err(ENODEV))
    }

    /// Resets. No command is let in before the caller does so, and none is in flight. If that fails
    /// the device is lost, until the next reset.
    pub(super) fn reset_locked(&self, state: &mut State) -> Result {
        let dma = state.dma.as_mut().ok_or(ENODEV)?;
        self.set_access(Access::Resetting);
        // Whoever saw the device before has said so: `set_access` waited for them.
        self.private().works.is_lost.store(false, Relaxed);
        let mut result = if self.is_disconnected() {
            Err(ENODEV)
        } else {
            // SAFETY: The host is removed under the lock that the caller holds.
            T::eh_host_reset(unsafe { self.data() }, self, dma)
        };
        // The midlayer may finish or retry any old command now, whatever the driver did.
        if result.is_ok() && self.is_anything_left(|_| true) {
            pr_err_once!("{}: a driver kept a SCSI command in a reset\n", T::NAME);
            result = Err(EIO);
        }
        match result {
            Ok(()) => state.doubtful = false,
            Err(_) => self.cut_off(dma, HostByte::Error),
        }
        state.last = result;
        result
    }

    /// Gives the device up, until the next reset: it does no DMA, and all commands end.
    pub(super) fn cut_off(&self, dma: &mut Dma<'_>, host_byte: HostByte) {
        self.set_access(Access::Lost);
        // First the device, then its mappings.
        let stopped = dma.stop();
        self.end_all(&stopped, host_byte);
        // Who has taken a command before that has ended it after this.
        Self::settle();
        self.unmap_lost();
    }

    fn end_all(&self, _stopped: &DmaStopped<'_>, host_byte: HostByte) {
        let rcu = rcu::read_lock();
        for tag in self.in_flight() {
            if let Some((cmd, _)) = self.take(tag, &rcu) {
                cmd.complete(Outcome::host(host_byte));
            }
        }
    }

    /// Ends all commands in flight: with [`HostByte::Reset`] because the device was reset, so that
    /// the midlayer tries them again, or with [`HostByte::NoConnect`] because it is gone.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the proof is not of this host's own switch.
    pub fn complete_all(&self, stopped: &DmaStopped<'_>, host_byte: HostByte) -> Result {
        if !stopped.is_of(self.private().dma.load(Relaxed)) {
            return Err(EINVAL);
        }
        self.end_all(stopped, host_byte);
        Ok(())
    }
}
