// SPDX-License-Identifier: GPL-2.0

//! Who may reset a host's device, and when.
//!
//! The midlayer may at any time, unless somebody else has the device: whoever quiesced it, for a
//! [`Reason`], brings it back, and resets of the midlayer wait for that. Reasons may come together:
//! a bus error while the system goes to sleep, a reset of the function as part of the recovery from
//! an error. The device comes back when none is left.
//!
//! ```text
//!              quiesce                  bring_up                restart
//!   Normal -------------> Deferred ----------------> ready ---------------> Normal
//!      ^                   |  ^  ^                     |
//!      |      restart      |  |  |       quiesce       |
//!      +-------------------+  |  +---------------------+
//!                             +-- restart, if a reason is left
//! ```

use crate::bindings;
use kernel::{
    io::poll::read_poll_timeout,
    new_condvar,
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            ordering,
            Atomic, //
        },
        CondVar,
        Mutex, //
    },
    time::Delta, //
};

use super::{
    DmaStopped,
    Host,
    InFlight,
    Operations, //
};

/// How long a shutdown waits for the commands in flight.
const IDLE_TIMEOUT: Delta = Delta::from_secs(5);

/// Why a device is quiesced.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Reason {
    /// The system sleeps.
    Sleep = 1 << 0,
    /// Somebody resets the function.
    FunctionReset = 1 << 1,
    /// The bus had an error.
    Error = 1 << 2,
}

/// A set of reasons.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reasons(u8);

impl Reasons {
    const NONE: Self = Self(0);

    fn with(self, reason: Reason) -> Self {
        Self(self.0 | reason as u8)
    }

    fn without(self, reason: Reason) -> Self {
        Self(self.0 & !(reason as u8))
    }
}

/// Whether a device that is quiesced can be believed when it says that commands are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Yes: they can be completed.
    Trusted,
    /// No: the bus had an error, and what the device wrote to memory may be lost or damaged, its
    /// answers and their data alike. They stay in the table, and are tried again.
    Doubtful,
}

#[derive(Clone, Copy)]
enum Phase {
    /// The device is in use, or did not come back from the last reset.
    Normal,
    /// The device is quiesced, and resets wait. If it is `ready` it has been reset, but takes no
    /// commands yet.
    Deferred { reasons: Reasons, ready: bool },
    /// Never again: the device was shut down, or the host removed.
    Over,
}

struct State {
    phase: Phase,
    /// How the last reset ended.
    last: Result,
    /// There was a bus error after it.
    doubtful: bool,
}

/// The resets of a host; lives as long as it.
#[pin_data]
pub(super) struct Resets {
    /// Serialises resets: `sg_reset` can ask for one while error handling does one. An ioctl does
    /// not even keep a host from being removed.
    #[pin]
    state: Mutex<State>,
    /// Signalled when resets are no longer deferred.
    #[pin]
    undeferred: CondVar,
    /// The device may not be accessible. A hint for those who cannot take the mutex; no more than
    /// that is needed by who unbinds: it holds the lock of the device, under which this changes.
    quiesced: Atomic<bool>,
}

impl Resets {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State {
                phase: Phase::Normal,
                last: Ok(()),
                doubtful: false,
            }),
            undeferred <- new_condvar!(),
            quiesced: Atomic::new(false),
        })
    }
}

impl<T: Operations> Host<T> {
    fn resets(&self) -> &Resets {
        &self.lasting().resets
    }

    /// Waits until the device is not quiesced, and calls `f`; it is not quiesced, reset, shut down
    /// or removed before that returns. `None` if it was removed or shut down.
    pub(super) fn accessible<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        self.undeferred(|_, _| f())
    }

    /// As [`Host::accessible`]. `f` is told whether it was waited for a reset.
    fn undeferred<R>(&self, f: impl FnOnce(&mut State, bool) -> R) -> Option<R> {
        let resets = self.resets();
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
    /// `ENODEV` if the host was removed or shut down, and what the driver returns.
    pub(super) fn reset(&self) -> Result {
        self.undeferred(|state, waited| {
            if waited {
                return state.last;
            }
            self.reset_locked(state)?;
            self.accept_commands();
            Ok(())
        })
        .unwrap_or(Err(ENODEV))
    }

    /// Resets, before the host is removed. No command is let in yet.
    fn reset_locked(&self, state: &mut State) -> Result {
        // SAFETY: The host is not removed before the lock is released: see `removed`.
        let result = T::eh_host_reset(unsafe { self.data() }, self);
        // The midlayer may finish or retry any old command now, whatever the driver did. No new one
        // was let in yet.
        self.in_flight().revoke();
        state.last = result;
        if result.is_ok() {
            state.doubtful = false;
        }
        result
    }

    /// Lets commands in after a reset that worked, before the lock is released.
    fn accept_commands(&self) {
        // SAFETY: As in `reset_locked`.
        T::accept_commands(unsafe { self.data() }, self);
    }

    /// Whether the device may not be accessible: from before [`Host::quiesce`] calls the driver
    /// until the restart, or for good.
    pub(super) fn is_quiesced(&self) -> bool {
        self.resets().quiesced.load(ordering::Relaxed)
    }

    /// Defers resets, and has the driver keep the device quiet until [`Host::bring_up`] or
    /// [`Host::restart`].
    pub(super) fn quiesce<'a>(
        &self,
        reason: Reason,
        quiesce: impl FnOnce(Finished) -> DmaStopped<'a>,
    ) {
        let mut state = self.resets().state.lock();
        let before = match state.phase {
            Phase::Normal => Reasons::NONE,
            Phase::Deferred { reasons, .. } => reasons,
            Phase::Over => return,
        };
        let reasons = before.with(reason);
        // This lasts until a reset, whatever becomes of the reason.
        state.doubtful |= matches!(reason, Reason::Error);
        let ready = false;
        state.phase = Phase::Deferred { reasons, ready };
        self.stop_polling();
        quiesce(if state.doubtful {
            Finished::Doubtful
        } else {
            Finished::Trusted
        });
    }

    /// Keeps the driver from being asked for finished commands.
    fn stop_polling(&self) {
        self.resets().quiesced.store(true, ordering::Relaxed);
        // Who has not seen that yet holds the RCU read lock.
        InFlight::<T>::drain();
    }

    /// Resets a device that was quiesced for this reason only. To be followed by
    /// [`Host::restart`], unless it fails: until then, commands and resets wait.
    ///
    /// # Errors
    ///
    /// As for [`Host::reset`]. Nobody waits any more.
    pub(super) fn bring_up(&self, reason: Reason) -> Result {
        let mut state = self.resets().state.lock();
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
                let reasons = others.with(reason);
                let ready = true;
                // Nobody may have quiesced it.
                self.resets().quiesced.store(true, ordering::Relaxed);
                state.phase = Phase::Deferred { reasons, ready };
            }
            Err(_) => self.undefer(&mut state),
        }
        result
    }

    /// Ends what [`Host::quiesce`] began, by a reset if there was none yet, unless there is another
    /// reason to go on.
    ///
    /// # Errors
    ///
    /// As for [`Host::reset`].
    pub(super) fn restart(&self, reason: Reason) -> Result {
        let mut state = self.resets().state.lock();
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
        let resets = self.resets();
        state.phase = Phase::Normal;
        resets.quiesced.store(false, ordering::Relaxed);
        if state.last.is_ok() {
            self.accept_commands();
        }
        resets.undeferred.notify_all();
    }

    /// Keeps new commands away, and gives those in flight [`IDLE_TIMEOUT`] to finish. To be
    /// followed by [`Host::shut_down`], which lets the new ones come, and end.
    ///
    /// A device that has nothing in mind is safe to hand to the next kernel (kexec).
    pub(super) fn wait_idle(&self) {
        // SAFETY: By the type invariant the host is valid.
        unsafe { bindings::scsi_block_requests(self.as_raw()) };
        // Who is past that check holds the RCU read lock until its command is in the table.
        InFlight::<T>::drain();
        // A device that is quiesced has nothing in mind, and finishes nothing.
        let idle = || Ok(self.is_quiesced() || self.in_flight().tags().next().is_none());
        // What does not finish, `shut_down` ends.
        let _ = read_poll_timeout(idle, |idle| *idle, Delta::from_millis(1), IDLE_TIMEOUT);
    }

    /// Has the driver stop the device for good, after a reset that is under way. All commands end,
    /// and resets that wait fail.
    pub(super) fn shut_down(&self, stop: impl FnOnce()) {
        let resets = self.resets();
        let mut state = resets.state.lock();
        state.phase = Phase::Over;
        self.stop_polling();
        stop();
        self.in_flight().revoke();
        resets.undeferred.notify_all();
        // SAFETY: By the type invariant the host is valid.
        unsafe { bindings::scsi_unblock_requests(self.as_raw()) };
    }

    /// The host was removed: there are no resets any more, and none is under way.
    pub(super) fn removed(&self) {
        self.resets().state.lock().phase = Phase::Over;
    }
}
