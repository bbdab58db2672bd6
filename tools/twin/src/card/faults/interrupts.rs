// SPDX-License-Identifier: GPL-2.0

//! Interrupts that are lost, late, or too many.

use super::super::regs::{self, MASK_ABOVE};
use super::super::state::{Card, State};
use super::Kind;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How late an interrupt is at most, in milliseconds.
const LATE: u32 = 200;
/// How long after the real one a spurious interrupt comes at most, in milliseconds.
const SPURIOUS: u32 = 5;
/// How many interrupts are a storm, and the time between two of them.
const STORM: u32 = 500;
const STORM_PACE: Duration = Duration::from_micros(50);

impl Card {
    /// An MSI is due: sends it, unless a fault has other ideas.
    pub(in super::super) fn raise(self: &Arc<Self>) {
        if self.strikes(Kind::LostInterrupt).is_some() {
            self.msi.lost("fault");
        } else if let Some(mut strike) = self.strikes(Kind::LateInterrupt) {
            self.later(strike.moment(LATE), |card| card.send_msi());
        } else {
            self.send_msi();
        }
    }

    /// A command has completed: interrupts that nobody needs.
    pub(in super::super) fn needless_interrupts(self: &Arc<Self>) {
        if let Some(mut strike) = self.strikes(Kind::SpuriousInterrupt) {
            self.later(strike.moment(SPURIOUS), |card| card.send_msi());
        }
        if let Some(strike) = self.strikes(Kind::InterruptStorm) {
            let count = strike.at.unwrap_or(STORM);
            self.later(Duration::ZERO, move |card| {
                for _ in 0..count {
                    card.send_msi();
                    thread::sleep(STORM_PACE);
                }
            });
        }
        if self.strikes(Kind::UnknownCause).is_some() {
            self.pretend(regs::OTHER_MASK - MASK_ABOVE);
        }
        if self.strikes(Kind::ManagementResponse).is_some() {
            self.pretend(regs::MGMT_PENDING);
        }
    }

    /// Sets a status byte without a reason.
    fn pretend(self: &Arc<Self>, cause: u32) {
        let mut state = self.state();
        if !state.dead {
            state.sram.put_u8(cause, 1);
            self.interrupt(&state, cause);
        }
    }

    /// Sets the status byte of SCSI completions before there is one.
    pub(super) fn interrupt_early(self: &Arc<Self>, state: &mut State) {
        if state.sram.u8(regs::SCSI_PENDING) == 0 {
            state.sram.put_u8(regs::SCSI_PENDING, 1);
            self.interrupt(state, regs::SCSI_PENDING);
        }
    }
}
