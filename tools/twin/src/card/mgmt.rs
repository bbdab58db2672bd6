// SPDX-License-Identifier: GPL-2.0

//! The management channel: an XML document in, an XML document out.
//!
//! The documents' schema is not known, so every request gets the answer that SOAP
//! has for one that is not understood: a fault. It is well formed, which is all
//! that a driver that passes documents through can ask for.

use super::dma::{Errand, NoDma};
use super::regs;
use super::state::Card;
use super::trace::field;
use super::workers::Job;
use std::fmt::Write as _;
use std::sync::Arc;

/// Most bytes of a request that the card reads.
const MOST_REQUEST: usize = 1 << 20;
/// Length of the pieces in which a request is read.
const PIECE: usize = 4096;

/// The answer to everything; the NUL is part of it.
const FAULT: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\">\n",
    "<SOAP-ENV:Body><SOAP-ENV:Fault>\n",
    "<faultcode>SOAP-ENV:Client</faultcode>\n",
    "<faultstring>The digital twin does not know this request</faultstring>\n",
    "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>\n\0"
);

impl Card {
    /// Answers the document in region B.
    pub(super) fn manage(self: &Arc<Self>, job: &Job) {
        let errand = Errand {
            era: job.era,
            tag: None,
        };
        let result = self.request(job, errand).and_then(|request| {
            self.trace.event("mgmt", |line| {
                let begin = request[..request.len().min(64)].escape_ascii().to_string();
                let text = begin.replace(' ', "\\x20");
                field!(line, "bytes={} text={text}", request.len())
            });
            self.dma.write(
                errand,
                "mgmt-response",
                job.regions.mgmt_response,
                FAULT.as_bytes(),
            )
        });
        let mut state = self.state();
        if state.era != job.era {
            return;
        }
        state.managing = false;
        drop(state);
        if result.is_ok() {
            self.figures.lock().managed += 1;
            self.pend(job, regs::MGMT_PENDING);
        }
    }

    /// Reads the request up to its NUL, or to the end of region B.
    fn request(&self, job: &Job, errand: Errand) -> Result<Vec<u8>, NoDma> {
        let length = (job.regions.mgmt_command_len as usize).min(MOST_REQUEST);
        let mut request = Vec::new();
        while request.len() < length {
            let mut piece = vec![0; (length - request.len()).min(PIECE)];
            let at = job
                .regions
                .mgmt_command
                .saturating_add(request.len() as u64);
            self.dma.read(errand, "mgmt-request", at, &mut piece)?;
            let end = piece.iter().position(|byte| *byte == 0);
            request.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
            if end.is_some() {
                return Ok(request);
            }
        }
        self.protocol_error("a management request without a NUL");
        Ok(request)
    }
}
