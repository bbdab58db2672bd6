// SPDX-License-Identifier: GPL-2.0

//! The end of a device: it is shut down, or lost.

use kernel::{
    io::poll::read_poll_timeout,
    prelude::*,
    sync::atomic::ordering::Relaxed,
    time::Delta, //
};

use super::{
    state::{
        Access,
        Phase,
        State, //
    },
    Host,
    HostByte,
    Operations, //
};

/// How long a shutdown waits for the commands in flight.
const IDLE_TIMEOUT: Delta = Delta::from_secs(5);

impl<T: Operations> Host<T> {
    /// Shuts the device down, before the system is powered off or another kernel started (kexec):
    /// gives the commands in flight a few seconds to end, stops the device for good, and ends all
    /// that is left. Later commands end too, and resets fail. For process context.
    ///
    /// A device that has nothing in mind is safe to hand to the next kernel.
    pub fn shut_down(&self) {
        if self.will_run() {
            // The disks were shut down before this, and so their caches flushed. What the work of
            // the driver waits for comes before this returns.
            self.private().works.end();
            {
                let mut state = self.private().resets.state.lock();
                // Somebody else may have shut it down meanwhile.
                if matches!(state.phase, Phase::Normal) {
                    self.block(&mut state);
                }
            }
            Self::settle();
            let is_idle =
                || Ok(self.access() != Access::Running || self.in_flight().next().is_none());
            // What does not end, `stop_for_good` ends.
            let _ = read_poll_timeout(is_idle, |idle| *idle, Delta::from_millis(1), IDLE_TIMEOUT);
        }
        self.stop_for_good();
        self.private().works.end();
    }

    /// Whether the device is in use, or will be after a reset that is under way. Not if it waits
    /// for a restart: who removes or shuts down the host holds the lock without which that cannot
    /// come.
    pub(super) fn will_run(&self) -> bool {
        let state = self.private().resets.state.lock();
        let is_normal = matches!(state.phase, Phase::Normal);
        is_normal && self.access() != Access::Lost && !self.is_disconnected()
    }

    /// As [`Host::shut_down`], but commands in flight end at once.
    pub(super) fn stop_for_good(&self) {
        let mut state = self.private().resets.state.lock();
        if matches!(state.phase, Phase::Over) {
            return;
        }
        state.phase = Phase::Over;
        self.stop_locked(&mut state);
        self.unblock(&mut state);
        self.private().resets.undeferred.notify_all();
    }

    /// Gives a device up that is lost, as after a reset that failed; unless it was reset meanwhile,
    /// or is quiesced: then whoever brings it back finds out.
    pub(super) fn give_up(&self) {
        let mut state = self.private().resets.state.lock();
        let is_lost = self.private().works.is_lost.load(Relaxed);
        if is_lost && matches!(state.phase, Phase::Normal) && self.access() != Access::Lost {
            state.last = Err(ENODEV);
            self.stop_locked(&mut state);
        }
    }

    /// Stops the device, and ends all commands.
    fn stop_locked(&self, state: &mut State) {
        let is_accessible = !matches!(self.access(), Access::Quiesced | Access::Lost);
        self.set_access(Access::Lost);
        let Some(dma) = &mut state.dma else {
            return;
        };
        if T::HAS_STOP && is_accessible && !self.is_disconnected() {
            // SAFETY: The host is removed under the lock that the caller holds.
            T::stop(unsafe { self.data() }, self);
        }
        self.cut_off(dma, HostByte::NoConnect);
    }
}
