// SPDX-License-Identifier: GPL-2.0

//! Whether the model could have answered a read as the card did.
//!
//! First the model does as much of what it has to do as the answer shows. If it still
//! differs, there has to be a reason why nobody could know.

use super::Tolerated;
use super::Tolerated::{Before, Memory, Own, Timing, Unknown};
use super::line::Access;
use super::player::Player;
use super::ring::Lead;
use crate::card::regs;

/// Why a read is tolerated, none if it is as in the model; or why it is not.
type Verdict = Result<Option<Tolerated>, String>;

/// The controller's states.
const STATES: [u64; 9] = [0, 1, 2, 3, 4, 8, 9, 10, 15];
const STATE: u32 = 0x22c;

impl Player {
    /// A read of BAR0.
    pub(super) fn judge(&mut self, access: Access) -> Verdict {
        let causes = regs::CAUSES..regs::CAUSES + 8;
        if access.size == 8 && access.value == u64::MAX {
            return Err("all ones: the card is gone".to_owned());
        }
        if causes.contains(&access.at) && access.at + access.size as u32 <= causes.end {
            return self.judge_causes(access);
        }
        match (access.at, access.size) {
            (regs::SUBMIT_INDEX | regs::PRODUCER | regs::CONSUMER, 4) => self.judge_index(access),
            (regs::MGMT_DOORBELL, 4) => self.judge_doorbell(access),
            _ => self.judge_register(access),
        }
    }

    /// The causes of interrupt, each for itself; the worst of them is the verdict.
    fn judge_causes(&mut self, access: Access) -> Verdict {
        let mut worst = None;
        for (cause, seen) in (access.at..).zip(access.bytes()) {
            let management = cause == regs::MGMT_CAUSE;
            while (management || cause == regs::SCSI_CAUSE)
                && seen != 0
                && self.bench.read8(cause) == 0
                && self.work(management)
            {}
            let model = self.bench.read8(cause);
            if cause == regs::READY {
                worst = worst.max(self.judge_ready(seen, model)?);
            } else if seen != model {
                worst = worst.max(Some(self.judge_cause(cause, seen, model)?));
            }
            if cause == regs::STATE_CAUSE && seen != 0 {
                self.shown.told = true;
            }
        }
        Ok(worst)
    }

    /// A cause that differs.
    fn judge_cause(&self, cause: u32, seen: u8, model: u8) -> Result<Tolerated, String> {
        let before = !self.shown.configured;
        match (cause, seen) {
            (regs::CAUSES | regs::UP, _) => Ok(Unknown),
            (regs::SCSI_CAUSE | regs::MGMT_CAUSE | regs::STATE_CAUSE, _) if before => Ok(Before),
            (regs::SCSI_CAUSE | regs::MGMT_CAUSE | regs::STATE_CAUSE, 0) => Ok(Timing),
            (regs::STATE_CAUSE, 1) if !self.shown.told => Ok(Timing),
            (regs::STATE_CAUSE, 1) if self.shown.managed => Ok(Memory),
            _ => {
                let why = match (cause, seen) {
                    (regs::SCSI_CAUSE, 1) => "no command waits for its completion",
                    (regs::MGMT_CAUSE, 1) => "no management frame waits for its answer",
                    (regs::STATE_CAUSE, 1) => "nothing has changed the controller's state",
                    _ => "a cause is 0 or 1",
                };
                Err(format!("{cause:#x} is {seen}, expected {model}: {why}"))
            }
        }
    }

    fn judge_ready(&mut self, seen: u8, model: u8) -> Verdict {
        if !self.shown.configured {
            return Ok(Some(Before).filter(|_| seen != model));
        }
        match (seen, self.shown.ready) {
            (0, true) => Err("0x5d is 0, expected 1: it was 1 since the handshake".to_owned()),
            (0, false) => Ok(Some(Timing)),
            _ => {
                self.shown.ready = true;
                Ok(Some(Unknown).filter(|_| seen != model))
            }
        }
    }

    fn judge_index(&mut self, access: Access) -> Verdict {
        let (at, entries) = (access.at, self.entries());
        let name = regs::name(at.into(), &self.bench.card.params());
        let seen = be(access);
        if seen >= entries {
            return Err(format!(
                "{name} is {seen:#x}, and there are {entries} ring entries"
            ));
        }
        let lead = match at {
            regs::SUBMIT_INDEX => &self.submit,
            _ => &self.completion,
        };
        // What the host wrote itself it can expect to read.
        let known = lead.known || self.written.contains(&at);
        if !known {
            let model = self.bench.read32(at);
            let mut lead = *lead;
            lead.learn(seen, model, entries);
            let before = model != seen;
            match at {
                regs::SUBMIT_INDEX => self.submit = lead,
                _ => self.completion = lead,
            }
            // Commands may have been completed already, if there are any.
            if at != regs::PRODUCER || self.outstanding() == 0 {
                return Ok(Some(Before).filter(|_| before));
            }
        }
        let lead: Lead = match at {
            regs::SUBMIT_INDEX => self.submit,
            _ => self.completion,
        };
        if at == regs::PRODUCER {
            self.complete_up_to(lead.to_model(seen, entries));
        }
        let model = lead.to_trace(self.bench.read32(at), entries);
        match seen == model {
            true => Ok(None),
            false if at == regs::PRODUCER => Err(format!(
                "{name} is {seen}, expected at most {model}: with that all commands are completed"
            )),
            false => Err(format!(
                "{name} is {seen}, expected {model}: the host alone writes it"
            )),
        }
    }

    fn judge_doorbell(&mut self, access: Access) -> Verdict {
        let (seen, model) = (be(access), self.bench.read32(regs::MGMT_DOORBELL));
        let Some(lead) = self.doorbell else {
            let lead = seen.wrapping_sub(model);
            self.doorbell = Some(lead);
            return Ok(Some(Before).filter(|_| lead != 0));
        };
        let model = model.wrapping_add(lead);
        match seen == model {
            true => Ok(None),
            false => Err(format!(
                "mgmt-doorbell is {seen:#x}, expected {model:#x}: the host alone counts it up"
            )),
        }
    }

    /// Any other register.
    fn judge_register(&self, access: Access) -> Verdict {
        let mut model = vec![0; access.size];
        self.bench.card.read(access.at.into(), &mut model);
        if model == access.bytes() {
            return Ok(None);
        }
        if access.bytes().iter().all(|byte| *byte == 0xff) && access.size >= 4 {
            return Err("all ones: the card is gone".to_owned());
        }
        let name = regs::name(access.at.into(), &self.bench.card.params());
        let expected = |why| {
            let (seen, model) = (access.value, le(&model));
            Err(format!(
                "{name} reads {seen:#x}, expected {model:#x}: {why}"
            ))
        };
        match name {
            "sram" => Ok(Some(Unknown)),
            "controller-id" | "version" | "product" => Ok(Some(Own)),
            "most-slots" | "most-entries" => expected("the card of macOS's trace has this many"),
            "submit-ring-hi" | "submit-ring-lo" => expected("the submit ring is at 0x174"),
            _ if self.written.contains(&access.at) => expected("the host wrote it"),
            _ => Ok(Some(Before)),
        }
    }

    /// A read of configuration space.
    pub(super) fn judge_config(&mut self, access: Access) -> Verdict {
        let mut model = vec![0; access.size];
        self.bench.card.read_config(access.at.into(), &mut model);
        let same = model == access.bytes();
        match (access.at, access.size) {
            (STATE, 4) => self.judge_state(access.value, le(&model)),
            (0, 2 | 4) if !same => {
                let (seen, model) = (access.value, le(&model));
                Err(format!("{seen:#x} is another device, expected {model:#x}"))
            }
            _ => Ok(Some(Own).filter(|_| !same)),
        }
    }

    fn judge_state(&mut self, seen: u64, model: u64) -> Verdict {
        if !STATES.contains(&seen) {
            return Err(format!("{seen:#x} is no state of the controller"));
        }
        if seen == 10 {
            return Err("the firmware has died (state 10)".to_owned());
        }
        if !self.shown.configured {
            return Ok(Some(Timing).filter(|_| seen != model));
        }
        let enabled = self.shown.enabled;
        self.shown.enabled |= seen == 4;
        match seen == model {
            true => Ok(None),
            false if !enabled => Ok(Some(Timing)),
            // It may have been told to shut down.
            false if self.shown.managed => Ok(Some(Memory)),
            false => Err(format!(
                "the controller's state is {seen}, expected {model}: it was enabled, and \
                 nothing can have changed it"
            )),
        }
    }
}

fn be(access: Access) -> u32 {
    (access.value as u32).swap_bytes()
}

fn le(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |n, byte| (n << 8) | u64::from(*byte))
}
