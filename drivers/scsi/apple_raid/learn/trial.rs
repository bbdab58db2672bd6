// SPDX-License-Identifier: GPL-2.0

//! A trial: a conversation with the card for the checks alone, in memory of its own. The masks of
//! the interrupts stay as they are, and the driver polls. When the trial ends, however it does,
//! the card does no DMA any more.

use super::{
    answers,
    landing::{
        landed,
        Marks,
        Piece, //
    },
    memory::Memory,
    misfit::Misfit,
    Stop, //
};
use crate::{
    bringup::{
        self,
        Doorbell, //
    },
    model::{
        CardModel,
        DoorbellKind, //
    },
    regs::{
        self,
        Bar0, //
    },
    scsi::{
        pci::BusMaster,
        DmaStopped,
        Status, //
    },
    wire::{
        self,
        Entry,
        Response,
        CDB_LEN, //
    },
};
use kernel::{
    device::Bound,
    io::{
        poll::read_poll_timeout,
        Io, //
    },
    pci,
    prelude::*,
    time::{
        Delta,
        Instant,
        Monotonic, //
    },
};

/// How long an answer may take.
pub(crate) const ANSWER_TIMEOUT: Delta = Delta::from_secs(5);

/// How long all of them may take: probe holds the lock of the device.
const BUDGET: Delta = Delta::from_secs(60);

/// How often the driver looks for one.
pub(crate) const PAUSE: Delta = Delta::from_micros(20);

/// How often a command is asked that failed: a unit may have something to tell first.
const ATTEMPTS: usize = 4;

/// A command for the card.
pub(crate) struct Question<'a> {
    /// What it is for, in the log.
    pub(crate) what: &'static str,
    pub(crate) lun: [u8; 4],
    pub(crate) cdb: &'a [u8],
    pub(crate) descriptor: Entry,
}

impl Question<'_> {
    /// Whether the unit is ready. Either answer will do.
    pub(crate) const TEST_UNIT_READY: Self = Question {
        what: "TEST UNIT READY",
        lun: [0; 4],
        cdb: &[],
        descriptor: Entry::ZERO,
    };
}

/// A conversation for checks.
pub(crate) struct Trial<'a, 'bound> {
    pub(crate) pdev: &'bound pci::Device<Bound>,
    bar: &'a Bar0<'bound>,
    pub(crate) memory: &'a mut Memory,
    bus_master: &'a BusMaster<'bound>,
    doorbell: Doorbell,
    pub(crate) tags: u16,
    /// What is known so far.
    pub(crate) model: CardModel,
    /// Commands that were answered.
    pub(crate) answered: u32,
    begin: Instant<Monotonic>,
}

impl Drop for Trial<'_, '_> {
    fn drop(&mut self) {
        let _ = self.bus_master.stop();
    }
}

impl<'a, 'bound> Trial<'a, 'bound> {
    /// Begins it, by the handshake, with a card of which that much is known.
    pub(crate) fn open(
        pdev: &'bound pci::Device<Bound>,
        bar: &'a Bar0<'bound>,
        memory: &'a mut Memory,
        bus_master: &'a BusMaster<'bound>,
        stopped: DmaStopped<'a>,
        model: CardModel,
    ) -> Result<Self> {
        memory.prepare()?;
        let mailbox =
            bringup::shake_hands(pdev, bar, &memory.layout(), || bus_master.start(stopped));
        match mailbox {
            Ok(mailbox) => Ok(Self {
                pdev,
                bar,
                tags: memory.tags(),
                memory,
                bus_master,
                doorbell: Doorbell::new(bar, mailbox, model.doorbell.value),
                model,
                answered: 0,
                begin: Instant::now(),
            }),
            Err(error) => {
                let _ = bus_master.stop();
                Err(error)
            }
        }
    }

    /// The stride that is known so far.
    fn stride(&self) -> usize {
        self.model.response_stride.value
    }

    /// What the submit doorbell holds.
    pub(crate) fn doorbell(&self) -> u32 {
        self.bar.read(regs::SUBMIT_DOORBELL).count().0
    }

    /// What is written to the submit doorbell next.
    pub(crate) fn next_ring(&self) -> u32 {
        self.doorbell.next()
    }

    /// The doorbell is of this kind.
    pub(crate) fn set_doorbell(&mut self, kind: DoorbellKind) {
        self.model.doorbell.see(kind);
        self.doorbell = self.doorbell.with_kind(self.bar, kind);
    }

    /// Submits a command.
    pub(crate) fn submit(&mut self, tag: u16, question: &Question<'_>) -> Result {
        let mut cdb = [0; CDB_LEN];
        let place = cdb.get_mut(..question.cdb.len()).ok_or(EINVAL)?;
        place.copy_from_slice(question.cdb);
        let slot = wire::slot(tag, question.lun, &cdb, question.descriptor);
        self.memory.write_slot(tag, slot)?;
        self.doorbell.ring(self.bar, tag)
    }

    /// Waits for the first answer of all to be anywhere in region F.
    pub(crate) fn find_response(&mut self, what: &'static str) -> Result<(usize, u16), Stop> {
        let memory = &mut *self.memory;
        let found = read_poll_timeout(
            || memory.find_response(),
            Option::is_some,
            PAUSE,
            ANSWER_TIMEOUT,
        );
        self.acknowledge();
        self.answered += 1;
        match found {
            Ok(Some(found)) => Ok(found),
            Err(error) if error != ETIMEDOUT => Err(error.into()),
            _ => Err(Misfit::NoAnswer(what).into()),
        }
    }

    /// Submits a command and waits for its answer, which may be that it failed.
    pub(crate) fn answer(&mut self, tag: u16, question: &Question<'_>) -> Result<Status, Stop> {
        if self.begin.elapsed() > BUDGET {
            return Err(Misfit::TooSlow.into());
        }
        let stride = self.stride();
        self.memory.forget_response(tag, stride)?;
        self.submit(tag, question)?;
        let memory = &self.memory;
        let response = read_poll_timeout(
            || memory.response(tag, stride),
            Option::is_some,
            PAUSE,
            ANSWER_TIMEOUT,
        );
        self.acknowledge();
        self.answered += 1;
        // From here on the slot is harmless again.
        let idle = wire::slot(tag, [0; 4], &[0; CDB_LEN], Entry::ZERO);
        self.memory.write_slot(tag, idle)?;
        if matches!(response, Ok(Some(_))) {
            self.memory.forget_response(tag, stride)?;
        }
        match response {
            Ok(Some(Response::Done { status, .. })) => Ok(Status(status)),
            Ok(Some(Response::Garbled)) => Err(Misfit::Garbled(question.what).into()),
            Err(error) if error != ETIMEDOUT => Err(error.into()),
            _ => Err(self.other_answer(tag, question.what)),
        }
    }

    /// There was no answer: was there one for another tag? Those that were read are forgotten.
    fn other_answer(&self, asked: u16, what: &'static str) -> Stop {
        let stride = self.stride();
        let fresh = |tag: &u16| matches!(self.memory.response(*tag, stride), Ok(Some(_)));
        match (0..self.tags).find(fresh) {
            Some(answered) => Misfit::OtherTag { asked, answered }.into(),
            None => Misfit::NoAnswer(what).into(),
        }
    }

    /// As [`Trial::answer`], for a command that any unit carries out. Says whether it did, in the
    /// end.
    pub(crate) fn try_ask(&mut self, question: &Question<'_>) -> Result<bool, Stop> {
        let tag = self.tags.min(2) - 1;
        for _ in 0..ATTEMPTS {
            if self.answer(tag, question)? == Status::GOOD {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`Trial::try_ask`], for one without which the checks cannot go on.
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<(), Stop> {
        if self.try_ask(question)? {
            Ok(())
        } else {
            Err(Misfit::Failed(question.what).into())
        }
    }

    /// Asks for INQUIRY data; gives what was written, and where.
    pub(crate) fn inquire(&mut self, what: &'static str, to: Entry) -> Result<Marks, Stop> {
        self.ask(&Question {
            what,
            lun: [0; 4],
            cdb: &[0x12, 0, 0, 0, answers::INQUIRY_LEN as u8],
            descriptor: to,
        })?;
        Ok(self.memory.marks()?)
    }

    /// Collects data from the areas that it was sent to, and sweeps them.
    pub(crate) fn collect<const LEN: usize>(
        &mut self,
        pieces: &[Piece],
    ) -> Result<[u8; LEN], Stop> {
        let mut data = [0; LEN];
        let mut rest = data.as_mut_slice();
        for piece in pieces {
            let (now, later) = rest.split_at_mut_checked(piece.len).ok_or(EINVAL)?;
            self.memory.data(piece.area, now)?;
            self.memory.sweep(piece.area)?;
            rest = later;
        }
        Ok(data)
    }

    /// Takes note of what was written behind data.
    pub(crate) fn note_overrun(&mut self, bytes: u32) {
        let most = bytes.max(self.model.overrun.value);
        self.model.overrun = CardModel::REFERENCE.overrun;
        self.model.overrun.see(most);
    }

    /// The INQUIRY data of LUN 0 has to be where it was sent, and what it was before.
    pub(crate) fn confirm(
        &mut self,
        what: &'static str,
        marks: &Marks,
        pieces: &[Piece],
        data: &[u8; answers::INQUIRY_LEN],
    ) -> Result<(), Stop> {
        let overrun = landed(what, marks, pieces)?;
        self.note_overrun(overrun);
        if self.collect(pieces)? != *data {
            return Err(Misfit::OtherData(what).into());
        }
        Ok(())
    }

    /// Lets the card interrupt again, as far as it knows.
    fn acknowledge(&self) {
        self.bar.write_reg(regs::SCSI_PENDING::zeroed());
        let _ = self.bar.read(regs::STATUS);
    }
}
