// SPDX-License-Identifier: GPL-2.0

//! One SCSI command, from its slot to its response.
//!
//! What the host got wrong in a way that the card can answer becomes CHECK
//! CONDITION; a command whose era is over, or that finds the card no longer bus
//! master, ends without a trace in host memory.

use super::dma::{Errand, NoDma};
use super::faults::{Instead, Kind};
use super::odd;
use super::state::Card;
use super::trace::{Hex, field, operation};
use super::transfer::{Short, Transfer};
use super::wire::{Answer, Descriptor, SLOT_LEN, Slot};
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
const DMA_FAILED: (u8, u8, u8) = (0x0b, 0x47, 0x01);
/// Aborted command, data phase error: the host described less than the CDB moves.
const TOO_LITTLE_DATA: (u8, u8, u8) = (0x0b, 0x4b, 0x00);
/// Illegal request, invalid message error: a slot that is no request.
const NO_REQUEST: (u8, u8, u8) = (0x05, 0x49, 0x00);
/// Illegal request, invalid field in CDB.
const TOO_LONG: (u8, u8, u8) = (0x05, 0x24, 0x00);

/// A command ends here, with this sense or without any answer.
enum End {
    /// With CHECK CONDITION.
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
        let mut random = ChaCha8Rng::seed_from_u64(self.params().seed);
        random.set_stream(job.sequence);
        let most = u64::try_from(self.params().delay.as_micros()).unwrap_or(u64::MAX);
        if most > 0 {
            thread::sleep(Duration::from_micros(random.random_range(0..=most)));
        }
        match job.work {
            Work::Manage => self.manage(job),
            Work::Scsi(tag) => match self.strikes(Kind::SlowData) {
                None => self.scsi(job, tag, &mut random, Duration::ZERO),
                Some(strike) => {
                    let pace = Duration::from_millis(strike.at.unwrap_or(SLOW).into());
                    // In a thread of its own: the other commands do not wait for it.
                    let (card, job) = (self.clone(), job.clone());
                    thread::spawn(move || card.scsi(&job, tag, &mut random, pace));
                }
            },
        }
    }

    /// `pace` is how long it takes to move the data.
    fn scsi(self: &Arc<Self>, job: &Job, tag: u16, random: &mut ChaCha8Rng, pace: Duration) {
        let errand = Errand {
            era: job.era,
            tag: Some(tag),
        };
        let used_before = self.state().answered.contains(&tag);
        if used_before && self.strikes(Kind::LateSecond).is_some() {
            // If it cannot be written, neither can what comes next.
            let _ = self.complete(job, errand, tag, &Answer::good(tag));
            // The host shall see it before the command is executed.
            thread::sleep(Duration::from_millis(EARLY.into()));
        }
        let mut cdb = [0; 16];
        let answer = match self.command(job, errand, tag, random, pace, &mut cdb) {
            Ok(reply) => Ok(match reply.status {
                Status::Good => Answer::good(tag),
                Status::CheckCondition => {
                    Answer::check_condition(tag, reply.sense.unwrap_or([0; SENSE_LEN]))
                }
            }),
            Err(End::Sense((key, asc, ascq))) => Ok(Answer::sense(tag, key, asc, ascq)),
            Err(End::Instead(Instead::Answer(answer))) => Ok(answer),
            Err(End::Instead(Instead::Nothing) | End::Answered) => return,
            Err(End::Gone) => Err(NoDma::Gone),
        };
        let answered = answer.and_then(|answer| self.answer(job, errand, tag, &cdb, answer));
        if let Err(why) = answered {
            self.drop_command(job, tag, why);
        }
    }

    /// Fetches the slot, moves the data and has the target do the rest.
    fn command(
        self: &Arc<Self>,
        job: &Job,
        errand: Errand,
        tag: u16,
        random: &mut ChaCha8Rng,
        pace: Duration,
        cdb: &mut [u8; 16],
    ) -> Result<Reply, End> {
        let mut raw = [0; SLOT_LEN];
        let at = job
            .regions
            .slots
            .saturating_add(u64::from(tag) * SLOT_LEN as u64);
        self.dma.read(errand, "slot", at, &mut raw)?;
        let slot = Slot::decode(&raw, tag, &self.params()).map_err(|error| {
            self.protocol_error(&format!("tag {tag}: {error}"));
            End::Sense(NO_REQUEST)
        })?;
        // A LUN beyond 16 bits is nobody's.
        let lun = u16::try_from(slot.lun).unwrap_or(u16::MAX);
        let phase = self.target.data_phase(lun, &slot.cdb);
        self.trace_slot(&slot, phase);
        *cdb = slot.cdb;
        if let Some(instead) = self.instead(tag, lun, &slot.cdb) {
            return Err(End::Instead(instead));
        }

        let transfer = Transfer {
            card: self,
            errand,
            regions: &job.regions,
            tag,
            pace,
        };
        let data_out = match phase {
            DataPhase::Out(length) if length > MOST_DATA_OUT => return Err(End::Sense(TOO_LONG)),
            DataPhase::Out(length) => transfer.fetch(&slot.descriptor, length)?,
            DataPhase::In(_) | DataPhase::None => Vec::new(),
        };
        let mut reply = self.have_executed(job, lun, &slot.cdb, &data_out)?;
        odd::garble(self.params().odd, &slot.cdb, &mut reply.data_in, random);
        if reply.data_in.is_empty() {
            return Ok(reply);
        }
        self.corrupt(&mut reply.data_in, random);
        if self.strikes(Kind::ShortData).is_some() {
            reply.data_in.truncate(reply.data_in.len() / 2);
        }
        let early = self.strikes(Kind::EarlyResponse);
        if let Some(strike) = &early {
            self.complete(job, errand, tag, &Answer::good(tag))?;
            thread::sleep(Duration::from_millis(strike.at.unwrap_or(EARLY).into()));
        }
        transfer.deliver(&slot.descriptor, &reply.data_in, random)?;
        match early {
            Some(_) => Err(End::Answered),
            None => Ok(reply),
        }
    }

    /// Has the target execute the command, unless it is over already: what a power
    /// cut or a reset ended must not reach a volume afterwards.
    fn have_executed(
        &self,
        job: &Job,
        lun: u16,
        cdb: &[u8; 16],
        data_out: &[u8],
    ) -> Result<Reply, End> {
        let _powered = self.power.read().unwrap_or_else(PoisonError::into_inner);
        if self.state().era != job.era {
            return Err(End::Gone);
        }
        Ok(self.target.execute(lun, cdb, data_out))
    }

    fn trace_slot(&self, slot: &Slot, phase: DataPhase) {
        self.trace.event("slot", |line| {
            field!(
                line,
                "tag={} lun={} op={}",
                slot.tag,
                slot.lun,
                operation(&slot.cdb)
            )?;
            field!(line, "cdb={}", Hex(&slot.cdb))?;
            match phase {
                DataPhase::None => field!(line, "dir=none")?,
                DataPhase::In(length) => field!(line, "dir=in len={length}")?,
                DataPhase::Out(length) => field!(line, "dir=out len={length}")?,
            }
            match slot.descriptor {
                Descriptor::None => field!(line, "data=none"),
                Descriptor::Direct(e) => {
                    field!(
                        line,
                        "data=direct addr={:#012x} bytes={}",
                        e.address,
                        e.bytes()
                    )
                }
                Descriptor::List(index) => field!(line, "data=list index={index:#06x}"),
            }
        });
    }
}
