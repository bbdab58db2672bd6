// SPDX-License-Identifier: GPL-2.0

//! What the host's accesses to BAR0 set in motion.
//!
//! Runs in the thread that talks to QEMU, so nothing here takes long: a doorbell
//! latches what must not change any more (the tag in the mailbox) and queues the
//! rest for the workers.

use super::faults::Stage;
use super::odd;
use super::params::Doorbell;
use super::regs::{self, MASK_ABOVE};
use super::state::{Card, Phase, State};
use super::trace::field;
use super::workers::{Job, Work};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

/// What the write of a counting doorbell amounts to.
enum Rung {
    /// It holds what it held before.
    No,
    /// It went up by one.
    Once,
    /// It jumped.
    Jumped,
}

/// Compares a doorbell with what the card saw last, and remembers it.
fn rung(seen: &mut u32, word: u32) -> Rung {
    let step = word.wrapping_sub(*seen);
    *seen = word;
    match step {
        0 => Rung::No,
        1 => Rung::Once,
        _ => Rung::Jumped,
    }
}

/// The bytes that an access touches.
struct Touched(Range<u64>);

impl Touched {
    fn hits(&self, register: u32, width: u32) -> bool {
        let register = u64::from(register)..u64::from(register + width);
        self.0.start < register.end && register.start < self.0.end
    }
}

impl Card {
    /// The host reads BAR0.
    pub fn read(&self, offset: u64, data: &mut [u8]) {
        let mut state = self.state();
        let touched = Touched(offset..offset.saturating_add(data.len() as u64));
        if !state.dead && touched.hits(regs::MOST_SCSI, 4) {
            self.goes(&mut state, Stage::Probe);
        }
        match state.dead {
            true => data.fill(0xff),
            false => {
                state.sram.read(offset, data);
                self.misread(offset, data);
            }
        }
        self.trace_access("read", offset, data);
    }

    /// The host writes BAR0.
    pub fn write(self: &Arc<Self>, offset: u64, data: &[u8]) {
        let mut state = self.state();
        self.trace_access("write", offset, data);
        if state.dead {
            return;
        }
        let before = state.sram.u32(regs::SCSI_DOORBELL);
        state.sram.write(offset, data);
        let touched = Touched(offset..offset.saturating_add(data.len() as u64));
        if touched.hits(regs::READY, 1) && state.sram.u8(regs::READY) == 0 {
            state.phase = Phase::Down;
        }
        if touched.hits(regs::CONFIG_DOORBELL, 4) {
            self.config_doorbell(&mut state);
        }
        if touched.hits(regs::MGMT_DOORBELL, 4) {
            self.mgmt_doorbell(&mut state);
        }
        if touched.hits(regs::SCSI_DOORBELL, 4) {
            self.scsi_doorbell(&mut state, before);
        }
        for cause in [regs::SCSI_PENDING, regs::MGMT_PENDING] {
            // Opening a mask lets out what waited behind it, but not what was told before.
            let told = self.params().left_running;
            if touched.hits(cause + MASK_ABOVE, 1) && state.sram.u8(cause) != 0 && !told {
                self.interrupt(&state, cause);
            }
        }
    }

    fn config_doorbell(self: &Arc<Self>, state: &mut State) {
        let word = state.sram.u32(regs::CONFIG_DOORBELL);
        match rung(&mut state.counters.config, word) {
            Rung::No => {}
            Rung::Once => self.configure(state),
            Rung::Jumped => self.protocol_error("config doorbell jumped"),
        }
    }

    fn mgmt_doorbell(&self, state: &mut State) {
        let word = state.sram.u32(regs::MGMT_DOORBELL);
        match rung(&mut state.counters.mgmt, word) {
            Rung::No => return,
            Rung::Once => {}
            Rung::Jumped => return self.protocol_error("management doorbell jumped"),
        }
        if state.managing {
            return self.protocol_error("management doorbell rang before the answer");
        }
        if self.submit(state, Work::Manage) {
            state.managing = true;
        }
    }

    fn scsi_doorbell(&self, state: &mut State, before: u32) {
        match self.params().doorbell {
            Doorbell::Constant => state.sram.put_u32(regs::SCSI_DOORBELL, before),
            Doorbell::Counter => {
                let word = state.sram.u32(regs::SCSI_DOORBELL);
                match rung(&mut state.counters.scsi, word) {
                    Rung::No => return,
                    Rung::Once => {}
                    Rung::Jumped => return self.protocol_error("SCSI doorbell jumped"),
                }
            }
        }
        if self.falters(state) {
            return;
        }
        // Latched here: the host may write the mailbox anew at once.
        let params = self.params();
        let tag = state
            .sram
            .u16(odd::mailbox(params.odd, params.mailbox, state.taken));
        state.taken += 1;
        self.trace
            .event("doorbell", |line| field!(line, "tag={tag}"));
        self.submit_tag(state, tag);
    }

    fn submit_tag(&self, state: &mut State, tag: u16) {
        if let Phase::Ready(regions) = &state.phase {
            if u32::from(tag) >= regions.commands {
                return self.protocol_error(&format!("tag {tag} is beyond the slots in use"));
            }
            if state.in_flight.contains(&tag) {
                return self.protocol_error(&format!("tag {tag} is in flight already"));
            }
        }
        if self.submit(state, Work::Scsi(tag)) {
            state.in_flight.insert(tag);
            self.figures.lock().submitted += 1;
        }
    }

    /// Hands work to the workers, if the card takes any.
    fn submit(&self, state: &mut State, work: Work) -> bool {
        let Phase::Ready(regions) = &state.phase else {
            self.protocol_error("a submit doorbell rang while the card was not ready");
            return false;
        };
        let regions = regions.clone();
        state.sequence += 1;
        self.queue.push(Job {
            era: state.era,
            sequence: state.sequence,
            regions,
            work,
        });
        true
    }

    fn trace_access(&self, kind: &str, offset: u64, data: &[u8]) {
        self.trace.event(kind, |line| {
            let name = regs::name(offset, &self.params());
            field!(
                line,
                "off={offset:#x} reg={name} width={} value=0x",
                data.len()
            )?;
            data.iter().try_for_each(|byte| write!(line, "{byte:02x}"))
        });
    }
}
