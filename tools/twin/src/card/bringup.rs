// SPDX-License-Identifier: GPL-2.0

//! The handshake: the host fills in where the six regions lie, rings the
//! configuration doorbell and polls "ready".
//!
//! The card takes all registers over when the doorbell rings, and is ready some
//! time later. Only then is the past over: until that moment commands of an
//! earlier handshake may still write to the host and complete, which is the worst
//! that a driver has to live with. The interrupt masks come up closed.

use super::faults::Handshake;
use super::odd::Odd;
use super::regs::{self, Sram};
use super::state::{Card, Phase, State};
use super::trace::field;
use std::fmt::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What the host said in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// A: SCSI command slots.
    pub slots: u64,
    /// SCSI command slots in use.
    pub commands: u32,
    /// B: management command buffer.
    pub mgmt_command: u64,
    /// Size of B.
    pub mgmt_command_len: u32,
    /// C: completion ring.
    pub ring: u64,
    /// Entries of C.
    pub ring_entries: u32,
    /// D: management response buffer.
    pub mgmt_response: u64,
    /// E: scatter-gather lists.
    pub lists: u64,
    /// Units of E.
    pub list_units: u32,
    /// F: responses.
    pub responses: u64,
}

impl Regions {
    fn latch(sram: &Sram) -> Regions {
        Regions {
            slots: sram.u64(regs::REGION_A),
            commands: sram.u32(regs::SCSI_SLOTS),
            mgmt_command: sram.u64(regs::REGION_B),
            mgmt_command_len: sram.u32(regs::REGION_B_SIZE),
            ring: sram.u64(regs::REGION_C),
            ring_entries: sram.u32(regs::RING_ENTRIES),
            mgmt_response: sram.u64(regs::REGION_D),
            lists: sram.u64(regs::REGION_E),
            list_units: sram.u32(regs::LIST_UNITS),
            responses: sram.u64(regs::REGION_F),
        }
    }
}

impl Card {
    /// The configuration doorbell rang.
    pub(super) fn configure(self: &Arc<Self>, state: &mut State) {
        let mut regions = Regions::latch(&state.sram);
        if regions.commands > self.params().commands {
            self.protocol_error("more SCSI slots than the card has");
            regions.commands = self.params().commands;
        }
        if state.sram.u8(regs::READY) != 0 {
            self.protocol_error("configuration doorbell without clearing ready first");
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
        let delay = self.params().bring_up_delay + late;
        if delay.is_zero() {
            return self.ready(state, handshake, garbled);
        }
        let card = Arc::downgrade(self);
        thread::spawn(move || {
            thread::sleep(delay);
            if let Some(card) = card.upgrade() {
                card.ready(&mut card.state(), handshake, garbled);
            }
        });
    }

    /// The card is done with a handshake, unless the host has begun another.
    fn ready(&self, state: &mut State, finished: u64, garbled: Option<u8>) {
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
        self.trace.event("ready", |line| {
            field!(line, "slots={} a={:#012x}", regions.commands, regions.slots)?;
            field!(
                line,
                "b={:#012x} c={:#012x}",
                regions.mgmt_command,
                regions.ring
            )?;
            field!(
                line,
                "d={:#012x} e={:#012x}",
                regions.mgmt_response,
                regions.lists
            )?;
            field!(
                line,
                "units={} f={:#012x}",
                regions.list_units,
                regions.responses
            )
        });
        self.begin_era(state);
        state.phase = Phase::Ready(regions);
        state.sram.mask_all();
        // A card that was left running still has something to tell of the time before.
        let pending = u8::from(self.params().left_running);
        state.sram.put_u8(regs::SCSI_PENDING, pending);
        state.sram.put_u8(regs::MGMT_PENDING, pending);
        state.sram.put_u8(regs::UP, 1);
        state.sram.put_u8(regs::READY, 1);
        self.figures.lock().handshakes += 1;
    }
}
