// SPDX-License-Identifier: GPL-2.0

//! The submit ring: u16 tags in BAR0, and the host's producer index at 0x40.
//!
//! A write of the index hands over all entries up to it. The card takes them at once, in
//! the thread that talks to QEMU: it fetches each tag's slot, so that it knows what is in
//! flight and for whom, and leaves the rest to the workers. While the controller is not
//! enabled the entries stay where they are; once it is, they are taken.

use super::dma::{Errand, NoDma};
use super::execute::DMA_FAILED;
use super::odd::Odd;
use super::referee;
use super::regions::Regions;
use super::regs;
use super::state::{Card, Phase, State};
use super::trace::field;
use super::wire::{Answer, Kind, SLOT_LEN, Slot};
use super::workers::{Job, Work};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// Illegal request, invalid message error: a slot that is no request.
const NO_REQUEST: (u8, u8, u8) = (0x05, 0x49, 0x00);

/// What the card knows of the submit ring.
#[derive(Default)]
pub struct Submit {
    /// The index as the host last wrote it.
    pub index: u32,
    /// The next entry that the card takes.
    taken: u32,
    /// Entries that the host has written since they were last taken.
    written: HashSet<u32>,
}

impl Submit {
    /// Begins with this index, and nothing to take.
    pub fn begin(&mut self, index: u32) {
        self.index = index;
        self.taken = index;
        self.written.clear();
    }
}

/// Something in flight.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its number, which no other has.
    pub sequence: u64,
    /// Its LUN.
    pub lun: u16,
    /// Whether it is task management.
    pub is_task: bool,
    /// Whether the target is at it.
    pub executing: bool,
    /// Whether its data is not to take any longer.
    pub hurry: bool,
    /// What is to be done, if nobody does it: a fault makes it hang.
    pub hung: Option<Box<Job>>,
}

impl Card {
    /// The host wrote into the submit ring.
    pub(super) fn note_entry(&self, state: &mut State, offset: u64) {
        let entry = offset.saturating_sub(regs::SUBMIT_RING.into()) / 2;
        state.submit.written.extend(u32::try_from(entry));
    }

    /// The host wrote the submit index.
    pub(super) fn write_submit_index(self: &Arc<Self>, state: &mut State) {
        self.figures.lock().submit_writes += 1;
        let regions = match &state.phase {
            Phase::Ready(regions) => regions.clone(),
            Phase::Forgotten => return,
            Phase::Down | Phase::Configuring { .. } => {
                return self.protocol_error("0x40 was written before the configuration was taken");
            }
        };
        let (index, before) = (state.sram.u32(regs::SUBMIT_INDEX), state.submit.index);
        if index >= regions.entries {
            let entries = regions.entries;
            return self.protocol_error(&format!(
                "0x40 was written with {index}, of {entries} ring entries"
            ));
        }
        if index == before {
            return self.protocol_error(&format!("0x40 was written with {index}, which it was"));
        }
        let mut at = before;
        while at != index {
            if !state.submit.written.remove(&at) && !self.is_plain_mailbox() {
                self.protocol_error(&format!(
                    "0x40 jumped from {before} to {index}: entry {at} was not written"
                ));
                // What it would take there was not meant.
                return state.submit.begin(index);
            }
            at = (at + 1) % regions.entries;
        }
        state.submit.index = index;
        if !state.is_enabled() && !self.may_not_know(state) {
            let name = state.controller.name();
            self.protocol_error(&format!("a command was submitted in state {name}"));
        }
        if self.falters(state) {
            return;
        }
        let params = self.params();
        let one = !params.batch || params.odd == Some(Odd::NoBatch);
        self.take_submitted(state, if one { 1 } else { u32::MAX });
    }

    fn is_plain_mailbox(&self) -> bool {
        self.params().odd == Some(Odd::PlainMailbox)
    }

    /// Takes what was submitted, if the state is right: at most so many entries.
    pub(super) fn take_submitted(self: &Arc<Self>, state: &mut State, most: u32) {
        let Phase::Ready(regions) = &state.phase else {
            return;
        };
        let regions = regions.clone();
        let mut left = most;
        while state.is_enabled() && state.submit.taken != state.submit.index && left > 0 {
            let index = match self.is_plain_mailbox() {
                true => 0,
                false => state.submit.taken,
            };
            let tag = state.sram.u16(regs::SUBMIT_RING + index * 2);
            state.submit.taken = (state.submit.taken + 1) % regions.entries;
            self.trace
                .event("submit", |line| field!(line, "index={index} tag={tag}"));
            self.take(state, &regions, tag);
            left -= 1;
        }
    }

    fn take(self: &Arc<Self>, state: &mut State, regions: &Arc<Regions>, tag: u16) {
        if u32::from(tag) >= regions.slots {
            return self.protocol_error(&format!("tag {tag} is beyond the slots in use"));
        }
        if state.in_flight.contains_key(&tag) {
            return self.protocol_error(&format!("tag {tag} is in flight already"));
        }
        state.sequence += 1;
        let errand = Errand {
            era: state.era,
            tag: Some(tag),
            sequence: state.sequence,
        };
        let mut raw = [0; SLOT_LEN];
        let fetched = self
            .dma
            .read(errand, "slot", regions.request_of(tag), &mut raw);
        let slot = Slot::decode(&raw, tag);
        let is_task = slot.as_ref().is_ok_and(|slot| slot.kind == Kind::Task);
        state.in_flight.insert(
            tag,
            Command {
                sequence: state.sequence,
                lun: slot.as_ref().map_or(0, |slot| slot.lun),
                is_task,
                executing: false,
                hurry: false,
                hung: None,
            },
        );
        let mut job = Job {
            era: state.era,
            sequence: state.sequence,
            regions: regions.clone(),
            work: Work::Manage,
        };
        if !is_task {
            self.figures.lock().submitted += 1;
        }
        let refused = match (fetched, &slot) {
            (Err(NoDma::Gone), _) => return self.drop_command(state, &job, tag, NoDma::Gone),
            (Err(NoDma::Refused), _) => Some(DMA_FAILED),
            (Ok(()), Err(error)) => {
                self.protocol_error(&format!("tag {tag}: {error}"));
                Some(NO_REQUEST)
            }
            (Ok(()), Ok(_)) => None,
        };
        match (refused, slot) {
            (Some((key, asc, ascq)), _) => {
                let answer = Answer::sense(tag, key, asc, ascq);
                if let Err(why) = self.publish(state, &job, tag, &answer, true) {
                    self.drop_command(state, &job, tag, why);
                }
            }
            (None, Err(_)) => {}
            (None, Ok(slot)) => {
                let moves = self.target.data_phase(slot.lun, &slot.cdb);
                for line in referee::slot(&slot, &raw, moves, &self.params()) {
                    self.protocol_error(&format!("tag {tag}: {line}"));
                }
                job.work = match slot.kind {
                    Kind::Scsi => Work::Scsi(slot),
                    Kind::Task => Work::Task(slot),
                };
                self.queue.push(job);
            }
        }
    }
}

impl State {
    /// Whether the card takes commands.
    pub fn is_enabled(&self) -> bool {
        self.controller == super::controller::Controller::Enabled
    }
}
