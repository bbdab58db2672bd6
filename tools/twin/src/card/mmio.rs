// SPDX-License-Identifier: GPL-2.0

//! What the host's accesses to BAR0 set in motion.
//!
//! Runs in the thread that talks to QEMU, so nothing here takes long: what a write hands
//! over is latched, and the rest is left to the workers.

use super::faults::Stage;
use super::regs::{self, MASK_ABOVE};
use super::state::{Card, State};
use super::trace::field;
use super::workers::{Job, Work};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

/// The bytes that an access touches.
struct Touched(Range<u64>);

impl Touched {
    fn new(offset: u64, data: &[u8]) -> Touched {
        Touched(offset..offset.saturating_add(data.len() as u64))
    }

    fn hits(&self, register: u32, width: u32) -> bool {
        let register = u64::from(register)..u64::from(register + width);
        self.0.start < register.end && register.start < self.0.end
    }
}

impl Card {
    /// The host reads BAR0.
    pub fn read(self: &Arc<Self>, offset: u64, data: &mut [u8]) {
        let mut state = self.state();
        let touched = Touched::new(offset, data);
        self.figures.lock().bar_reads += 1;
        if !state.dead && touched.hits(regs::MOST_SLOTS, 4) {
            self.goes(&mut state, Stage::Probe);
        }
        match state.dead {
            true => data.fill(0xff),
            false => {
                state.sram.read(offset, data);
                self.misread(&mut state, offset, data);
            }
        }
        self.trace_access("read", offset, data);
    }

    /// The host writes BAR0.
    pub fn write(self: &Arc<Self>, offset: u64, data: &[u8]) {
        let mut state = self.state();
        self.figures.lock().bar_writes += 1;
        self.trace_access("write", offset, data);
        if state.dead {
            return;
        }
        let params = self.params();
        let proper = regs::is_the_hosts(offset, data.len(), &params);
        if !proper {
            let (len, name) = (data.len(), regs::name(offset, &params));
            self.protocol_error(&format!("{len} bytes were written to {offset:#x} ({name})"));
        }
        let flags = state.sram.u32(regs::FLAGS);
        state.sram.write(offset, data);
        let touched = Touched::new(offset, data);
        if touched.hits(regs::SUBMIT_RING, 2 * params.entries()) {
            self.note_entry(&mut state, offset);
        }
        if touched.hits(regs::FLAGS, 4) {
            self.write_flags(&mut state, flags);
        }
        if touched.hits(regs::SUBMIT_INDEX, 4) {
            self.write_submit_index(&mut state);
        }
        if touched.hits(regs::CONSUMER, 4) {
            self.write_consumer(&mut state);
        }
        if touched.hits(regs::MGMT_DOORBELL, 4) {
            self.ring_mgmt(&mut state);
        }
        if touched.hits(regs::STATE_CAUSE, 1) {
            self.note_look(&mut state);
        }
        for cause in regs::MASKED {
            if touched.hits(cause, 1) && proper && state.sram.u8(cause) != 0 {
                let value = state.sram.u8(cause);
                self.protocol_error(&format!("{cause:#x} was written with {value:#x}, not 0"));
            }
            if touched.hits(cause + MASK_ABOVE, 1) {
                self.write_mask(&state, cause);
            }
        }
    }

    fn write_mask(self: &Arc<Self>, state: &State, cause: u32) {
        let mask = state.sram.u8(cause + MASK_ABOVE);
        if ![0, regs::CLOSED].contains(&mask) {
            let at = cause + MASK_ABOVE;
            self.protocol_error(&format!(
                "{at:#x} was written with {mask:#x}, not 0 or 0xff"
            ));
        }
        // Opening a mask lets out what waited behind it, but not what was told before.
        let told = self.params().left_running;
        if mask == 0 && state.sram.u8(cause) != 0 && !told {
            self.interrupt(state, cause);
        }
    }

    /// Hands work that no tag stands for to the workers.
    pub(super) fn queue_manage(&self, state: &mut State, regions: Arc<super::regions::Regions>) {
        state.sequence += 1;
        self.queue.push(Job {
            era: state.era,
            sequence: state.sequence,
            regions,
            work: Work::Manage,
        });
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
