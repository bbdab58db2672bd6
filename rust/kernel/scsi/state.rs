// SPDX-License-Identifier: GPL-2.0

//! Who may use a host's device, and when.
//!
//! The midlayer may, unless somebody else has the device: whoever quiesced it, for a [`Reason`],
//! brings it back, and resets of the midlayer wait for that. Reasons may come together: a bus error
//! while the system goes to sleep, a reset of the function as part of the recovery from an error.
//! The device comes back when none is left.
//!
//! ```text
//!              quiesce                  bring_up                restart
//!   Normal -------------> Deferred ----------------> ready ---------------> Normal
//!      ^                   |  ^  ^                     |
//!      |      restart      |  |  |       quiesce       |
//!      +-------------------+  |  +---------------------+
//!                             +-- restart, if a reason is left
//! ```
//!
//! A mutex protects this. Commands, interrupts and timeouts cannot take it: what it means for them
//! is in one word, [`Access`], which they look at under the RCU read lock.

use kernel::{
    new_condvar, new_mutex,
    prelude::*,
    sync::{
        atomic::AtomicType,
        CondVar,
        Mutex, //
    },
};

use super::Dma;

/// Who may use a host's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Access {
    /// Nobody: the host is not registered. Commands end.
    None,
    /// Nobody yet: the host is being added. Commands wait.
    Adding,
    /// Everybody.
    Running,
    /// The driver, which brings the device up, and its interrupts. Commands wait.
    Resetting,
    /// Nobody: the device is quiesced. Commands wait.
    Quiesced,
    /// Nobody: the device is lost, or was shut down. Commands end.
    Lost,
}

// SAFETY: `Access` and `i32` have the same size and alignment, and it is round-trip transmutable to
// `i32`.
unsafe impl AtomicType for Access {
    type Repr = i32;
}

impl Access {
    /// Whether the device can be accessed, in interrupts too.
    pub(super) fn is_accessible(self) -> bool {
        matches!(self, Self::Running | Self::Resetting)
    }
}

/// Why a device is quiesced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The system sleeps.
    Sleep = 1 << 0,
    /// Somebody resets the function.
    FunctionReset = 1 << 1,
    /// The bus had an error.
    BusError = 1 << 2,
}

/// A set of reasons.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Reasons(u8);

impl Reasons {
    pub(super) const NONE: Self = Self(0);

    pub(super) fn with(self, reason: Reason) -> Self {
        Self(self.0 | reason as u8)
    }

    pub(super) fn without(self, reason: Reason) -> Self {
        Self(self.0 & !(reason as u8))
    }
}

/// Whether a device that is quiesced can be believed when it says that commands are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Yes: they can be completed.
    Trusted,
    /// No: the bus had an error, and what the device wrote to memory may be lost or damaged, its
    /// answers and their data alike. They stay in flight, and are tried again.
    Doubtful,
}

#[derive(Clone, Copy)]
pub(super) enum Phase {
    /// The device is in use, or did not come back from the last reset.
    Normal,
    /// The device is quiesced, and resets wait. If it is `ready` it has been reset, but takes no
    /// commands yet.
    Deferred { reasons: Reasons, ready: bool },
    /// Never again, or not yet: the device was shut down, or the host is not registered.
    Over,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// The switch for the device's DMA, as long as the host is registered.
    pub(super) dma: Option<Dma<'static>>,
    /// Units are blocked, for which there is a reference to the driver's module: without it the
    /// midlayer would not find them when they are to be unblocked.
    pub(super) is_blocked: bool,
    /// How the last reset ended.
    pub(super) last: Result,
    /// There was a bus error after it.
    pub(super) doubtful: bool,
}

/// The resets of a host; lives as long as it.
#[pin_data]
pub(super) struct Resets {
    /// Serialises resets: `sg_reset` can ask for one while error handling does one. An ioctl does
    /// not even keep a host from being removed.
    #[pin]
    pub(super) state: Mutex<State>,
    /// Signalled when resets are no longer deferred.
    #[pin]
    pub(super) undeferred: CondVar,
}

impl Resets {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State {
                phase: Phase::Over,
                dma: None,
                is_blocked: false,
                last: Ok(()),
                doubtful: false,
            }),
            undeferred <- new_condvar!(),
        })
    }
}
