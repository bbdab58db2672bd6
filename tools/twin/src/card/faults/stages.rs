// SPDX-License-Identifier: GPL-2.0

//! The card forgets its host, changes its state, is pulled out, or does not come up.

use super::super::controller::Controller;
use super::super::regs::{self, MASK_ABOVE};
use super::super::state::{Card, Phase, State};
use super::{Kind, Stage, Strike};
use rand::Rng;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How late a card is ready, in milliseconds.
const LATE_READY: u32 = 3000;
/// When a card that is idle goes, in milliseconds.
const IDLE: u32 = 300;
/// How long the state is another, in milliseconds.
const FLIP: u32 = 100;
/// How often it is looked whether it is idle.
const PACE: Duration = Duration::from_millis(20);

/// How a handshake goes.
pub enum Handshake {
    /// As it should, but so much later.
    Ready(Duration),
    /// It never ends.
    Silent,
    /// It ends with this flag.
    Garbled(u8),
}

impl Card {
    /// How the handshake that begins now goes; none if the card is gone meanwhile.
    pub(in super::super) fn faulty_handshake(
        self: &Arc<Self>,
        state: &mut State,
    ) -> Option<Handshake> {
        if is_in_use(state) && self.goes(state, Stage::ErrorHandling) {
            return None;
        }
        Some(if self.strikes(Kind::SilentHandshake).is_some() {
            Handshake::Silent
        } else if let Some(mut strike) = self.strikes(Kind::GarbledReady) {
            let random = strike.random.random_range(2..=0xfe);
            Handshake::Garbled(strike.at.map_or(random, |at| at as u8))
        } else {
            let late = self.strikes(Kind::LateReady);
            let late = late.map_or(0, |strike| strike.at.unwrap_or(LATE_READY));
            Handshake::Ready(Duration::from_millis(late.into()))
        })
    }

    /// Something was submitted: the card may have forgotten its host, or be gone. Whether
    /// it has.
    pub(in super::super) fn falters(self: &Arc<Self>, state: &mut State) -> bool {
        if self.goes(state, Stage::Load) {
            return true;
        }
        if self.strikes(Kind::ReadyLost).is_some() {
            self.forget(state, Controller::Ready);
        } else if self.strikes(Kind::StateFatal).is_some() {
            self.forget(state, Controller::Fatal);
        } else if state.is_enabled() {
            if let Some(strike) = self.strikes(Kind::StateFlip) {
                self.flip(state, strike);
            }
        }
        matches!(state.phase, Phase::Forgotten)
    }

    /// All that was agreed is over, and the state is another.
    fn forget(self: &Arc<Self>, state: &mut State, to: Controller) {
        self.begin_era(state);
        state.phase = Phase::Forgotten;
        state.sram.put_u8(regs::READY, 0);
        self.change(state, to);
    }

    /// The state is another for a while.
    fn flip(self: &Arc<Self>, state: &mut State, mut strike: Strike) {
        let to = [Controller::Ready, Controller::DeferredEnabled][strike.random.random_range(0..2)];
        let after = Duration::from_millis(strike.at.unwrap_or(FLIP).into());
        let era = state.era;
        self.change(state, to);
        self.later(after, move |card| {
            let mut state = card.state();
            if state.era == era && state.controller == to {
                card.change(&mut state, Controller::Enabled);
            }
        });
    }

    /// Whether the card goes at this stage.
    pub(in super::super) fn goes(&self, state: &mut State, stage: Stage) -> bool {
        let goes = self.strikes(Kind::Gone(stage)).is_some();
        if goes {
            self.die(state);
        }
        goes
    }

    /// The host has the caches flushed, or takes the bus away: the card may go.
    pub(in super::super) fn goes_in_remove(&self) -> bool {
        if !self.faults.has(Kind::Gone(Stage::Remove)) {
            return false;
        }
        let mut state = self.state();
        is_in_use(&state) && self.goes(&mut state, Stage::Remove)
    }

    fn die(&self, state: &mut State) {
        self.begin_era(state);
        self.dma.set_bus_master(false);
        self.msi.forget();
        state.phase = Phase::Down;
        state.dead = true;
    }

    /// Has a card go that is to go when it is idle.
    pub(super) fn begin_stages(self: &Arc<Self>) {
        let idle = Kind::Gone(Stage::Idle);
        if self.faults.has(idle) {
            let at = |setting: &super::Setting| {
                (setting.fault.kind == idle).then_some(setting.at.unwrap_or(IDLE))
            };
            let settings = self.faults.settings();
            let after = settings.iter().find_map(at).unwrap_or(IDLE);
            let plan = self.faults.plans.load(Ordering::Relaxed);
            self.go_when_idle(Duration::from_millis(after.into()), plan);
        }
    }

    fn go_when_idle(self: &Arc<Self>, after: Duration, plan: u64) {
        self.later(after, move |card| {
            let mut state = card.state();
            if card.faults.plans.load(Ordering::Relaxed) != plan {
                return;
            }
            if state.in_flight.is_empty() {
                card.goes(&mut state, Stage::Idle);
            } else {
                drop(state);
                card.go_when_idle(PACE, plan);
            }
        });
    }
}

/// Whether the host has let interrupts through: it does more than look at the card.
fn is_in_use(state: &State) -> bool {
    state.sram.u8(regs::SCSI_CAUSE + MASK_ABOVE) == 0
}
