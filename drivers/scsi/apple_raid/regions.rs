// SPDX-License-Identifier: GPL-2.0

//! The pieces of host memory that the card works in: regions A to F.
//!
//! They are allocated once, before the card is brought up, and outlive every conversation with it.
//! They lie below 4 GiB, as macOS's did (O): the high words of their addresses were never seen in
//! use, unlike those of the entries.
//! The card writes to C, D and F at any time, so what is read from there is untrusted; it is read
//! with volatile accesses, a word at a time.

use crate::{
    model::CardModel,
    wire::{
        self,
        Entry,
        SENSE_LEN, //
    },
};
use core::num::NonZero;
use kernel::{
    device::{
        Bound,
        Device, //
    },
    dma::{
        Coherent,
        DmaAddress, //
    },
    io::{
        io_project,
        io_read,
        io_write,
        Io, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::barrier::{
        dma_mb,
        Read, //
    },
};

/// Words of 8 bytes that hold the sense of a response.
const SENSE_WORDS: usize = SENSE_LEN.div_ceil(8);

/// The regions of a card.
pub(crate) struct Regions {
    model: CardModel,
    tags: u16,
    /// A: command slots, by tag.
    slots: Coherent<[[u64; wire::SLOT_LEN / 8]]>,
    /// B: the management command.
    management_command: Coherent<[u8]>,
    /// C: the completion ring. Its format is not known (A), and it is not needed.
    ring: Coherent<[u8]>,
    /// D: the management response.
    management_response: Coherent<[u8]>,
    /// E: scatter-gather lists. The first tag's begins one list further than it could, because a
    /// list of index 0 could not be told from no data.
    lists: Coherent<[u64]>,
    /// F: responses, in words. A header is one word, so that it is never seen by halves.
    responses: Coherent<[u64]>,
}

/// Address and size of the regions, as the card is told.
pub(crate) struct Layout {
    pub(crate) tags: u16,
    pub(crate) slots: DmaAddress,
    pub(crate) management_command: DmaAddress,
    pub(crate) management_command_len: u32,
    pub(crate) ring: DmaAddress,
    pub(crate) management_response: DmaAddress,
    pub(crate) lists: DmaAddress,
    pub(crate) list_units: u32,
    pub(crate) responses: DmaAddress,
}

/// Bytes of the completion ring of a card of `tags` commands: 32 for an entry are more than what
/// macOS allocated. The checks look whether the card makes do with them.
pub(crate) fn ring_len(tags: u16) -> usize {
    (usize::from(tags) + 1) * 32
}

impl Regions {
    /// Entries of a list.
    const LIST_ENTRIES: usize = CardModel::LIST_LEN / wire::ENTRY_LEN;

    /// Allocates the regions for `tags` commands, before it is known what the card is like: there
    /// is room for all that the driver can work with.
    pub(crate) fn new(dev: &Device<Bound>, tags: u16) -> Result<Self> {
        let count = usize::from(tags);
        Ok(Self {
            model: CardModel::REFERENCE,
            tags,
            slots: Coherent::zeroed_slice(dev, count, GFP_KERNEL)?,
            management_command: Coherent::zeroed_slice(dev, PAGE_SIZE, GFP_KERNEL)?,
            ring: Coherent::zeroed_slice(dev, ring_len(tags), GFP_KERNEL)?,
            management_response: Coherent::zeroed_slice(dev, PAGE_SIZE, GFP_KERNEL)?,
            lists: Coherent::zeroed_slice(dev, (count + 1) * Self::LIST_ENTRIES, GFP_KERNEL)?,
            responses: Coherent::zeroed_slice(
                dev,
                count * CardModel::MAX_RESPONSE_STRIDE / 8,
                GFP_KERNEL,
            )?,
        })
    }

    /// From here on the memory is used as a card wants it that is like this.
    pub(crate) fn set_model(&mut self, model: CardModel) {
        self.model = model;
    }

    /// What the card is told at bring-up.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            tags: self.tags,
            slots: self.slots.dma_address(),
            management_command: self.management_command.dma_address(),
            management_command_len: self.management_command.len() as u32,
            ring: self.ring.dma_address(),
            management_response: self.management_response.dma_address(),
            lists: self.lists.dma_address(),
            list_units: (self.lists.size() / 64) as u32,
            responses: self.responses.dma_address(),
        }
    }

    /// Number of tags.
    pub(crate) fn tags(&self) -> u16 {
        self.tags
    }

    /// Writes a list for `tag`: each entry, then the zero that ends it. Returns the descriptor
    /// that leads to it.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there are more entries than fit, or one of them cannot be expressed.
    pub(crate) fn write_list(
        &self,
        tag: u16,
        entries: impl Iterator<Item = Option<Entry>>,
    ) -> Result<Entry> {
        let first = (usize::from(tag) + 1) * Self::LIST_ENTRIES;
        let mut at = first;
        for entry in entries {
            if at - first >= usize::from(CardModel::MAX_SEGMENTS) {
                return Err(EINVAL);
            }
            self.write_entry(at, entry.ok_or(EINVAL)?)?;
            at += 1;
        }
        self.write_entry(at, Entry::ZERO)?;
        let index = (first * wire::ENTRY_LEN).checked_div(self.model.list_unit.value);
        let index = u16::try_from(index.ok_or(EINVAL)?)?;
        Ok(Entry::list(NonZero::new(index).ok_or(EINVAL)?))
    }

    fn write_entry(&self, at: usize, entry: Entry) -> Result {
        io_write!(self.lists, [try: at], u64::from_ne_bytes(entry.to_bytes()));
        Ok(())
    }

    /// Clears the response of `tag` and writes its command slot.
    pub(crate) fn write_slot(&self, tag: u16, slot: [u8; wire::SLOT_LEN]) -> Result {
        let mut words = [0; wire::SLOT_LEN / 8];
        for (word, bytes) in words.iter_mut().zip(slot.chunks_exact(8)) {
            *word = u64::from_ne_bytes(bytes.try_into().map_err(|_| EINVAL)?);
        }
        let unanswered = u64::from_ne_bytes(wire::UNANSWERED);
        io_write!(self.responses, [try: self.response_at(tag)], unanswered);
        io_project!(self.slots, [try: usize::from(tag)]).copy_write(words);
        Ok(())
    }

    fn response_at(&self, tag: u16) -> usize {
        usize::from(tag) * self.model.response_stride.value / 8
    }

    /// What the card answered to `tag`, if it did.
    pub(crate) fn response(&self, tag: u16) -> Result<Option<wire::Response>> {
        let header = io_read!(self.responses, [try: self.response_at(tag)]).to_ne_bytes();
        if header == wire::UNANSWERED {
            return Ok(None);
        }
        // The card wrote the data and the sense before the header.
        dma_mb(Read);
        Ok(wire::response(header, tag))
    }

    /// What stands where the response of `tag` belongs, if that is something else.
    pub(crate) fn stray(&self, tag: u16) -> Result<Option<[u8; 8]>> {
        let header = io_read!(self.responses, [try: self.response_at(tag)]).to_ne_bytes();
        let stray = header != wire::UNANSWERED && wire::response(header, tag).is_none();
        Ok(stray.then_some(header))
    }

    /// The first `len` bytes of the sense that the card wrote for `tag`.
    pub(crate) fn sense(&self, tag: u16, len: usize) -> Result<crate::scsi::Sense> {
        let at = self.response_at(tag) + 1;
        let mut sense = [0; SENSE_WORDS * 8];
        for (i, bytes) in sense.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&io_read!(self.responses, [try: at + i]).to_ne_bytes());
        }
        Ok(crate::scsi::Sense::from_device(
            sense.get(..len).ok_or(EINVAL)?,
        ))
    }
}
