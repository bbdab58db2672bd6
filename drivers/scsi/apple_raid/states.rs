// SPDX-License-Identifier: GPL-2.0

//! The state of the card's controller: a word of its extended configuration space (K).
//!
//! ```text
//!   0 power-on reset --> 15 initializing --> 1 deferred ready --> 2 ready
//!                                                                   | configuration
//!                                        4 enabled <-- 3 deferred enabled
//!   shutdown:  8 offline, 9 shut down         the firmware has died:  10 fatal
//! ```
//!
//! Only an enabled controller takes commands. A change sets a cause of interrupts.

use kernel::{
    device::Bound,
    io::Io,
    pci,
    prelude::*, //
};

/// Offset of the state in configuration space (K).
const STATE: usize = 0x22c;

/// What the controller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It takes commands (4).
    Enabled,
    /// It waits for the configuration, or works on it (2, 3).
    Ready(u32),
    /// It starts, or was shut down and starts when it is brought up (0, 1, 8, 9, 15), or its state
    /// has no name.
    NotYet(u32),
    /// Its firmware has died (10).
    Fatal,
    /// It is gone (all ones).
    Gone,
    /// It cannot be read: there is no extended configuration space behind a conventional bridge.
    /// Then the card's word that it is configured has to do.
    Hidden,
}

impl State {
    /// Reads it. For any context.
    pub(crate) fn read(pdev: &pci::Device<Bound>) -> Self {
        let Ok(config) = pdev.config_space_extended() else {
            return Self::Hidden;
        };
        match config.read32(STATE) {
            4 => Self::Enabled,
            number @ (2 | 3) => Self::Ready(number),
            10 => Self::Fatal,
            u32::MAX => Self::Gone,
            number => Self::NotYet(number),
        }
    }

    /// Whether the controller takes commands, as far as can be seen.
    pub(crate) fn is_enabled(self) -> bool {
        matches!(self, Self::Enabled | Self::Hidden)
    }

    /// Why nothing is to be had of the card any more, if that is so.
    pub(crate) fn is_lost(self) -> Option<&'static str> {
        match self {
            Self::Fatal => Some("the card's firmware has died"),
            Self::Gone => Some("the card is gone: its registers read as all ones"),
            _ => None,
        }
    }

    /// Looks whether it is worth while to wait for the card.
    ///
    /// # Errors
    ///
    /// `ENODEV`, with a line in the log, if it is not.
    pub(crate) fn must_live(self, pdev: &pci::Device<Bound>) -> Result {
        match self.is_lost() {
            None => Ok(()),
            Some(why) => {
                dev_err!(pdev, "{why}\n");
                Err(ENODEV)
            }
        }
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Ready(2) => "ready",
            Self::Ready(_) => "deferred enabled",
            Self::NotYet(0) => "power-on reset",
            Self::NotYet(1) => "deferred ready",
            Self::NotYet(8) => "offline",
            Self::NotYet(9) => "shut down",
            Self::NotYet(15) => "initializing",
            Self::NotYet(_) => "unknown",
            Self::Fatal => "fatal",
            Self::Gone => "gone",
            Self::Hidden => "hidden",
        }
    }
}
