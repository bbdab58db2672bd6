// SPDX-License-Identifier: GPL-2.0

//! The card's one MSI, on its way to the host as an eventfd.
//!
//! A cause that becomes 1 sends one MSI, if its mask is open; while it stays 1 it sends
//! no other. A test may hold interrupts back; what was held
//! goes out as one MSI when it lets go, as messages on a real bus would merge.

use super::regs::MASK_ABOVE;
use super::report::Figures;
use super::state::{Card, State};
use super::trace::{Recorder, field};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Line {
    eventfd: Option<File>,
    held: bool,
    waiting: bool,
    /// How many of the next ones get lost.
    to_lose: u32,
}

/// The way to the host's interrupt.
pub struct Msi {
    line: Mutex<Line>,
    figures: Arc<Figures>,
    trace: Recorder,
}

impl Msi {
    pub(crate) fn new(figures: Arc<Figures>, trace: Recorder) -> Self {
        Msi {
            line: Mutex::default(),
            figures,
            trace,
        }
    }

    /// Takes the eventfd that stands for the vector, or none when it is disabled.
    pub fn connect(&self, eventfd: Option<File>) {
        self.line().eventfd = eventfd;
    }

    /// Forgets an interrupt that is held back.
    pub fn forget(&self) {
        self.line().waiting = false;
    }

    /// Sends an MSI now, or later when it is held back.
    pub(super) fn raise(&self) {
        let mut line = self.line();
        if let Some(left) = line.to_lose.checked_sub(1) {
            line.to_lose = left;
            return self.lost("as-asked-for");
        }
        if line.held {
            line.waiting = true;
            return self.trace.event("msi-held", |_| Ok(()));
        }
        self.send(&mut line);
    }

    /// Holds interrupts back. `may_send` says whether what was held may go out.
    fn hold(&self, held: bool, may_send: bool) {
        let mut line = self.line();
        line.held = held;
        if !held && std::mem::take(&mut line.waiting) {
            match may_send {
                true => self.send(&mut line),
                false => self.lost("no-bus-master"),
            }
        }
    }

    fn send(&self, line: &mut Line) {
        let Some(eventfd) = &mut line.eventfd else {
            return self.lost("no-msi");
        };
        match eventfd.write_all(&1u64.to_ne_bytes()) {
            Ok(()) => {
                self.figures.lock().interrupts += 1;
                self.trace.event("msi", |_| Ok(()));
            }
            Err(error) => {
                tracing::warn!(%error, "the eventfd of the MSI");
                self.lost("eventfd");
            }
        }
    }

    pub(super) fn lost(&self, why: &str) {
        self.figures.lock().interrupts_lost += 1;
        self.trace
            .event("msi-lost", |line| field!(line, "why={why}"));
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Card {
    /// A cause became 1, or its mask was opened over a 1.
    pub(super) fn interrupt(self: &Arc<Self>, state: &State, cause: u32) {
        if state.sram.u8(cause + MASK_ABOVE) != 0 {
            return self
                .trace
                .event("masked", |line| field!(line, "cause={cause:#x}"));
        }
        self.raise();
    }

    /// Sends an MSI, if the card is bus master.
    pub(super) fn send_msi(&self) {
        match self.dma.is_bus_master() {
            true => self.msi.raise(),
            false => self.msi.lost("no-bus-master"),
        }
    }

    /// The next `count` interrupts never reach the host.
    pub fn lose_interrupts(&self, count: u32) {
        self.msi.line().to_lose = count;
    }

    /// Holds interrupts back, or lets them go.
    pub fn hold_interrupts(&self, hold: bool) {
        self.msi.hold(hold, self.dma.is_bus_master());
    }
}
