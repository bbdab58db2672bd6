// SPDX-License-Identifier: GPL-2.0

//! The memory of a trial: the regions and the yard, made so that a card that differs from what is
//! asked of it still reads harmless things, and still writes to memory of the driver.
//!
//! - All of it lies below 4 GiB, so that nothing changes if the card cuts addresses to 32 bits.
//! - Every command slot holds TEST UNIT READY, so that a card which takes another slot than the
//!   one it was told carries out nothing else; and there are slots for the first tags of a card
//!   that reads tags the wrong way round.
//! - Region E is full of entries that lead to the yard, so that a card which looks for a list in
//!   another place, or does not stop at its end, finds these.
//! - Region F is long enough for tag 1's response whatever the stride, up to 512 KiB.

use super::{
    answers::FILL,
    landing::{
        pattern,
        Marks,
        Span,
        AREA,
        AREAS, //
    },
};
use crate::{
    model::CardModel,
    regions::Layout,
    wire::{
        self,
        Entry, //
    },
};
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

/// Slots: twice as many as the driver uses tags of one byte.
const SLOTS: usize = 512;

/// Bytes of region F.
const RESPONSES_LEN: usize = 512 * 1024;

/// Bytes of region F that are searched while an answer is awaited.
const SEARCHED: usize = 4 * 1024;

/// Bytes that the entries in the unused part of region E lead to: more than an INQUIRY moves.
const STRAY_LEN: u32 = 64;

/// The area of stray data.
pub(crate) const STRAY: usize = AREAS - 2;

/// Entries of a tag's part of region E.
const LIST_ENTRIES: usize = CardModel::LIST_LEN / wire::ENTRY_LEN;

/// The memory of a trial. It is kept until the card has begun another conversation, or can do no
/// DMA for good: it may still remember this one.
pub(crate) struct Memory {
    tags: u16,
    slots: Coherent<[[u64; wire::SLOT_LEN / 8]]>,
    management: Coherent<[u8]>,
    ring: Coherent<[u64]>,
    lists: Coherent<[u64]>,
    responses: Coherent<[u64]>,
    yard: Coherent<[u8]>,
    /// Memory above 4 GiB, where there is any.
    pub(crate) high: Option<Coherent<[u8]>>,
    scratch: KVec<u8>,
}

impl Memory {
    /// Allocates it, for a card of `tags` commands.
    pub(crate) fn new(dev: &Device<Bound>, tags: u16) -> Result<Self> {
        let lists = usize::from(tags) + 1;
        Ok(Self {
            tags,
            slots: Coherent::zeroed_slice(dev, SLOTS, GFP_KERNEL)?,
            management: Coherent::zeroed_slice(dev, 2 * PAGE_SIZE, GFP_KERNEL)?,
            ring: Coherent::zeroed_slice(dev, lists * 64 / 8, GFP_KERNEL)?,
            lists: Coherent::zeroed_slice(dev, lists * LIST_ENTRIES, GFP_KERNEL)?,
            responses: Coherent::zeroed_slice(dev, RESPONSES_LEN / 8, GFP_KERNEL)?,
            yard: Coherent::zeroed_slice(dev, AREAS * AREA, GFP_KERNEL)?,
            high: None,
            scratch: KVec::from_elem(0, AREA, GFP_KERNEL)?,
        })
    }

    /// Number of tags of the card.
    pub(crate) fn tags(&self) -> u16 {
        self.tags
    }

    /// Fills it with what is harmless.
    pub(crate) fn prepare(&mut self) -> Result {
        for tag in 0..SLOTS {
            // CAST: A few hundred.
            self.write_slot(
                tag as u16,
                wire::slot(tag as u16, [0; 4], &[0; 16], Entry::ZERO),
            )?;
        }
        let stray = self.entry(STRAY, STRAY_LEN)?;
        for at in 0..self.lists.len() {
            self.write_entry(at, stray)?;
        }
        for at in 0..self.responses.len() {
            io_write!(self.responses, [try: at], u64::from_ne_bytes([FILL; 8]));
        }
        for at in 0..self.ring.len() {
            io_write!(self.ring, [try: at], u64::from_ne_bytes([FILL; 8]));
        }
        for area in 0..AREAS {
            self.sweep(area)?;
        }
        Ok(())
    }

    /// What the card is told at bring-up.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            tags: self.tags,
            slots: self.slots.dma_address(),
            management_command: self.management.dma_address(),
            management_command_len: PAGE_SIZE as u32,
            ring: self.ring.dma_address(),
            management_response: self.management.dma_address() + PAGE_SIZE as DmaAddress,
            lists: self.lists.dma_address(),
            list_units: (self.lists.size() / 64) as u32,
            responses: self.responses.dma_address(),
        }
    }

    /// Writes a command slot.
    pub(crate) fn write_slot(&self, tag: u16, slot: [u8; wire::SLOT_LEN]) -> Result {
        let mut words = [0; wire::SLOT_LEN / 8];
        for (word, bytes) in words.iter_mut().zip(slot.chunks_exact(8)) {
            *word = u64::from_ne_bytes(bytes.try_into().map_err(|_| EINVAL)?);
        }
        io_project!(self.slots, [try: usize::from(tag)]).copy_write(words);
        Ok(())
    }

    /// An entry that leads to an area.
    pub(crate) fn entry(&self, area: usize, len: u32) -> Result<Entry> {
        let address = self.yard.dma_address() + (area * AREA) as DmaAddress;
        Entry::new(address, len).ok_or(EINVAL)
    }

    /// Writes an entry of region E, which is counted in entries.
    pub(crate) fn write_entry(&self, at: usize, entry: Entry) -> Result {
        io_write!(self.lists, [try: at], u64::from_ne_bytes(entry.to_bytes()));
        Ok(())
    }

    /// Forgets the response of `tag`, so that a new one can be told from it.
    pub(crate) fn forget_response(&self, tag: u16, stride: usize) -> Result {
        let at = usize::from(tag) * stride / 8;
        io_write!(self.responses, [try: at], u64::from_ne_bytes(wire::UNANSWERED));
        Ok(())
    }

    /// What the card answered to `tag`, if it did.
    pub(crate) fn response(&self, tag: u16, stride: usize) -> Result<Option<wire::Response>> {
        let header = io_read!(self.responses, [try: usize::from(tag) * stride / 8]);
        // The card wrote the data before the header.
        dma_mb(Read);
        Ok(wire::response(header.to_ne_bytes(), tag))
    }

    /// Looks for any response in the first part of region F.
    pub(crate) fn find_response(&mut self) -> Result<Option<(usize, u16)>> {
        let found = self.scratch.get_mut(..SEARCHED).ok_or(EINVAL)?;
        for (at, bytes) in found.chunks_exact_mut(8).enumerate() {
            bytes.copy_from_slice(&io_read!(self.responses, [try: at]).to_ne_bytes());
        }
        dma_mb(Read);
        Ok(super::answers::find_response(found))
    }

    /// The beginning of the ring.
    pub(crate) fn ring(&self) -> Result<[u8; 8]> {
        Ok(io_read!(self.ring, [try: 0]).to_ne_bytes())
    }

    /// Bytes of the ring up to the last that was written.
    pub(crate) fn ring_used(&mut self) -> usize {
        let words = self.ring.size() / 8;
        let is_written = |at: &usize| {
            let word = (|| Ok::<_, Error>(io_read!(self.ring, [try: *at])))();
            word.is_ok_and(|word| word != u64::from_ne_bytes([FILL; 8]))
        };
        (0..words)
            .rev()
            .find(is_written)
            .map_or(0, |at| (at + 1) * 8)
    }

    /// The data at the beginning of an area.
    pub(crate) fn data(&self, area: usize, data: &mut [u8]) -> Result {
        let at = area * AREA;
        io_project!(self.yard, [try: at..at + data.len()]).copy_to_slice(data);
        Ok(())
    }

    /// The first `len` bytes of an area, where that is too much for the stack.
    pub(crate) fn look_at(&mut self, area: usize, len: usize) -> Result<&[u8]> {
        let at = area * AREA;
        let data = self.scratch.get_mut(..len).ok_or(EINVAL)?;
        io_project!(self.yard, [try: at..at + len]).copy_to_slice(data);
        Ok(data)
    }

    /// What was written of an area.
    pub(crate) fn mark(&mut self, area: usize) -> Result<Option<Span>> {
        let at = area * AREA;
        io_project!(self.yard, [try: at..at + AREA]).copy_to_slice(&mut self.scratch);
        Ok(Span::of(&self.scratch))
    }

    /// What was written of each area.
    pub(crate) fn marks(&mut self) -> Result<Marks> {
        let mut marks = [None; AREAS];
        for (area, mark) in marks.iter_mut().enumerate() {
            *mark = self.mark(area)?;
        }
        Ok(marks)
    }

    /// Fills an area with the pattern.
    pub(crate) fn sweep(&mut self, area: usize) -> Result {
        for (at, byte) in self.scratch.iter_mut().enumerate() {
            *byte = pattern(at);
        }
        let at = area * AREA;
        io_project!(self.yard, [try: at..at + AREA]).copy_from_slice(&self.scratch);
        Ok(())
    }
}
