// SPDX-License-Identifier: GPL-2.0

//! The controller's state, which the host reads at 0x22c of configuration space.
//!
//! After power-on or a reset the firmware takes its time: 0, then 15, then 2. A handshake
//! leads by 3 to 4, the only state in which commands are taken. Management shuts down to 8
//! and 9; what makes the card bus master then sets it going again.
//!
//! A change sets cause 0x5c and interrupts, if the mask of it is open. If not, nothing is
//! noted: in the trace 0x5c is 0 after a handshake that led to state 4 behind a closed mask.

use super::regs::{self, MASK_ABOVE};
use super::state::{Card, State};
use super::trace::field;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a host may go on submitting when it has seen that the card is not enabled any
/// more: another of its processors may be at it.
const GRACE: Duration = Duration::from_millis(20);
/// How long if it has not looked, although it was interrupted.
const NOTICE: Duration = Duration::from_secs(1);

/// A state of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Controller {
    /// Power-on reset.
    PowerOn = 0,
    /// Deferred ready.
    DeferredReady = 1,
    /// Ready: may be configured.
    Ready = 2,
    /// Configured, and not enabled yet.
    DeferredEnabled = 3,
    /// Takes commands.
    Enabled = 4,
    /// After "shut down controller".
    Offline = 8,
    /// After "shut down system".
    ShutDown = 9,
    /// The firmware has died.
    Fatal = 10,
    /// The firmware starts.
    Initializing = 15,
}

impl Controller {
    /// The state's name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Controller::PowerOn => "power-on",
            Controller::DeferredReady => "deferred-ready",
            Controller::Ready => "ready",
            Controller::DeferredEnabled => "deferred-enabled",
            Controller::Enabled => "enabled",
            Controller::Offline => "offline",
            Controller::ShutDown => "shut-down",
            Controller::Fatal => "fatal",
            Controller::Initializing => "initializing",
        }
    }

    /// The state that management asks for, if it is one that it may ask for.
    pub(super) fn of_shutdown(value: u8) -> Option<Controller> {
        match value {
            8 => Some(Controller::Offline),
            9 => Some(Controller::ShutDown),
            _ => None,
        }
    }

    /// Whether the card may be configured.
    pub fn may_be_configured(self) -> bool {
        use Controller::{DeferredEnabled, Enabled, Ready};
        matches!(self, Ready | DeferredEnabled | Enabled)
    }
}

impl Card {
    /// The state's value, as the host reads it.
    pub fn controller(&self) -> u8 {
        self.state().controller as u8
    }

    /// Begins anew: the way from power-on to ready.
    pub(super) fn initialize(self: &Arc<Self>, state: &mut State) {
        state.starts += 1;
        let (start, delay) = (state.starts, self.params().init);
        self.change(state, Controller::PowerOn);
        if delay.is_zero() {
            return self.change(state, Controller::Ready);
        }
        for (after, to) in [
            (delay / 2, Controller::Initializing),
            (delay, Controller::Ready),
        ] {
            self.later(after, move |card| {
                let mut state = card.state();
                if state.starts == start {
                    card.change(&mut state, to);
                }
            });
        }
    }

    /// Somebody makes the card bus master: one that was shut down starts again.
    pub(super) fn wake(self: &Arc<Self>) {
        let mut state = self.state();
        if matches!(state.controller, Controller::Offline | Controller::ShutDown) {
            self.forget_host(&mut state);
            self.initialize(&mut state);
        }
    }

    /// Has the controller be enabled, or ready again, whatever it was before.
    pub fn enable(self: &Arc<Self>, enabled: bool) {
        let to = if enabled {
            Controller::Enabled
        } else {
            Controller::Ready
        };
        self.change(&mut self.state(), to);
    }

    /// The state becomes another.
    pub(super) fn change(self: &Arc<Self>, state: &mut State, to: Controller) {
        if state.controller == to {
            return;
        }
        if state.controller == Controller::Enabled {
            state.left_enabled = Some(Instant::now());
        }
        state.looked = None;
        state.controller = to;
        self.trace.event("state", |line| {
            field!(line, "value={} name={}", to as u8, to.name())
        });
        if state.sram.u8(regs::STATE_CAUSE + MASK_ABOVE) == 0 {
            self.pend(state, regs::STATE_CAUSE);
        }
        if to == Controller::Enabled {
            self.enter_waiting(state);
            self.take_submitted(state, u32::MAX);
        }
    }

    /// The host has looked at the state, or acknowledged that it has changed.
    pub(super) fn note_look(&self, state: &mut State) {
        state.looked.get_or_insert_with(Instant::now);
    }

    /// Whether the host may not know that the card is not enabled.
    pub(super) fn may_not_know(&self, state: &State) -> bool {
        match (state.looked, state.left_enabled) {
            (looked, None) => looked.is_none(),
            (Some(looked), Some(_)) => looked.elapsed() < GRACE,
            (None, Some(left)) => left.elapsed() < NOTICE || self.interrupts_may_be_missed(),
        }
    }
}
