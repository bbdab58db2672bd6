// SPDX-License-Identifier: GPL-2.0

//! One SCSI command, from its slot to its response.
//!
//! What the host got wrong in a way that the card can answer becomes CHECK
//! CONDITION; a command whose era is over, or that finds the card no longer bus
//! master, ends without a trace in host memory.

use super::dma::{Errand, NoDma};
use super::state::Card;
use super::trace::{Hex, field, operation};
use super::transfer::{Short, Transfer};
use super::wire::{self, Descriptor, SLOT_LEN, Slot};
use super::workers::{Job, Work};
use crate::scsi::{DataPhase, Reply, SENSE_LEN, Status};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

/// Most bytes that one command may bring from the host.
const MOST_DATA_OUT: u64 = 64 << 20;

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
    pub(super) fn execute(&self, job: &Job) {
        let mut random = ChaCha8Rng::seed_from_u64(self.params.seed);
        random.set_stream(job.sequence);
        let most = u64::try_from(self.params.delay.as_micros()).unwrap_or(u64::MAX);
        if most > 0 {
            thread::sleep(Duration::from_micros(random.random_range(0..=most)));
        }
        match job.work {
            Work::Manage => self.manage(job),
            Work::Scsi(tag) => self.scsi(job, tag, &mut random),
        }
    }

    fn scsi(&self, job: &Job, tag: u16, random: &mut ChaCha8Rng) {
        let errand = Errand {
            era: job.era,
            tag: Some(tag),
        };
        let answered = match self.command(job, errand, tag, random) {
            Ok(Reply {
                status: Status::Good,
                ..
            }) => self.complete(job, errand, tag, None),
            Ok(reply) => {
                let sense = reply.sense.unwrap_or([0; SENSE_LEN]);
                self.complete(job, errand, tag, Some(sense))
            }
            Err(End::Sense((key, asc, ascq))) => {
                self.complete(job, errand, tag, Some(wire::sense(key, asc, ascq)))
            }
            Err(End::Gone) => Err(NoDma::Gone),
        };
        if let Err(why) = answered {
            self.drop_command(job, tag, why);
        }
    }

    /// Fetches the slot, moves the data and has the target do the rest.
    fn command(
        &self,
        job: &Job,
        errand: Errand,
        tag: u16,
        random: &mut ChaCha8Rng,
    ) -> Result<Reply, End> {
        let mut raw = [0; SLOT_LEN];
        let at = job
            .regions
            .slots
            .saturating_add(u64::from(tag) * SLOT_LEN as u64);
        self.dma.read(errand, "slot", at, &mut raw)?;
        let slot = Slot::decode(&raw, tag, &self.params).map_err(|error| {
            self.protocol_error(&format!("tag {tag}: {error}"));
            End::Sense(NO_REQUEST)
        })?;
        // A LUN beyond 16 bits is nobody's.
        let lun = u16::try_from(slot.lun).unwrap_or(u16::MAX);
        let phase = self.target.data_phase(lun, &slot.cdb);
        self.trace_slot(&slot, phase);

        let transfer = Transfer {
            card: self,
            errand,
            regions: &job.regions,
            tag,
        };
        let data_out = match phase {
            DataPhase::Out(length) if length > MOST_DATA_OUT => return Err(End::Sense(TOO_LONG)),
            DataPhase::Out(length) => transfer.fetch(&slot.descriptor, length)?,
            DataPhase::In(_) | DataPhase::None => Vec::new(),
        };
        let reply = self.have_executed(job, lun, &slot.cdb, &data_out)?;
        if !reply.data_in.is_empty() {
            transfer.deliver(&slot.descriptor, &reply.data_in, random)?;
        }
        Ok(reply)
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
