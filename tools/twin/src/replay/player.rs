// SPDX-License-Identifier: GPL-2.0

//! The host of a trace, on a bench with the model.

use super::line::{Access, Event, Line};
use super::ring::Lead;
use super::{Misfit, Outcome, Tolerated};
use crate::card::bench::Bench;
use crate::card::mgmt::frame;
use crate::card::params::CardParams;
use crate::card::regs;
use crate::card::wire::SLOT_LEN;
use crate::card::workers::{Job, Work};
use std::collections::{BTreeSet, VecDeque};

/// A card that takes no time, so that it is never behind the one of the trace. Byte 1 of a
/// slot is not in the trace.
const SETTINGS: &str = "init-ms=0 ready-ms=0 enable-ms=0 delay-us=0 inline=never lun0=card \
    list-flag=any old-commands=forget";
/// Ring entries, as long as the host has not said.
const ENTRIES: u32 = 129;
/// Asks for the version: what is put into each management frame.
const QUESTION: &[u8] =
    b"<SOAP-ENV:Envelope><SOAP-ENV:Body><pshim:getVersion/></SOAP-ENV:Body></SOAP-ENV:Envelope>";

/// What the trace has shown since the last handshake, or since the card was last reset.
#[derive(Default)]
pub struct Shown {
    /// The configuration was written.
    pub configured: bool,
    /// The card has taken it.
    pub ready: bool,
    /// It is enabled.
    pub enabled: bool,
    /// Its cause "the state has changed".
    pub told: bool,
    /// A management frame was sent.
    pub managed: bool,
}

/// The host, and what it has seen.
pub struct Player {
    pub(super) bench: Bench,
    /// What the card has yet to do.
    jobs: VecDeque<Job>,
    pub(super) shown: Shown,
    /// Where the host has written: what reads there is known.
    pub(super) written: BTreeSet<u32>,
    /// The indices of the two rings.
    pub(super) submit: Lead,
    pub(super) completion: Lead,
    /// How far the management doorbell is ahead of the model's.
    pub(super) doorbell: Option<u32>,
    /// Interrupts of the trace that the model's are to account for.
    interrupts: u64,
    /// Complaints, resets so far.
    complaints: u64,
    resets: u64,
    pub(super) outcome: Outcome,
}

impl Default for Player {
    fn default() -> Self {
        let params: CardParams = SETTINGS.parse().unwrap_or_default();
        Player {
            bench: Bench::idle(params),
            jobs: VecDeque::new(),
            shown: Shown::default(),
            written: BTreeSet::new(),
            submit: Lead::default(),
            completion: Lead::default(),
            doorbell: None,
            interrupts: 0,
            complaints: 0,
            resets: 0,
            outcome: Outcome::default(),
        }
    }
}

impl Player {
    /// Plays the lines, up to the first that does not fit.
    pub fn play(mut self, lines: &[Line]) -> Outcome {
        for line in lines {
            let fits = match line.event {
                Event::Read(access) => self.judge(access).map(|why| self.count(why)),
                Event::ReadConfig(access) => self.judge_config(access).map(|why| self.count(why)),
                Event::Write(access) => self.write(access),
                Event::WriteConfig(access) => self.write_config(access),
                Event::Msi => self.interrupt(),
                Event::Other => {
                    self.outcome.passed_over += 1;
                    Ok(())
                }
            };
            if let Err(why) = fits.and_then(|()| self.referee()) {
                self.outcome.misfit = Some(Misfit {
                    number: line.number,
                    text: line.text.clone(),
                    why,
                });
                break;
            }
        }
        self.outcome
    }

    fn count(&mut self, why: Option<Tolerated>) {
        match why {
            None => self.outcome.reads += 1,
            Some(why) => *self.outcome.tolerated.entry(why).or_default() += 1,
        }
    }

    /// Whether the referee has something against what the host did last.
    fn referee(&mut self) -> Result<(), String> {
        let report = self.bench.report();
        if report.resets != self.resets {
            self.resets = report.resets;
            self.begin();
        }
        if report.protocol_errors == self.complaints {
            return Ok(());
        }
        let what = report.first_protocol_error.unwrap_or_default();
        Err(format!("the host does what macOS does not: {what}"))
    }

    /// What was shown before counts no more.
    fn begin(&mut self) {
        self.jobs.clear();
        self.shown = Shown::default();
        self.written.clear();
        self.submit.known = false;
        self.completion.known = false;
    }

    /// Ring entries.
    pub(super) fn entries(&self) -> u32 {
        match self.bench.read32(regs::ENTRIES) {
            entries @ 1..=0xffff => entries,
            _ => ENTRIES,
        }
    }

    fn write(&mut self, access: Access) -> Result<(), String> {
        let Access { mut at, size, .. } = access;
        let mut bytes = access.bytes();
        let entries = self.entries();
        let ring = regs::SUBMIT_RING..regs::SUBMIT_RING + 2 * entries;
        self.written.insert(at);
        if let Ok(word) = <[u8; 4]>::try_from(&bytes[..]) {
            let value = u32::from_be_bytes(word);
            let value = match at {
                regs::SUBMIT_INDEX => self.submit.to_model(value, entries),
                regs::CONSUMER => {
                    let value = self.completion.to_model(value, entries);
                    self.complete_up_to(value);
                    value
                }
                regs::MGMT_DOORBELL => {
                    self.put_question();
                    value.wrapping_sub(*self.doorbell.get_or_insert(0))
                }
                _ => value,
            };
            bytes = value.to_be_bytes().to_vec();
            if at == regs::FLAGS && value & regs::CONFIGURED != 0 {
                let mut written = std::mem::take(&mut self.written);
                self.begin();
                // A handshake may change masks and indices; the configuration stays.
                written.retain(|at| *at == regs::FLAGS || *at >= regs::SLOTS);
                self.written = written;
                self.shown.configured = true;
                self.map_regions();
            }
        } else if ring.contains(&at) && size == 2 {
            self.put_command(u16::from_be_bytes([bytes[0], bytes[1]]));
            let index = (at - regs::SUBMIT_RING) / 2;
            at = regs::SUBMIT_RING + 2 * self.submit.to_model(index, entries);
        }
        self.outcome.writes += 1;
        self.bench.card.write(at.into(), &bytes);
        self.take_jobs();
        Ok(())
    }

    fn write_config(&mut self, access: Access) -> Result<(), String> {
        self.outcome.writes += 1;
        self.bench
            .card
            .write_config(access.at.into(), &access.bytes());
        Ok(())
    }

    /// The card sent an interrupt: does the model have a reason for one?
    fn interrupt(&mut self) -> Result<(), String> {
        self.interrupts += 1;
        self.outcome.interrupts += 1;
        let of_model = self.bench.report().interrupts + self.bench.report().interrupts_lost;
        let causes = (regs::CAUSES..regs::READY).any(|cause| self.bench.read8(cause) != 0);
        // The model becomes enabled behind a closed mask, the card perhaps later.
        let state = self.shown.configured && !self.shown.told && !self.shown.enabled;
        let reason = of_model >= self.interrupts || causes || state;
        match reason || !self.jobs.is_empty() {
            true => Ok(()),
            false => Err(
                "an interrupt, and our model has none to send: no command and no \
                management frame waits for an answer, and no cause is set"
                    .to_owned(),
            ),
        }
    }

    /// Maps the regions that the registers name.
    fn map_regions(&self) {
        let slots = self.bench.read32(regs::SLOTS).min(0x1_0000) as usize * SLOT_LEN;
        for (register, length) in [
            (regs::REQUESTS, slots),
            (regs::RESPONSES, slots),
            (regs::RING, self.entries() as usize * 2),
            (regs::MGMT_REQUEST, frame::FRAME),
            (regs::MGMT_REPLY, frame::FRAME),
        ] {
            self.bench.memory.map(self.address(register), length, true);
        }
    }

    /// Puts a TEST UNIT READY where the tag has its slot.
    fn put_command(&mut self, tag: u16) {
        let mut slot = [0; SLOT_LEN];
        slot[0] = 1;
        slot[2..4].copy_from_slice(&tag.to_be_bytes());
        let requests = self.address(regs::REQUESTS);
        let at = requests.saturating_add(u64::from(tag) * SLOT_LEN as u64);
        self.outcome.unseen += u64::from(self.bench.memory.poke(at, &slot).is_ok());
    }

    /// Puts a question into the management request frame.
    fn put_question(&mut self) {
        let page = frame::request(0, 1, QUESTION, QUESTION.len() as u32);
        let at = self.address(regs::MGMT_REQUEST);
        self.outcome.unseen += u64::from(self.bench.memory.poke(at, &page).is_ok());
        self.shown.managed = true;
    }

    fn address(&self, register: u32) -> u64 {
        let word = |register| u64::from(self.bench.read32(register));
        (word(register) << 32) | word(register + 4)
    }

    fn take_jobs(&mut self) {
        while let Some(job) = self.bench.next_job() {
            self.jobs.push_back(job);
        }
    }

    /// Has the card do the next thing that it has to do of the management channel, or else
    /// of the rings; whether there was one.
    pub(super) fn work(&mut self, management: bool) -> bool {
        let wanted = |job: &Job| (job.work == Work::Manage) == management;
        let Some(at) = self.jobs.iter().position(wanted) else {
            return false;
        };
        if let Some(job) = self.jobs.remove(at) {
            self.bench.execute(&job);
        }
        self.take_jobs();
        true
    }

    /// Has the card complete commands until its producer index is this, or there are none.
    pub(super) fn complete_up_to(&mut self, producer: u32) {
        while self.bench.read32(regs::PRODUCER) != producer && self.work(false) {}
    }

    /// Commands that the model has yet to complete.
    pub(super) fn outstanding(&self) -> usize {
        self.jobs
            .iter()
            .filter(|job| job.work != Work::Manage)
            .count()
    }
}
