// SPDX-License-Identifier: GPL-2.0

//! Commands that are refused, forgotten, or answered in a wrong way.

use super::super::dma::NoDma;
use super::super::regs;
use super::super::state::Card;
use super::super::wire::{self, Answer, BODY, MOST_BODY, RESPONSE_LEN, Slot};
use super::super::workers::Job;
use super::{Fault, Kind};
use crate::scsi::{BLOCK_LEN, DataPhase};
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::thread;

/// How long before its completion an early interrupt comes at most, in milliseconds.
const EARLY: u32 = 3;

const CONDITION_MET: u8 = 0x04;
const RESERVATION_CONFLICT: u8 = 0x18;

/// What happens to a command instead of its execution.
pub enum Instead {
    /// It is answered.
    Answer(Answer),
    /// It stays in flight, for ever.
    Hang,
    /// It is in flight no more, and not answered.
    Forget,
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
        Kind::Sense(7, ..) => matches!(cdb[0], 0x0a | 0x2a | 0x8a | 0xaa),
        Kind::Sense(..) | Kind::DescriptorSense(..) => !always,
        Kind::Status(RESERVATION_CONFLICT) => !always,
        Kind::Status(_) => true,
        _ => false,
    }
}

/// The first block and the number of blocks of a read.
fn extent(cdb: &[u8; 16]) -> Option<(u64, u64)> {
    let be = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte));
    match cdb[0] {
        0x08 if cdb[4] == 0 => Some((be(&cdb[1..4]) & 0x1f_ffff, 256)),
        0x08 => Some((be(&cdb[1..4]) & 0x1f_ffff, cdb[4].into())),
        0x28 => Some((be(&cdb[2..6]), be(&cdb[7..9]))),
        0xa8 => Some((be(&cdb[2..6]), be(&cdb[6..10]))),
        0x88 => Some((be(&cdb[2..10]), be(&cdb[10..14]))),
        _ => None,
    }
}

impl Card {
    /// What happens to a command instead of its execution, if a fault strikes.
    pub(in super::super) fn instead(
        self: &Arc<Self>,
        tag: u16,
        lun: u16,
        cdb: &[u8; 16],
    ) -> Option<Instead> {
        let flushes = matches!(cdb[0], 0x35 | 0x91);
        if flushes && self.goes_in_remove() {
            return Some(Instead::Forget);
        }
        if self.is_silent(lun) && self.strikes(Kind::SilentUnit).is_some() {
            return Some(Instead::Hang);
        }
        if self.strikes(Kind::HungCommand).is_some() {
            return Some(Instead::Hang);
        }
        if self.strikes(Kind::LostCommand).is_some() {
            return Some(Instead::Forget);
        }
        if let Some(mut strike) = self.strikes(Kind::LongSense) {
            let random = strike.random.random_range(MOST_BODY as u16 + 1..=0xffff);
            let length = strike.at.map_or(random, |at| at as u16);
            let mut answer = Answer::sense(tag, 0x0b, 0x47, 0x01);
            strike
                .random
                .fill_bytes(&mut answer.0[BODY + crate::scsi::SENSE_LEN..]);
            answer.set_length(length);
            return Some(Instead::Answer(answer));
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

    /// A read finds a block that cannot be read: how many bytes lie before it, and its
    /// address.
    pub(in super::super) fn medium_error(&self, cdb: &[u8; 16]) -> Option<(usize, u64)> {
        let (lba, blocks) = extent(cdb).filter(|(_, blocks)| *blocks > 0)?;
        let mut strike = self.strikes(Kind::MediumError)?;
        let random = strike.random.random_range(0..blocks);
        let block = strike.at.map_or(random, |at| u64::from(at).min(blocks - 1));
        Some((block as usize * BLOCK_LEN, lba + block))
    }

    /// Inline data of a length that cannot be.
    pub(in super::super) fn inline_too_long(
        &self,
        tag: u16,
        phase: DataPhase,
        data: &[u8],
    ) -> Option<Answer> {
        let DataPhase::In(asked) = phase else {
            return None;
        };
        let mut strike = self.strikes(Kind::InlineTooLong)?;
        let beyond = MOST_BODY as u16 + 1;
        // More than asked for, but not more than there is room for; or more than that.
        let asked = u16::try_from(asked).unwrap_or(u16::MAX).saturating_add(1);
        let random = match asked < beyond && strike.random.random() {
            true => strike.random.random_range(asked..beyond),
            false => strike.random.random_range(beyond..=0xffff),
        };
        let mut answer = Answer::inline(tag, data);
        answer.set_length(strike.at.map_or(random, |at| at as u16));
        Some(answer)
    }

    /// Answers a command that was executed, or refused for a good reason.
    pub(in super::super) fn answer(
        self: &Arc<Self>,
        job: &Job,
        slot: &Slot,
        mut answer: Answer,
    ) -> Result<(), NoDma> {
        let tag = slot.tag;
        if self.strikes(Kind::LostAnswer).is_some() {
            return Ok(());
        }
        if answer.is_good() {
            let wanted = |fault: &Fault| befits(fault.kind, &slot.cdb) && was_executed(fault.kind);
            let strike = self.strikes_if(wanted);
            if let Some(other) = strike.and_then(|s| self::answer(tag, s.fault.kind, s.at)) {
                answer = other;
            }
        }
        if let Some(strike) = self.strikes(Kind::GarbledResponse) {
            garble(&mut answer, strike.at, strike.random);
        }
        if let Some(mut strike) = self.strikes(Kind::EarlyInterrupt) {
            self.pend(&mut self.state(), regs::SCSI_CAUSE);
            thread::sleep(strike.moment(EARLY));
            return self.publish(&mut self.state(), job, tag, &answer, false);
        }
        self.publish(&mut self.state(), job, tag, &answer, true)?;
        self.needless_interrupts();
        Ok(())
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

/// Makes one byte another, so that a command that failed has failed still, and that data
/// inside is what it was.
fn garble(answer: &mut Answer, at: Option<u32>, mut random: ChaCha8Rng) {
    let length = BODY + usize::from(answer.0[5]).min(MOST_BODY);
    let at = match at {
        Some(at) => (at as usize).min(RESPONSE_LEN - 1),
        None => random.random_range(0..length),
    };
    // What says that sense follows; the status; the sense key, in either format.
    let is_descriptor = answer.0[BODY] == wire::DESCRIPTOR;
    let key = BODY + if is_descriptor { 1 } else { 2 };
    if [1, 6, key].contains(&at) && !answer.is_good() {
        return;
    }
    if answer.has_data() && (at >= BODY || [1, 4, 5].contains(&at)) {
        return;
    }
    answer.0[at] ^= random.random_range(1..=0xffu8);
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
            assert_eq!(garbled(Answer::status(5, 8)).0[6], 8);
            let sense = garbled(Answer::sense(5, 3, 0x11, 0)).0;
            assert_eq!((sense[6], sense[10]), (2, 3));
            let descriptor = wire::descriptor_sense(11, 0x47, 1);
            let sense = garbled(Answer::check_condition(5, descriptor)).0;
            assert_eq!((sense[6], sense[9]), (2, 11));
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

    #[test]
    fn extents_of_reads() {
        let of = |bytes: &[u8]| {
            let mut cdb = [0; 16];
            cdb[..bytes.len()].copy_from_slice(bytes);
            extent(&cdb)
        };
        assert_eq!(of(&[0x08, 0xe1, 2, 3, 0]), Some((0x1_0203, 256)));
        assert_eq!(of(&[0x28, 0, 0, 0, 0, 9, 0, 0, 2]), Some((9, 2)));
        assert_eq!(of(&[0xa8, 0, 0, 0, 0, 9, 0, 0, 0, 2]), Some((9, 2)));
        let long = [0x88, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        assert_eq!(of(&long), Some((1 << 56, 3)));
        assert_eq!(of(&[0x2a]), None);
    }
}
