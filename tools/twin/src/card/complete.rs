// SPDX-License-Identifier: GPL-2.0

//! A command's end: response, completion ring, status byte, MSI, in this order.
//!
//! The tag is free before the response is visible, because the host may use it
//! again as soon as it sees one. Sense data go out before the header that announces
//! them: on a real bus they share a cache line, and the host sees both or neither.

use super::dma::{Errand, NoDma};
use super::odd;
use super::params::RingFormat;
use super::regs;
use super::state::{Card, State};
use super::trace::{Hex, field};
use super::wire::{Answer, HEADER_LEN};
use super::workers::Job;
use std::fmt::Write as _;
use std::sync::Arc;

impl Card {
    /// Answers a command, and sends an interrupt.
    pub(super) fn complete(
        self: &Arc<Self>,
        job: &Job,
        errand: Errand,
        tag: u16,
        answer: &Answer,
    ) -> Result<(), NoDma> {
        self.respond(job, errand, tag, tag, answer)?;
        self.pend(job, regs::SCSI_PENDING);
        Ok(())
    }

    /// Answers a command, at the place of a tag that should be its own. What the host
    /// cannot take for an answer to it leaves the command in flight.
    pub(super) fn respond(
        &self,
        job: &Job,
        errand: Errand,
        tag: u16,
        place: u16,
        answer: &Answer,
    ) -> Result<(), NoDma> {
        let answers = place == tag && answer.is_for(tag);
        let ring_index = {
            let mut state = self.state();
            if state.era != job.era {
                return Err(NoDma::Gone);
            }
            if odd::stalls(self.params().odd, state.ring_next, job.regions.ring_entries) {
                return Err(NoDma::Gone);
            }
            if answers {
                state.in_flight.remove(&tag);
                state.answered.insert(tag);
            }
            ring_index(&mut state, job)
        };
        let stride = u64::from(self.params().response_stride);
        let at = job
            .regions
            .responses
            .saturating_add(u64::from(place) * stride);
        let Answer { header, sense } = answer;
        self.dma
            .write(errand, "sense", at.saturating_add(HEADER_LEN as u64), sense)?;
        // Counted before the host can see it, so that a test that has seen the
        // answer finds it in the report.
        let counted = |change| {
            if answers {
                self.count(!sense.is_empty(), change);
            }
        };
        counted(u64::wrapping_add);
        self.trace.event("response", |line| {
            field!(line, "tag={tag} addr={at:#012x}")?;
            field!(line, "bytes={}{}", Hex(header), Hex(sense))
        });
        self.dma
            .write(errand, "response", at, header)
            .inspect_err(|_| counted(u64::saturating_sub))?;
        // The response is out: whatever ends the command's era from here on, it was answered.
        self.ring(job, errand, tag, ring_index);
        Ok(())
    }

    /// Sets a status byte; sends an MSI if it was 0.
    pub(super) fn pend(self: &Arc<Self>, job: &Job, cause: u32) {
        let mut state = self.state();
        if state.era != job.era {
            return;
        }
        if state.sram.u8(cause) == 0 {
            state.sram.put_u8(cause, 1);
            self.interrupt(&state, cause);
        }
    }

    /// Writes a tag into the next entry of the completion ring.
    pub(super) fn ring_again(&self, job: &Job, errand: Errand, tag: u16) {
        let index = ring_index(&mut self.state(), job);
        self.ring(job, errand, tag, index);
    }

    fn ring(&self, job: &Job, errand: Errand, tag: u16, index: u32) {
        let wide = u32::from(tag).to_be_bytes();
        let entry: &[u8] = match self.params().ring {
            RingFormat::None => return,
            RingFormat::Tag16 => &wide[2..],
            RingFormat::Tag32 => &wide,
        };
        let at = job
            .regions
            .ring
            .saturating_add(u64::from(index) * odd::ring_stride(self.params().odd, entry.len()));
        self.trace.event("ring", |line| {
            field!(
                line,
                "tag={tag} index={index} addr={at:#012x} bytes={}",
                Hex(entry)
            )
        });
        // A ring that cannot be written is only reported, and the DMA engine does that.
        let _ = self.dma.write(errand, "ring", at, entry);
    }

    fn count(&self, check_condition: bool, change: fn(u64, u64) -> u64) {
        let mut figures = self.figures.lock();
        figures.completed = change(figures.completed, 1);
        figures.check_conditions = change(figures.check_conditions, check_condition.into());
    }

    /// A command that ends without an answer.
    pub(super) fn drop_command(&self, job: &Job, tag: u16, why: NoDma) {
        let mut state = self.state();
        if state.era == job.era {
            state.in_flight.remove(&tag);
        }
        drop(state);
        self.figures.lock().dropped += 1;
        self.trace
            .event("dropped", |line| field!(line, "tag={tag} why={why:?}"));
    }
}

/// Takes an entry of the completion ring.
fn ring_index(state: &mut State, job: &Job) -> u32 {
    let index = state.ring_next;
    state.ring_next = (index + 1) % job.regions.ring_entries.max(1);
    index
}
