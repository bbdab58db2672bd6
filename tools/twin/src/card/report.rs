// SPDX-License-Identifier: GPL-2.0

//! What happened on the card, counted: the figures that a test asserts on.

use super::memory::{Direction, Why};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A DMA that the card was not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Towards the host or from it.
    pub direction: Direction,
    /// Bus address.
    pub address: u64,
    /// Length in bytes.
    pub length: u64,
    /// The command it was for; none for the management channel.
    pub tag: Option<u16>,
    /// What it was for ("slot", "list", "data", "response", "ring", ...).
    pub what: &'static str,
    /// Why it was refused.
    pub why: Why,
}

/// The card's figures since it was made, or since they were last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// DMA outside what the host has mapped, against a mapping's direction, or
    /// beyond the card's 36 bits.
    pub dma_refused: u64,
    /// The first of them.
    pub first_refused: Option<Refused>,
    /// How many of them were for what (see [`Refused::what`]).
    pub refused_for: BTreeMap<&'static str, u64>,
    /// DMA that came to nothing because the card was no bus master.
    pub dma_blocked: u64,
    /// SCSI commands that the card has taken from the submit ring.
    pub submitted: u64,
    /// SCSI commands that reached the completion ring, well ended or not.
    pub completed: u64,
    /// Responses with sense.
    pub check_conditions: u64,
    /// Responses with data inside.
    pub inline: u64,
    /// SCSI commands that ended without a response: reset, handshake, or no bus master.
    pub dropped: u64,
    /// SCSI commands that task management has ended.
    pub aborted: u64,
    /// Task management requests answered.
    pub tasks: u64,
    /// Management frames answered.
    pub managed: u64,
    /// Reads of BAR0.
    pub bar_reads: u64,
    /// Writes of BAR0.
    pub bar_writes: u64,
    /// Of these, writes of the submit index (0x40).
    pub submit_writes: u64,
    /// And of the consumer index (0x4c).
    pub consumer_writes: u64,
    /// Interrupts sent.
    pub interrupts: u64,
    /// Interrupts lost: the host has set up no MSI, or the card is no bus master.
    pub interrupts_lost: u64,
    /// Commands whose CDB moved more than their descriptor covered (hazard 2).
    pub overruns: u64,
    /// Junk bytes written behind data, to the end of 8 bytes (hazard 1).
    pub junk_bytes: u64,
    /// Data bytes that went to the host.
    pub bytes_in: u64,
    /// Data bytes that came from the host.
    pub bytes_out: u64,
    /// Bring-up handshakes that ended in "ready".
    pub handshakes: u64,
    /// Resets of the card, of any kind.
    pub resets: u64,
    /// Things the host did that K does not do.
    pub protocol_errors: u64,
    /// The first of them.
    pub first_protocol_error: Option<String>,
    /// How often each fault struck.
    pub faults: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Counts a refused DMA.
    pub(crate) fn refused(&mut self, refused: Refused) {
        self.dma_refused += 1;
        *self.refused_for.entry(refused.what).or_default() += 1;
        self.first_refused.get_or_insert(refused);
    }

    /// Counts something that the host should not have done.
    pub(crate) fn protocol_error(&mut self, what: &str) {
        self.protocol_errors += 1;
        self.first_protocol_error
            .get_or_insert_with(|| what.to_owned());
    }
}

/// The report, shared by the card's threads.
#[derive(Default)]
pub(crate) struct Figures(Mutex<Report>);

impl Figures {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
