// SPDX-License-Identifier: GPL-2.0

//! Task management: abort task (1), abort task set (2), clear task set (4), logical unit
//! reset (8).
//!
//! After a good answer a victim is over: it gets no response, and nothing of it is touched
//! any more. A victim that the target is at is waited for, so that no write reaches a volume
//! after the answer; one that moves data is stopped at the DMA gate, which waits for the
//! piece that is on its way. What has finished first is in the ring before the answer.
//! Where there was nothing to abort, the answer is "rejected".

use super::faults::{Trouble, scope};
use super::odd::Odd;
use super::state::{Card, State};
use super::trace::field;
use super::wire::{Answer, Slot};
use super::workers::{Job, Work};
use rand::Rng;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The function that aborts one task.
const ABORT: u8 = 1;
/// The functions that there are.
const FUNCTIONS: [u8; 4] = [ABORT, 2, 4, 8];
/// Status of an answer: not done.
const REJECTED: u8 = 5;
/// SCSI status of victims that turn up.
const TASK_ABORTED: u8 = 0x40;
/// How long after the answer victims turn up.
const VICTIMS: Duration = Duration::from_millis(5);
/// How late an answer is, in milliseconds.
const LATE: u32 = 5000;
/// How long a victim may take to complete at the last moment.
const RACE: Duration = Duration::from_secs(1);

impl Card {
    /// Does what a task management request asks for.
    pub(super) fn task(self: &Arc<Self>, job: &Job, slot: &Slot) {
        let never = matches!(self.params().odd, Some(Odd::NoTasks | Odd::Mute));
        if never || !FUNCTIONS.contains(&slot.function()) {
            return;
        }
        let Some(mut strike) = self.task_fault(slot.function()) else {
            return self.end_tasks(job, slot);
        };
        match scope(strike.fault.kind) {
            Some((_, Trouble::Lost)) => {}
            Some((_, Trouble::Rejected)) => {
                self.answer_task(&mut self.state(), job, slot, REJECTED)
            }
            Some((_, Trouble::Race)) => {
                self.let_finish(job, slot);
                let mut state = self.state();
                if self.victims(&state, slot).is_empty() {
                    let status = [0, REJECTED][strike.random.random_range(0..2)];
                    return self.answer_task(&mut state, job, slot, status);
                }
                drop(state);
                self.end_tasks(job, slot);
            }
            Some((_, Trouble::Late)) | None => {
                let after = Duration::from_millis(strike.at.unwrap_or(LATE).into());
                let (job, slot) = (job.clone(), slot.clone());
                self.later(after, move |card| card.end_tasks(&job, &slot));
            }
        }
    }

    /// The commands in flight that a request is about.
    fn victims(&self, state: &State, slot: &Slot) -> Vec<u16> {
        let all = state.in_flight.iter().filter(|(tag, command)| {
            let named = slot.function() != ABORT || **tag == slot.victim();
            !command.is_task && command.lun == slot.lun && named
        });
        let mut victims: Vec<u16> = all.map(|(tag, _)| *tag).collect();
        victims.sort_unstable();
        victims
    }

    /// Ends the victims, and answers.
    fn end_tasks(self: &Arc<Self>, job: &Job, slot: &Slot) {
        let mut state = self.state();
        let victims = loop {
            if state.era != job.era {
                return;
            }
            let victims = self.victims(&state, slot);
            if !victims.iter().any(|tag| state.in_flight[tag].executing) {
                break victims;
            }
            let moment = Duration::from_millis(100);
            let waited = self.ended.wait_timeout(state, moment);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        self.end_victims(&mut state, &victims);
        let status = match slot.function() == ABORT && victims.is_empty() {
            true => REJECTED,
            false => 0,
        };
        self.answer_task(&mut state, job, slot, status);
        if slot.function() != ABORT && self.params().victims_ring && !victims.is_empty() {
            let era = job.era;
            self.later(VICTIMS, move |card| {
                let mut state = card.state();
                for tag in victims {
                    if state.era == era {
                        let answer = Answer::status(tag, TASK_ABORTED);
                        card.publish_stray(&mut state, tag, Some(&answer));
                    }
                }
            });
        }
    }

    /// After this nothing of the victims is touched any more.
    fn end_victims(&self, state: &mut State, victims: &[u16]) {
        let ended = victims.iter().filter_map(|tag| state.in_flight.remove(tag));
        let sequences: Vec<u64> = ended.map(|command| command.sequence).collect();
        state
            .ring
            .waiting
            .retain(|waiting| !(waiting.ends && victims.contains(&waiting.tag)));
        self.dma.abort(&sequences);
        self.figures.lock().aborted += victims.len() as u64;
    }

    fn answer_task(self: &Arc<Self>, state: &mut State, job: &Job, slot: &Slot, status: u8) {
        self.trace.event("task", |line| {
            let (tag, lun, victim) = (slot.tag, slot.lun, slot.victim());
            field!(line, "tag={tag} function={}", slot.function())?;
            field!(line, "victim={victim} lun={lun} answer={status}")
        });
        let answer = Answer::status(slot.tag, status);
        if let Err(why) = self.publish(state, job, slot.tag, &answer, true) {
            self.drop_command(state, job, slot.tag, why);
        }
    }

    /// The victims complete at this very moment, if they can.
    fn let_finish(self: &Arc<Self>, job: &Job, slot: &Slot) {
        let begin = Instant::now();
        let mut state = self.state();
        let mut hung = Vec::new();
        for tag in self.victims(&state, slot) {
            if let Some(command) = state.in_flight.get_mut(&tag) {
                command.hurry = true;
                hung.extend(command.hung.take());
            }
        }
        drop(state);
        for job in hung {
            if let Work::Scsi(_) = job.work {
                self.finish_hung(&job);
            }
        }
        while begin.elapsed() < RACE {
            let state = self.state();
            if state.era != job.era || self.victims(&state, slot).is_empty() {
                return;
            }
            drop(state);
            thread::sleep(Duration::from_millis(1));
        }
    }
}
