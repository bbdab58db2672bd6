// SPDX-License-Identifier: GPL-2.0

//! The pieces of host memory that the card works in.
//!
//! They are allocated once, before the card is brought up, and outlive every conversation with it.
//! They lie below 4 GiB, each on a page of its own, as macOS's do (O, K). What the card writes is
//! untrusted; it is read once, with volatile accesses.

use crate::{
    lists, transfer,
    wire::{
        Descriptor,
        Slot,
        BODY_LEN,
        SLOT_WORDS,
        UNANSWERED, //
    },
};
use kernel::{
    device,
    dma::Coherent,
    io::{
        io_project,
        io_read,
        io_write,
        Io, //
    },
    prelude::*, //
};

/// SCSI slots, as macOS has them (O, K).
pub(crate) const SLOTS: u16 = 128;

/// Entries of each ring: one more than slots, so that neither can overflow (O, K).
pub(crate) const RING_ENTRIES: u16 = SLOTS + 1;

/// Tags of SCSI commands: only these have lists (O, K).
pub(crate) const COMMANDS: u16 = 60;

/// Size of a management frame, in bytes (O, K).
pub(crate) const FRAME_LEN: usize = 0x1000;

/// Number of list units (O, K: 2220).
pub(crate) const LIST_UNITS: u16 = COMMANDS * lists::UNITS_PER_TAG;

/// The memory that host and card share.
pub(crate) struct Regions {
    /// Requests, by tag.
    pub(crate) slots: Coherent<[[u64; SLOT_WORDS]]>,
    /// Responses, by tag, in words.
    pub(crate) responses: Coherent<[u64]>,
    /// The completion ring: tags.
    pub(crate) ring: Coherent<[u16]>,
    /// List units, in words.
    pub(crate) units: Coherent<[u64]>,
    /// Memory of each tag's own, and the sink: see `transfer.rs`. The card is not told of these as
    /// regions. The checks of `trial.rs` read the sink, before there are commands.
    own: Coherent<[[u8; transfer::OWN_LEN]]>,
    pub(crate) sink: Coherent<[u8]>,
    pub(crate) management_request: Coherent<[u8]>,
    pub(crate) management_reply: Coherent<[u8]>,
}

impl Regions {
    /// Allocates the regions.
    pub(crate) fn new(dev: &device::Device<device::Bound>) -> Result<Self> {
        let words = usize::from(LIST_UNITS) * lists::UNIT_WORDS;
        Ok(Self {
            slots: Coherent::zeroed_slice(dev, SLOTS.into(), GFP_KERNEL)?,
            responses: Coherent::zeroed_slice(dev, usize::from(SLOTS) * SLOT_WORDS, GFP_KERNEL)?,
            ring: Coherent::zeroed_slice(dev, RING_ENTRIES.into(), GFP_KERNEL)?,
            units: Coherent::zeroed_slice(dev, words, GFP_KERNEL)?,
            own: Coherent::zeroed_slice(dev, COMMANDS.into(), GFP_KERNEL)?,
            sink: Coherent::zeroed_slice(dev, transfer::SINK_LEN as usize, GFP_KERNEL)?,
            management_request: Coherent::zeroed_slice(dev, FRAME_LEN, GFP_KERNEL)?,
            management_reply: Coherent::zeroed_slice(dev, FRAME_LEN, GFP_KERNEL)?,
        })
    }

    /// Forgets the last response of `tag`, and writes its slot.
    pub(crate) fn write_slot(&self, tag: u16, slot: Slot) -> Result {
        io_write!(self.responses, [try: response_at(tag)], UNANSWERED);
        io_project!(self.slots, [try: usize::from(tag)]).copy_write(slot.0);
        Ok(())
    }

    /// The tag in an entry of the completion ring.
    pub(crate) fn ring_entry(&self, index: u16) -> Result<u16> {
        Ok(u16::from_be(io_read!(self.ring, [try: usize::from(index)])))
    }

    /// The header of the response of `tag`.
    pub(crate) fn header(&self, tag: u16) -> Result<u64> {
        Ok(io_read!(self.responses, [try: response_at(tag)]))
    }

    /// What follows the header in the response of `tag`.
    pub(crate) fn body(&self, tag: u16) -> Result<[u8; BODY_LEN]> {
        let at = response_at(tag) + 1;
        let mut body = [0; BODY_LEN];
        for (n, bytes) in body.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&io_read!(self.responses, [try: at + n]).to_ne_bytes());
        }
        Ok(body)
    }

    /// Describes the data of `tag`, whose segments are given by address and length.
    pub(crate) fn describe(
        &self,
        tag: u16,
        transfer: &transfer::Transfer,
        segments: impl Iterator<Item = (u64, u32)>,
        marked: bool,
    ) -> Option<Descriptor> {
        let mut list = lists::List::begin(tag, |at, word| self.write_unit_word(at, word).ok());
        let own = self.own.dma_address() + u64::from(tag) * transfer::OWN_LEN as u64;
        let sink = self.sink.dma_address();
        transfer.entries(segments, own, sink, |entry| list.push(entry))?;
        list.end(marked)
    }

    fn write_unit_word(&self, at: usize, word: u64) -> Result {
        io_write!(self.units, [try: at], word);
        Ok(())
    }

    /// The memory of `tag`.
    pub(crate) fn own(&self, tag: u16) -> Result<[u8; transfer::OWN_LEN]> {
        Ok(io_project!(self.own, [try: usize::from(tag)]).copy_read())
    }

    /// Writes the memory of `tag`.
    pub(crate) fn write_own(&self, tag: u16, bytes: [u8; transfer::OWN_LEN]) -> Result {
        io_project!(self.own, [try: usize::from(tag)]).copy_write(bytes);
        Ok(())
    }
}

/// Where the response of a tag begins, in words.
fn response_at(tag: u16) -> usize {
    usize::from(tag) * SLOT_WORDS
}
