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
//! It can be configured in the states 2 to 4, and takes commands in state 4 only. A change sets a
//! cause of interrupts.

use kernel::{
    device::Bound,
    io::Io,
    pci,
    prelude::*, //
};

/// Offset of the state in configuration space (K).
const STATE: usize = 0x22c;

/// What the controller does; `None` if that cannot be read: there is no extended configuration
/// space behind a conventional bridge. Then the card's word that it is configured has to do.
#[derive(Clone, Copy)]
pub(crate) struct State(Option<u32>);

impl State {
    /// The card is gone.
    pub(crate) const GONE: Self = Self(Some(u32::MAX));

    pub(crate) fn read(pdev: &pci::Device<Bound>) -> Self {
        let config = pdev.config_space_extended();
        Self(config.ok().map(|config| config.read32(STATE)))
    }

    /// Whether the controller can be configured, as far as can be seen.
    pub(crate) fn has_started(self) -> Option<bool> {
        self.0.map(|number| matches!(number, 2..=4))
    }

    /// Whether the controller takes commands, as far as can be seen.
    pub(crate) fn is_enabled(self) -> bool {
        matches!(self.0, Some(4) | None)
    }

    /// Why nothing is to be had of the card any more, if that is so.
    pub(crate) fn is_lost(self) -> Option<&'static str> {
        match self.0 {
            Some(10) => Some("the card's firmware has died"),
            Some(u32::MAX) => Some("the card is gone: its registers read as all ones"),
            _ => None,
        }
    }

    /// Returns `ENODEV`, with a line in the log, if it is not worth while to wait for the card.
    pub(crate) fn must_live(self, pdev: &pci::Device<Bound>) -> Result {
        self.is_lost().map_or(Ok(()), |why| {
            dev_err!(pdev, "{why}\n");
            Err(ENODEV)
        })
    }

    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            Some(0) => "power-on reset",
            Some(1) => "deferred ready",
            Some(2) => "ready",
            Some(3) => "deferred enabled",
            Some(4) => "enabled",
            Some(8) => "offline",
            Some(9) => "shut down",
            Some(10) => "fatal",
            Some(15) => "initializing",
            Some(u32::MAX) => "gone",
            Some(_) => "unknown",
            None => "hidden",
        }
    }
}
