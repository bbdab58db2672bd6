// SPDX-License-Identifier: GPL-2.0

//! The handshake: the host writes where the regions lie, sets bit 0 of 0x2c and polls
//! 0x5d.
//!
//! The card takes all registers over when the bit is written, and says so some time
//! later. Only then is the past over: until that moment commands of an earlier handshake
//! may still write to the host and complete, which is the worst that a driver has to live
//! with. The masks come up closed. What is still in flight then gets its answer late, in
//! the new ring, or never; its data moves no more.
//!
//! macOS sets the bit again when it is set already (after a sleep), so each write that has
//! it set counts.

use super::controller::Controller;
use super::faults::{Handshake, Kind};
use super::odd::Odd;
use super::regions::Regions;
use super::regs;
use super::state::{Card, Phase, State};
use super::trace::field;
use super::wire::Answer;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// How long after a handshake the answers come to commands of the time before.
const LATE: Duration = Duration::from_millis(20);

impl Card {
    /// The host wrote the flags.
    pub(super) fn write_flags(self: &Arc<Self>, state: &mut State, before: u32) {
        let flags = state.sram.u32(regs::FLAGS);
        if flags & !regs::CONFIGURED != 0 {
            self.protocol_error(&format!("0x2c was written with {flags:#x}"));
        }
        if flags & regs::CONFIGURED != 0 {
            return self.configure(state);
        }
        if before & regs::CONFIGURED != 0 {
            self.protocol_error("bit 0 of 0x2c was cleared");
        }
    }

    /// The configuration is written.
    fn configure(self: &Arc<Self>, state: &mut State) {
        if !state.controller.may_be_configured() {
            let name = state.controller.name();
            return self.protocol_error(&format!("configured in state {name}"));
        }
        let mut regions = Regions::latch(&state.sram);
        for line in regions.complaints(self.params().slots, state.sram.u32(regs::ONE)) {
            self.protocol_error(&line);
        }
        // What the card could not keep apart.
        regions.slots = regions.slots.min(self.params().slots);
        regions.entries = regions.entries.clamp(1, self.params().entries());
        if state.sram.u8(regs::READY) != 0 {
            self.protocol_error("configured without writing 0 to 0x5d first");
            state.sram.put_u8(regs::READY, 0);
        }
        if self.params().odd == Some(Odd::FirstRegions) {
            regions = state.first_regions.get_or_insert(regions).clone();
        }
        state.handshakes += 1;
        let handshake = state.handshakes;
        state.phase = Phase::Configuring {
            handshake,
            regions: Arc::new(regions),
        };
        let (late, garbled) = match self.faulty_handshake(state) {
            Some(Handshake::Ready(late)) => (late, None),
            Some(Handshake::Garbled(flag)) => (Duration::ZERO, Some(flag)),
            Some(Handshake::Silent) | None => return,
        };
        self.soon(state, self.params().ready + late, move |card, state| {
            card.ready(state, handshake, garbled);
        });
    }

    /// The card is done with a handshake, unless the host has begun another.
    fn ready(self: &Arc<Self>, state: &mut State, finished: u64, garbled: Option<u8>) {
        let Phase::Configuring { handshake, regions } = &state.phase else {
            return;
        };
        if *handshake != finished {
            return;
        }
        if let Some(flag) = garbled {
            return state.sram.put_u8(regs::READY, flag);
        }
        let regions = regions.clone();
        self.trace_regions(&regions);
        self.end_past(state, finished);
        self.set_indices(state, regions.entries);
        state.phase = Phase::Ready(regions);
        state.sram.mask_all();
        // A card that was left running still has something to tell of the time before.
        let pending = u8::from(self.params().left_running);
        state.sram.put_u8(regs::SCSI_CAUSE, pending);
        state.sram.put_u8(regs::MGMT_CAUSE, pending);
        state.sram.put_u8(regs::UP, 1);
        state.sram.put_u8(regs::READY, 1);
        self.figures.lock().handshakes += 1;
        self.change(state, Controller::DeferredEnabled);
        state.left_enabled = None;
        if self.strikes(Kind::NeverEnabled).is_some() {
            return;
        }
        self.soon(state, self.params().enable, move |card, state| {
            let ours = state.handshakes == finished && matches!(state.phase, Phase::Ready(_));
            if ours && state.controller == Controller::DeferredEnabled {
                card.change(state, Controller::Enabled);
            }
        });
    }

    /// Ends what is in flight; it may be answered when the handshake is over.
    fn end_past(self: &Arc<Self>, state: &mut State, handshake: u64) {
        let mut late = std::mem::take(&mut state.late);
        if self.params().late_answers {
            late.extend(state.in_flight.keys().copied());
            late.sort_unstable();
        }
        self.begin_era(state);
        if late.is_empty() {
            return;
        }
        state.late = late;
        self.later(LATE, move |card| {
            let mut state = card.state();
            if state.handshakes == handshake && matches!(state.phase, Phase::Ready(_)) {
                for tag in std::mem::take(&mut state.late) {
                    card.trace
                        .event("late-answer", |line| field!(line, "tag={tag}"));
                    card.publish_stray(&mut state, tag, Some(&Answer::good(tag)));
                }
            }
        });
    }

    /// The indices of both rings: as they were, as far as they can be, or 0.
    fn set_indices(&self, state: &mut State, entries: u32) {
        let keep = |index: u32| match self.params().reset_indices || index >= entries {
            true => 0,
            false => index,
        };
        let index = keep(state.submit.index);
        state.submit.begin(index);
        state.ring.producer = keep(state.ring.producer);
        state.ring.consumer = keep(state.ring.consumer);
        state.sram.put_u32(regs::SUBMIT_INDEX, index);
        state.sram.put_u32(regs::PRODUCER, state.ring.producer);
        state.sram.put_u32(regs::CONSUMER, state.ring.consumer);
    }

    fn trace_regions(&self, regions: &Regions) {
        self.trace.event("ready", |line| {
            let r = regions;
            field!(line, "slots={} entries={}", r.slots, r.entries)?;
            field!(
                line,
                "requests={:#012x} responses={:#012x}",
                r.requests,
                r.responses
            )?;
            field!(line, "lists={:#012x} units={}", r.lists, r.list_units)?;
            field!(line, "ring={:#012x}", r.ring)?;
            field!(line, "mgmt-request={:#012x}", r.mgmt_request)?;
            field!(line, "mgmt-reply={:#012x}", r.mgmt_reply)
        });
    }

    /// Does something now if there is no delay, or else later.
    fn soon(
        self: &Arc<Self>,
        state: &mut State,
        delay: Duration,
        what: impl FnOnce(&Arc<Card>, &mut State) + Send + 'static,
    ) {
        match delay.is_zero() {
            true => what(self, state),
            false => self.later(delay, move |card| what(card, &mut card.state())),
        }
    }
}
