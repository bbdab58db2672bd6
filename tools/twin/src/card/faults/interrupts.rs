// SPDX-License-Identifier: GPL-2.0

//! Interrupts that are lost, late, or too many.

use super::super::regs;
use super::super::state::Card;
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
        if self.strikes(Kind::SameState).is_some() {
            self.pend(&mut self.state(), regs::STATE_CAUSE);
        }
        if self.strikes(Kind::ManagementReply).is_some() {
            self.pend(&mut self.state(), regs::MGMT_CAUSE);
        }
    }

    /// Whether the host may never hear, or only late, of what it is told by interrupt.
    pub(in super::super) fn interrupts_may_be_missed(&self) -> bool {
        [
            Kind::LostInterrupt,
            Kind::LateInterrupt,
            Kind::EarlyInterrupt,
            Kind::Hostile,
        ]
        .iter()
        .any(|kind| self.faults.has(*kind))
    }
}
