// SPDX-License-Identifier: GPL-2.0

//! The submit ring, and whether commands may be put into it.
//!
//! The ring lies in BAR0; its entries are tags. The host alone writes its producer index, so it is
//! read at bring-up only. Several tags can be put in before the index shows them to the card (I).
//! One slot fewer than entries is in use, so the ring cannot overflow (K).

use crate::{regions::RING_ENTRIES, regs};
use kernel::{
    io::Io,
    prelude::*,
    time, //
};

/// The submit ring of a card that takes commands.
#[derive(Clone, Copy)]
pub(crate) struct SubmitRing {
    /// Where it lies in BAR0, in bytes.
    at: usize,
    /// Index of the next entry.
    producer: u16,
    /// What the card was shown.
    shown: u16,
}

impl SubmitRing {
    /// The ring at an offset that was checked, as it stands.
    pub(crate) fn new(at: usize, producer: u16) -> Self {
        Self {
            at,
            producer,
            shown: producer,
        }
    }

    /// Puts a tag into the ring. The card does not see it before [`SubmitRing::show`].
    pub(crate) fn push(&mut self, bar: &regs::Bar0<'_>, tag: u16) -> Result {
        bar.try_write16(tag.swap_bytes(), self.at + usize::from(self.producer) * 2)?;
        self.producer = next(self.producer);
        Ok(())
    }

    /// Shows the card what was put in.
    pub(crate) fn show(&mut self, bar: &regs::Bar0<'_>) {
        if self.shown != self.producer {
            self.shown = self.producer;
            let index = regs::Be32(self.producer.into());
            bar.write_reg(regs::SUBMIT_PRODUCER::zeroed().with_value(index));
        }
    }
}

/// The index after this one, in either ring.
pub(crate) fn next(index: u16) -> u16 {
    match index + 1 {
        RING_ENTRIES => 0,
        next => next,
    }
}

/// Whether commands may be submitted.
#[derive(Clone, Copy)]
pub(crate) enum Gate {
    /// The card is not in use: it is being brought up, quiesced, or lost.
    Shut,
    /// The card takes commands.
    Open(SubmitRing),
    /// The controller is not enabled since then; commands wait until it is.
    Held(SubmitRing, time::Instant<time::Monotonic>),
}

impl Gate {
    /// The ring, if commands may be submitted.
    pub(crate) fn ring(&mut self) -> Option<&mut SubmitRing> {
        match self {
            Self::Open(ring) => Some(ring),
            _ => None,
        }
    }

    /// Follows the state of the controller. Returns what commands do now, if that is a change.
    pub(crate) fn follow(&mut self, is_enabled: bool) -> Option<&'static str> {
        match *self {
            Self::Held(ring, _) if is_enabled => {
                *self = Self::Open(ring);
                Some("go on")
            }
            Self::Open(ring) if !is_enabled => {
                *self = Self::Held(ring, time::Instant::now());
                Some("wait")
            }
            _ => None,
        }
    }
}
