// SPDX-License-Identifier: GPL-2.0

//! A command's end: response, completion ring, producer index, cause, MSI, in this order.
//!
//! All of it happens under the card's lock, so that task management finds a command either
//! in flight or in the ring, and nothing between. While the ring is full, as the consumer
//! index says, or the state is not enabled, nothing completes: the entries wait, and their
//! tags stay in flight.

use super::dma::{Errand, NoDma};
use super::regions::Regions;
use super::regs::{self};
use super::state::{Card, Phase, State};
use super::trace::{Hex, field};
use super::wire::Answer;
use super::workers::Job;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

/// What the card knows of the completion ring.
#[derive(Default)]
pub struct Ring {
    /// The next entry that it writes.
    pub producer: u32,
    /// The consumer index, as the host last wrote it.
    pub consumer: u32,
    /// Tags that wait until there is room.
    pub waiting: VecDeque<Waiting>,
    /// A fault had the producer index read wrong: what the host makes of it is not its fault.
    pub lied: bool,
}

/// A tag that waits for room in the completion ring.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// The tag.
    pub tag: u16,
    /// Of what is in flight; or it only shows up.
    pub ends: bool,
    /// Whether the host is told.
    pub tell: bool,
}

impl Card {
    /// Answers what is in flight, and tells the host, if `tell`. Fails if it is over
    /// already.
    pub(super) fn publish(
        self: &Arc<Self>,
        state: &mut State,
        job: &Job,
        tag: u16,
        answer: &Answer,
        tell: bool,
    ) -> Result<(), NoDma> {
        let own = |state: &State| {
            let command = state.in_flight.get(&tag);
            state.era == job.era && command.is_some_and(|it| it.sequence == job.sequence)
        };
        if !own(state) {
            return Err(NoDma::Gone);
        }
        let errand = Errand {
            era: job.era,
            tag: Some(tag),
            sequence: job.sequence,
        };
        self.write_response(errand, &job.regions, tag, answer)?;
        let mut figures = self.figures.lock();
        figures.check_conditions += u64::from(answer.has_sense());
        figures.inline += u64::from(answer.has_data());
        drop(figures);
        self.add_strays(state, &job.regions, tag);
        let waiting = Waiting {
            tag,
            ends: true,
            tell,
        };
        self.enter(state, &job.regions, waiting);
        Ok(())
    }

    /// Has a tag show up in the ring that is not, or no more, in flight; with a response,
    /// if there is one.
    pub(super) fn publish_stray(
        self: &Arc<Self>,
        state: &mut State,
        tag: u16,
        answer: Option<&Answer>,
    ) {
        let Phase::Ready(regions) = &state.phase else {
            return;
        };
        let regions = regions.clone();
        let errand = Errand {
            era: state.era,
            tag: Some(tag),
            sequence: 0,
        };
        if let Some(answer) = answer {
            if self.write_response(errand, &regions, tag, answer).is_err() {
                return;
            }
        }
        let waiting = Waiting {
            tag,
            ends: false,
            tell: true,
        };
        self.enter(state, &regions, waiting);
    }

    fn write_response(
        &self,
        errand: Errand,
        regions: &Regions,
        tag: u16,
        answer: &Answer,
    ) -> Result<(), NoDma> {
        let at = regions.response_of(tag);
        self.trace.event("response", |line| {
            field!(line, "tag={tag} addr={at:#012x} bytes={}", Hex(&answer.0))
        });
        self.dma.write(errand, "response", at, &answer.0)
    }

    /// Puts a tag into the ring, or has it wait.
    pub(super) fn enter(
        self: &Arc<Self>,
        state: &mut State,
        regions: &Arc<Regions>,
        waiting: Waiting,
    ) {
        let next = (state.ring.producer + 1) % regions.entries;
        let is_full = next == state.ring.consumer && self.params().stall;
        if is_full || !state.is_enabled() {
            state.ring.waiting.push_back(waiting);
            return self
                .trace
                .event("stall", |line| field!(line, "tag={}", waiting.tag));
        }
        let Waiting { tag, ends, tell } = waiting;
        if ends {
            if let Some(command) = state.in_flight.remove(&tag) {
                let mut figures = self.figures.lock();
                match command.is_task {
                    true => figures.tasks += 1,
                    false => figures.completed += 1,
                }
            }
            state.answered.insert(tag);
            self.ended.notify_all();
        }
        let index = state.ring.producer;
        let errand = Errand {
            era: state.era,
            tag: Some(tag),
            sequence: 0,
        };
        self.trace
            .event("ring", |line| field!(line, "index={index} tag={tag}"));
        // A ring that cannot be written is only reported, and the DMA engine does that.
        let at = regions.ring_entry(index);
        let _ = self.dma.write(errand, "ring", at, &tag.to_be_bytes());
        state.ring.producer = next;
        state.sram.put_u32(regs::PRODUCER, next);
        if tell {
            self.pend(state, regs::SCSI_CAUSE);
        }
    }

    /// The host wrote the consumer index.
    pub(super) fn write_consumer(self: &Arc<Self>, state: &mut State) {
        self.figures.lock().consumer_writes += 1;
        let index = state.sram.u32(regs::CONSUMER);
        self.trace
            .event("consumer", |line| field!(line, "index={index}"));
        let Phase::Ready(regions) = &state.phase else {
            return self.protocol_error("0x4c was written before the configuration was taken");
        };
        let entries = regions.entries;
        let ahead = |to: u32| (to + entries - state.ring.consumer) % entries;
        let producer = state.ring.producer;
        let wrong = if index >= entries {
            format!("0x4c was written with {index}, of {entries} ring entries")
        } else if ahead(index) > ahead(producer) {
            format!("0x4c was written with {index}, ahead of the producer at {producer}")
        } else {
            state.ring.consumer = index;
            state.ring.lied = false;
            return self.enter_waiting(state);
        };
        if !state.ring.lied {
            self.protocol_error(&wrong);
        }
    }

    /// Puts into the ring what waited for it.
    pub(super) fn enter_waiting(self: &Arc<Self>, state: &mut State) {
        if let Phase::Ready(regions) = &state.phase {
            let regions = regions.clone();
            for waiting in std::mem::take(&mut state.ring.waiting) {
                self.enter(state, &regions, waiting);
            }
        }
    }

    /// Sets a cause; sends an MSI if it was 0.
    pub(super) fn pend(self: &Arc<Self>, state: &mut State, cause: u32) {
        if !state.dead && state.sram.u8(cause) == 0 {
            state.sram.put_u8(cause, 1);
            self.interrupt(state, cause);
        }
    }

    /// Something in flight ends without an answer, if it has not ended already.
    pub(super) fn drop_command(&self, state: &mut State, job: &Job, tag: u16, why: NoDma) {
        let command = state.in_flight.get(&tag);
        if state.era != job.era || command.is_none_or(|it| it.sequence != job.sequence) {
            return;
        }
        if let Some(command) = state.in_flight.remove(&tag) {
            self.figures.lock().dropped += u64::from(!command.is_task);
        }
        if !self.dma.is_bus_master() && self.params().late_answers {
            // It could not be answered; after a handshake it may be.
            state.late.push(tag);
        }
        self.ended.notify_all();
        self.trace
            .event("dropped", |line| field!(line, "tag={tag} why={why:?}"));
    }
}
