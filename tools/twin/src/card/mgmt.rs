// SPDX-License-Identifier: GPL-2.0

//! The management channel's way to the host: doorbell 0x68 hands over a request frame, a
//! worker reads it, and what [`Channel`] makes of it takes effect.
//!
//! `frame` is the two kinds of page, `channel` the conversation, `document` and `xml` what
//! is said in it.

mod channel;
mod document;
pub mod frame;
#[cfg(test)]
mod tests;
mod xml;

pub use channel::{Channel, Effect};

use super::controller::Controller;
use super::dma::{Errand, NoDma};
use super::faults::Kind;
use super::regs;
use super::state::{Card, Phase, State};
use super::trace::field;
use super::workers::Job;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// How long the card overwrites a reply, if it is seen to.
const TORN: Duration = Duration::from_millis(5);

impl Card {
    /// The host wrote the management doorbell.
    pub(super) fn ring_mgmt(self: &Arc<Self>, state: &mut State) {
        let (word, before) = (state.sram.u32(regs::MGMT_DOORBELL), state.mgmt_doorbell);
        state.mgmt_doorbell = word;
        if word != before.wrapping_add(1) {
            return self.protocol_error(&format!("0x68 went from {before:#x} to {word:#x}"));
        }
        let regions = match &state.phase {
            Phase::Ready(regions) => regions.clone(),
            Phase::Forgotten => return,
            Phase::Down | Phase::Configuring { .. } => {
                return self.protocol_error("0x68 was written before the configuration was taken");
            }
        };
        if state.managing {
            return self.protocol_error("a management frame before the answer to the last one");
        }
        if state.controller != Controller::Fatal {
            state.managing = true;
            self.queue_manage(state, regions);
        }
    }

    /// Answers the request frame.
    pub(super) fn manage(self: &Arc<Self>, job: &Job) {
        let errand = Errand {
            era: job.era,
            tag: None,
            sequence: 0,
        };
        let mut page = [0; frame::FRAME];
        let at = job.regions.mgmt_request;
        if self
            .dma
            .read(errand, "mgmt-request", at, &mut page)
            .is_err()
        {
            return self.end_managing(job, None);
        }
        self.trace.event("mgmt", |line| {
            field!(line, "operation={:#x} task={}", page[0], page[1])
        });
        let effects = self.channel().request(&page);
        for effect in effects {
            match effect {
                Effect::Reply(frame) => {
                    let written = self.write_reply(job, errand, &frame);
                    self.end_managing(job, written.ok());
                }
                Effect::State(value) => self.shut_down(job, value),
                Effect::ProtocolError(what) => self.protocol_error(&what),
                Effect::SetTime(seconds) => self
                    .trace
                    .event("mgmt", |line| field!(line, "time={seconds}")),
            }
        }
    }

    fn write_reply(
        self: &Arc<Self>,
        job: &Job,
        errand: Errand,
        frame: &frame::Page,
    ) -> Result<(), NoDma> {
        let at = job.regions.mgmt_reply;
        if self.strikes(Kind::TokenTorn).is_some() {
            // Seen while the card overwrites it: the second half is not there yet.
            let mut torn = *frame;
            torn[frame::FRAME / 2..].fill(!frame[0]);
            self.dma.write(errand, "mgmt-reply", at, &torn)?;
            self.pend_in(job, regs::MGMT_CAUSE);
            std::thread::sleep(TORN);
        }
        self.trace.event("mgmt", |line| {
            field!(line, "reply={} task={}", frame[1], frame[2])
        });
        self.dma.write(errand, "mgmt-reply", at, frame)
    }

    fn end_managing(self: &Arc<Self>, job: &Job, replied: Option<()>) {
        let mut state = self.state();
        if state.era != job.era {
            return;
        }
        state.managing = false;
        if replied.is_some() {
            self.figures.lock().managed += 1;
            self.pend(&mut state, regs::MGMT_CAUSE);
        }
    }

    fn pend_in(self: &Arc<Self>, job: &Job, cause: u32) {
        let mut state = self.state();
        if state.era == job.era {
            self.pend(&mut state, cause);
        }
    }

    /// Shuts down in good order: what the volumes' caches hold is written.
    fn shut_down(self: &Arc<Self>, job: &Job, value: u8) {
        let Some(to) = Controller::of_shutdown(value) else {
            return;
        };
        if let Err(error) = self.target.shutdown() {
            tracing::warn!(%error, "not all could be written");
        }
        let mut state = self.state();
        if state.era == job.era {
            self.change(&mut state, to);
        }
    }
}
