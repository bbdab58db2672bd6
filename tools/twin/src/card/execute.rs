// SPDX-License-Identifier: GPL-2.0

//! One SCSI command, from its slot to its response.
//!
//! What the host got wrong in a way that the card can answer becomes CHECK
//! CONDITION; a command whose era is over, that was aborted, or that finds the card no
//! longer bus master, ends without a trace in host memory.

use super::dma::{Errand, NoDma};
use super::faults::{Instead, Kind};
use super::odd::{self, Odd};
use super::params::Inline;
use super::state::Card;
use super::trace::{Hex, field, operation};
use super::transfer::{Short, Transfer};
use super::wire::{self, Answer, Descriptor, MOST_BODY, Slot};
use super::workers::{Job, Work};
use crate::scsi::{DataPhase, Reply, SENSE_LEN, Status};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

/// Most bytes that one command may bring from the host.
const MOST_DATA_OUT: u64 = 64 << 20;

/// How long a command's data takes when it takes long, in milliseconds.
const SLOW: u32 = 3000;
/// How long before its data an early response comes, in milliseconds.
const EARLY: u32 = 5;

/// Aborted command, data phase CRC error: a DMA that the host refused.
pub(super) const DMA_FAILED: (u8, u8, u8) = (0x0b, 0x47, 0x01);
/// Aborted command, data phase error: the host described less than the CDB moves.
const TOO_LITTLE_DATA: (u8, u8, u8) = (0x0b, 0x4b, 0x00);
/// Illegal request, invalid field in CDB.
const TOO_LONG: (u8, u8, u8) = (0x05, 0x24, 0x00);
/// Medium error, unrecovered read error.
const UNREADABLE: (u8, u8, u8) = (0x03, 0x11, 0x00);

/// Why a command ends before it has done all.
enum End {
    /// With CHECK CONDITION and this sense.
    Sense((u8, u8, u8)),
    /// Without an answer.
    Gone,
    /// As a fault has it.
    Instead(Instead),
    /// It was answered already.
    Answered,
}

impl From<NoDma> for End {
    fn from(why: NoDma) -> End {
        match why {
            NoDma::Gone => End::Gone,
            NoDma::Refused => End::Sense(DMA_FAILED),
        }
    }
}

impl From<Short> for End {
    fn from(why: Short) -> End {
        match why {
            Short::Dma(why) => why.into(),
            Short::Descriptor => End::Sense(TOO_LITTLE_DATA),
        }
    }
}

impl Card {
    /// Does one job, in a worker's thread.
    pub(super) fn execute(self: &Arc<Self>, job: &Job) {
        let mut random = self.random(job);
        match &job.work {
            Work::Manage => self.manage(job),
            Work::Task(slot) => self.task(job, slot),
            Work::Scsi(slot) => {
                let most = u64::try_from(self.params().delay.as_micros()).unwrap_or(u64::MAX);
                if most > 0 {
                    thread::sleep(Duration::from_micros(random.random_range(0..=most)));
                }
                match self.strikes(Kind::SlowData) {
                    None => self.scsi(job, slot, random, Duration::ZERO),
                    Some(strike) => {
                        let pace = Duration::from_millis(strike.at.unwrap_or(SLOW).into());
                        // In a thread of its own: the other commands do not wait for it.
                        let (card, job, slot) = (self.clone(), job.clone(), slot.clone());
                        thread::spawn(move || card.scsi(&job, &slot, random, pace));
                    }
                }
            }
        }
    }

    fn random(&self, job: &Job) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.params().seed);
        random.set_stream(job.sequence);
        random
    }

    /// Does at last what a fault made hang.
    pub(super) fn finish_hung(self: &Arc<Self>, job: &Job) {
        if let Work::Scsi(slot) = &job.work {
            let answer = self.command(job, slot, &mut self.random(job), Duration::ZERO, true);
            self.end(job, slot, answer);
        }
    }

    /// `pace` is how long it takes to move the data.
    fn scsi(self: &Arc<Self>, job: &Job, slot: &Slot, mut random: ChaCha8Rng, pace: Duration) {
        let tag = slot.tag;
        if self.state().answered.contains(&tag) && self.strikes(Kind::LateSecond).is_some() {
            self.publish_stray(&mut self.state(), tag, Some(&Answer::good(tag)));
            // The host shall see it before the command is executed.
            thread::sleep(Duration::from_millis(EARLY.into()));
        }
        let answer = self.command(job, slot, &mut random, pace, false);
        self.end(job, slot, answer);
    }

    fn end(self: &Arc<Self>, job: &Job, slot: &Slot, answer: Result<Answer, End>) {
        let tag = slot.tag;
        let answered = match answer {
            Ok(answer) => self.answer(job, slot, answer),
            Err(End::Sense((key, asc, ascq))) => {
                self.answer(job, slot, Answer::sense(tag, key, asc, ascq))
            }
            Err(End::Instead(Instead::Answer(answer))) => self.answer(job, slot, answer),
            Err(End::Instead(Instead::Hang)) => return self.hang(job, tag),
            Err(End::Instead(Instead::Forget) | End::Gone) => Err(NoDma::Gone),
            Err(End::Answered) => return,
        };
        if let Err(why) = answered {
            self.drop_command(&mut self.state(), job, tag, why);
        }
    }

    /// A command stays in flight, and nobody does anything about it.
    fn hang(&self, job: &Job, tag: u16) {
        let mut state = self.state();
        let command = state.in_flight.get_mut(&tag);
        if let Some(command) = command.filter(|it| it.sequence == job.sequence) {
            command.hung = Some(Box::new(job.clone()));
        }
    }

    /// Moves the data and has the target do the rest.
    fn command(
        self: &Arc<Self>,
        job: &Job,
        slot: &Slot,
        random: &mut ChaCha8Rng,
        pace: Duration,
        spared: bool,
    ) -> Result<Answer, End> {
        let (tag, params) = (slot.tag, self.params());
        let lun = match params.odd {
            Some(Odd::LunIgnored) => 0,
            Some(Odd::Mute) => return Err(End::Instead(Instead::Hang)),
            _ => slot.lun,
        };
        let phase = self.target.data_phase(lun, &slot.cdb);
        let descriptor = match phase {
            DataPhase::None => Descriptor::None,
            _ => slot.descriptor(params.list_flag),
        };
        self.trace_slot(slot, phase, &descriptor);
        if !spared {
            if let Some(instead) = self.instead(tag, lun, &slot.cdb) {
                return Err(End::Instead(instead));
            }
        }
        let transfer = Transfer {
            card: self,
            errand: Errand {
                era: job.era,
                tag: Some(tag),
                sequence: job.sequence,
            },
            regions: &job.regions,
            tag,
            pace,
        };
        let data_out = match phase {
            DataPhase::Out(length) if length > MOST_DATA_OUT => return Err(End::Sense(TOO_LONG)),
            DataPhase::Out(length) => transfer.fetch(slot, &descriptor, length)?,
            DataPhase::In(_) | DataPhase::None => Vec::new(),
        };
        let mut reply = self.have_executed(job, tag, lun, &slot.cdb, &data_out)?;
        let data = &mut reply.data_in;
        odd::garble(params.odd, &slot.cdb, data, random);
        let mut answer = match reply.status {
            Status::Good => Answer::good(tag),
            Status::CheckCondition => {
                Answer::check_condition(tag, reply.sense.unwrap_or([0; SENSE_LEN]))
            }
        };
        if data.is_empty() {
            return Ok(answer);
        }
        self.corrupt(data, random);
        if self.strikes(Kind::ShortData).is_some() {
            data.truncate(data.len() / 2);
        }
        if let Some((blocks, lba)) = self.medium_error(&slot.cdb) {
            data.truncate(blocks);
            let (key, asc, ascq) = UNREADABLE;
            answer = Answer::check_condition(tag, wire::sense_at(key, asc, ascq, lba));
        } else if let Some(answer) = self.inline_too_long(tag, phase, data) {
            return Ok(answer);
        } else if data.len() <= MOST_BODY && self.goes_inline(random) {
            self.trace.event("inline", |line| {
                field!(line, "tag={tag} bytes={}", Hex(data))
            });
            self.figures.lock().bytes_in += data.len() as u64;
            return Ok(Answer::inline(tag, data));
        }
        let early = self.strikes(Kind::EarlyResponse);
        if let Some(strike) = &early {
            self.publish(&mut self.state(), job, tag, &answer, true)?;
            thread::sleep(Duration::from_millis(strike.at.unwrap_or(EARLY).into()));
        }
        transfer.deliver(slot, &descriptor, data, random)?;
        match early {
            Some(_) => Err(End::Answered),
            None => Ok(answer),
        }
    }

    fn goes_inline(&self, random: &mut ChaCha8Rng) -> bool {
        match self.params().inline {
            Inline::Never => false,
            Inline::Fits => true,
            Inline::Seed => random.random(),
        }
    }

    /// Has the target execute the command, unless it is over already: what a power cut, a
    /// reset or an abort ended must not reach a volume afterwards.
    fn have_executed(
        &self,
        job: &Job,
        tag: u16,
        lun: u16,
        cdb: &[u8; 16],
        data_out: &[u8],
    ) -> Result<Reply, End> {
        let _powered = self.power.read().unwrap_or_else(PoisonError::into_inner);
        let mark = |executing| {
            let mut state = self.state();
            let command = state.in_flight.get_mut(&tag);
            let command = command.filter(|it| it.sequence == job.sequence);
            command.map(|command| command.executing = executing)
        };
        mark(true).ok_or(End::Gone)?;
        let reply = self.target.execute(lun, cdb, data_out);
        mark(false);
        self.ended.notify_all();
        Ok(reply)
    }

    fn trace_slot(&self, slot: &Slot, phase: DataPhase, descriptor: &Descriptor) {
        self.trace.event("slot", |line| {
            let op = operation(&slot.cdb);
            field!(line, "tag={} lun={} op={op}", slot.tag, slot.lun)?;
            field!(line, "cdb={}", Hex(&slot.cdb))?;
            match phase {
                DataPhase::None => field!(line, "dir=none")?,
                DataPhase::In(length) => field!(line, "dir=in len={length}")?,
                DataPhase::Out(length) => field!(line, "dir=out len={length}")?,
            }
            match descriptor {
                Descriptor::None => field!(line, "data=none"),
                Descriptor::InPlace(e) => {
                    let (at, bytes) = (e.address, e.bytes());
                    field!(line, "data=direct addr={at:#012x} bytes={bytes}")
                }
                Descriptor::List(index) => field!(line, "data=list index={index:#06x}"),
            }
        });
    }
}
