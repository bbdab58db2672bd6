// SPDX-License-Identifier: GPL-2.0

//! Commands that are refused, forgotten, or answered in a wrong way.

use super::super::dma::{Errand, NoDma};
use super::super::regs;
use super::super::state::Card;
use super::super::wire::{self, Answer, HEADER_LEN};
use super::super::workers::Job;
use super::{Fault, Kind};
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::thread;

/// How long before its response an early interrupt comes at most, in milliseconds.
const EARLY: u32 = 3;
/// Most room for a response in the memory that every driver has to have.
const MOST_ROOM: u32 = 512;

const CONDITION_MET: u8 = 0x04;
const RESERVATION_CONFLICT: u8 = 0x18;

/// What happens to a command instead of its execution.
pub enum Instead {
    /// It is answered.
    Answer(Answer),
    /// Nothing, ever.
    Nothing,
}

/// Whether a device that answers so has executed the command.
fn was_executed(kind: Kind) -> bool {
    matches!(kind, Kind::Sense(0 | 1, ..) | Kind::Status(CONDITION_MET))
}

/// Whether a device could answer this command so.
fn befits(kind: Kind, cdb: &[u8; 16]) -> bool {
    // REQUEST SENSE, INQUIRY and REPORT LUNS are answered in (almost) every state.
    let always = matches!(cdb[0], 0x03 | 0x12 | 0xa0);
    match kind {
        Kind::Sense(3, ..) => matches!(cdb[0], 0x08 | 0x28 | 0x88 | 0xa8),
        Kind::Sense(7, ..) => matches!(cdb[0], 0x0a | 0x2a | 0x8a | 0xaa),
        Kind::Sense(..) | Kind::DescriptorSense(..) => !always,
        Kind::Status(RESERVATION_CONFLICT) => !always,
        Kind::Status(_) => true,
        _ => false,
    }
}

impl Card {
    /// What happens to a command instead of its execution, if a fault strikes.
    pub(in super::super) fn instead(&self, tag: u16, lun: u16, cdb: &[u8; 16]) -> Option<Instead> {
        let flushes = matches!(cdb[0], 0x35 | 0x91);
        if flushes && self.goes_in_remove() {
            return Some(Instead::Nothing);
        }
        if self.is_silent(lun) && self.strikes(Kind::SilentUnit).is_some() {
            return Some(Instead::Nothing);
        }
        if self.strikes(Kind::LostCommand).is_some() {
            return Some(Instead::Nothing);
        }
        if let Some(mut strike) = self.strikes(Kind::LongSense) {
            let random = strike.random.random_range(19..=0xffff);
            let length = strike.at.map_or(random, |at| at as u16);
            return Some(Instead::Answer(self.long_sense(
                tag,
                length,
                &mut strike.random,
            )));
        }
        let wanted = |fault: &Fault| befits(fault.kind, cdb) && !was_executed(fault.kind);
        let strike = self.strikes_if(wanted)?;
        Some(Instead::Answer(answer(tag, strike.fault.kind, strike.at)?))
    }

    fn is_silent(&self, lun: u16) -> bool {
        self.faults.has(Kind::SilentUnit)
            && self.faults.settings().iter().any(|setting| {
                setting.fault.kind == Kind::SilentUnit && setting.at.unwrap_or(0) == u32::from(lun)
            })
    }

    fn long_sense(&self, tag: u16, length: u16, random: &mut ChaCha8Rng) -> Answer {
        let mut answer = Answer::sense(tag, 0x0b, 0x47, 0x01);
        let room = self.params().response_stride as usize - HEADER_LEN;
        let from = answer.sense.len();
        answer.sense.resize(room.min(length.into()).max(from), 0);
        random.fill_bytes(&mut answer.sense[from..]);
        answer.header[4..6].copy_from_slice(&length.to_be_bytes());
        answer
    }

    /// Answers a command that was executed, or refused for a good reason.
    pub(in super::super) fn answer(
        self: &Arc<Self>,
        job: &Job,
        errand: Errand,
        tag: u16,
        cdb: &[u8; 16],
        mut answer: Answer,
    ) -> Result<(), NoDma> {
        if self.strikes(Kind::LostAnswer).is_some() {
            return Ok(());
        }
        if answer.is_good() {
            let wanted = |fault: &Fault| befits(fault.kind, cdb) && was_executed(fault.kind);
            let strike = self.strikes_if(wanted);
            if let Some(other) = strike.and_then(|s| self::answer(tag, s.fault.kind, s.at)) {
                answer = other;
            }
        }
        let place = self.misaddress(job, tag, &mut answer);
        if let Some(strike) = self.strikes(Kind::GarbledResponse) {
            garble(&mut answer, strike.at, strike.random);
        }
        if let Some(mut strike) = self.strikes(Kind::EarlyInterrupt) {
            self.interrupt_early(&mut self.state());
            thread::sleep(strike.moment(EARLY));
            return self.respond(job, errand, tag, place, &answer);
        }
        self.respond(job, errand, tag, place, &answer)?;
        self.pend(job, regs::SCSI_PENDING);
        if self.strikes(Kind::CompletesTwice).is_some() {
            // The same bytes at the same place would change nothing if the host has
            // not used the tag again; if it has, this would be another fault.
            self.ring_again(job, errand, tag);
            self.pend(job, regs::SCSI_PENDING);
        }
        self.needless_interrupts();
        Ok(())
    }

    /// The response may bear another tag. Returns the tag at whose place it goes.
    fn misaddress(&self, job: &Job, tag: u16, answer: &mut Answer) -> u16 {
        let commands = u16::try_from(job.regions.commands).unwrap_or(u16::MAX);
        if self.strikes(Kind::WrongTag).is_some() {
            let state = self.state();
            let other = state.in_flight.iter().copied().find(|other| *other != tag);
            answer.set_tag(other.unwrap_or(tag ^ 1));
        }
        if self.strikes(Kind::UnissuedTag).is_some() {
            let state = self.state();
            let other = (0..commands).find(|other| !state.in_flight.contains(other));
            answer.set_tag(other.unwrap_or(commands));
        }
        if let Some(mut strike) = self.strikes(Kind::TagOutOfRange) {
            // Every host has memory for the largest distance of responses that the
            // card may have: beyond that the card does not write.
            let room = u32::from(commands) * (MOST_ROOM / self.params().response_stride);
            let room = u16::try_from(room).unwrap_or(u16::MAX);
            let other = match commands < room {
                true => strike.random.random_range(commands..room),
                false => u16::MAX,
            };
            answer.set_tag(other);
            return if other < room { other } else { tag };
        }
        tag
    }
}

/// The answer that a fault makes of a command.
fn answer(tag: u16, kind: Kind, at: Option<u32>) -> Option<Answer> {
    match kind {
        Kind::Status(status) => Some(Answer::status(tag, at.map_or(status, |at| at as u8))),
        Kind::Sense(key, asc, ascq) => Some(Answer::sense(tag, key, asc, ascq)),
        Kind::DescriptorSense(key, asc, ascq) => {
            let sense = wire::descriptor_sense(key, asc, ascq);
            Some(Answer::check_condition(tag, sense))
        }
        _ => None,
    }
}

/// Makes one byte another, so that a command that failed has failed still.
fn garble(answer: &mut Answer, at: Option<u32>, mut random: ChaCha8Rng) {
    let length = HEADER_LEN + answer.sense.len();
    let at = match at {
        Some(at) => (at as usize).min(length - 1),
        None => random.random_range(0..length),
    };
    // The status; the sense key, in either format.
    let is_descriptor = answer.sense.first() == Some(&wire::DESCRIPTOR);
    let key = HEADER_LEN + if is_descriptor { 1 } else { 2 };
    if (at == 6 || at == key) && !answer.is_good() {
        return;
    }
    let other = random.random_range(1..=0xff);
    match at.checked_sub(HEADER_LEN) {
        None => answer.header[at] ^= other,
        Some(at) => answer.sense[at] ^= other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn what_failed_has_failed_still() {
        for seed in 0..2000 {
            let garbled = |mut answer| {
                garble(&mut answer, None, ChaCha8Rng::seed_from_u64(seed));
                answer
            };
            assert_eq!(garbled(Answer::status(5, 8)).header[6], 8);
            let sense = garbled(Answer::sense(5, 3, 0x11, 0));
            assert_eq!((sense.header[6], sense.sense[2]), (2, 3));
            let descriptor = wire::descriptor_sense(11, 0x47, 1);
            let sense = garbled(Answer::check_condition(5, descriptor));
            assert_eq!((sense.header[6], sense.sense[1]), (2, 11));
            assert_ne!(garbled(Answer::good(5)), Answer::good(5));
        }
    }

    #[test]
    fn whether_it_was_executed_is_what_the_answer_says() {
        for fault in super::super::FAULTS {
            let executed = match fault.kind {
                Kind::Status(status) => status == CONDITION_MET,
                Kind::Sense(key, ..) => key < 2,
                _ => continue,
            };
            assert_eq!(was_executed(fault.kind), executed, "{}", fault.name);
        }
    }
}
