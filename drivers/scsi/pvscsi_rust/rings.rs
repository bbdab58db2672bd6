// SPDX-License-Identifier: GPL-2.0

//! The memory that host and device share.
//!
//! The page with the state of the rings holds an index for each side of each ring. An index counts
//! on and on; which entry it means is told by its lowest bits. What the device writes is read once.
//! The host's own indices are in [`Requests`] and [`Completions`], and are never read back.
//!
//! There are as many requests as commands can be in flight. The device takes them in order, so that
//! when one has ended it was taken, and all before it: none is overwritten that was not. So the
//! host need not look at what the device says of that. Of completions there are as many.

use crate::{
    regs::{
        Bar,
        Command,
        Descriptor, //
    },
    scsi::{
        Segments,
        Tag, //
    },
    wire::{
        self,
        Completion,
        Message,
        COMPLETION_LEN,
        MESSAGE_LEN,
        REQUEST_LEN, //
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
    prelude::*,
    ptr::KnownSize,
    sync::barrier::{
        dma_mb,
        Full,
        Read,
        Write, //
    },
};

/// Commands in flight, and entries of both rings.
pub(crate) const COMMANDS: u16 = 128;

/// Most elements of a list: it must lie within one page (header), and half of one is enough.
pub(crate) const LIST_LEN: usize = 128;

/// Room for sense data, in bytes: as much as the midlayer has.
pub(crate) const SENSE_LEN: usize = 96;

/// A page, for the device.
const PAGE: usize = 1 << PAGE_SHIFT;
const PAGE_SHIFT: u32 = 12;

/// Entries of the message ring: one page.
const MESSAGES: usize = PAGE / MESSAGE_LEN;

/// Most pages of the rings, for which the commands that set them up have room.
const MAX_PAGES: usize = 32;
const MAX_MESSAGE_PAGES: usize = 16;

/// Places in the page of the rings' state.
const REQUESTS_PRODUCED: usize = 0;
const REQUESTS_LOG2: usize = 2;
const COMPLETIONS_PRODUCED: usize = 3;
const COMPLETIONS_CONSUMED: usize = 4;
const COMPLETIONS_LOG2: usize = 5;
const MESSAGES_PRODUCED: usize = 32;
const MESSAGES_CONSUMED: usize = 33;

/// The memory. DMA memory is aligned to its size, so that each ring begins with a page, and no list
/// crosses the end of one.
pub(crate) struct Rings {
    state: Coherent<[u32; PAGE / 4]>,
    requests: Coherent<[[u8; REQUEST_LEN]]>,
    completions: Coherent<[[u8; COMPLETION_LEN]]>,
    messages: Coherent<[[u8; MESSAGE_LEN]]>,
    /// The data of each tag, if they are scattered.
    lists: Coherent<[[[u64; 2]; LIST_LEN]]>,
    /// The sense data of each tag.
    sense: Coherent<[[u8; SENSE_LEN]]>,
}

impl Rings {
    pub(crate) fn new(dev: &device::Device<device::Bound>) -> Result<Self> {
        let commands = usize::from(COMMANDS);
        Ok(Self {
            state: Coherent::zeroed(dev, GFP_KERNEL)?,
            requests: Coherent::zeroed_slice(dev, commands, GFP_KERNEL)?,
            completions: Coherent::zeroed_slice(dev, commands, GFP_KERNEL)?,
            messages: Coherent::zeroed_slice(dev, MESSAGES, GFP_KERNEL)?,
            lists: Coherent::zeroed_slice(dev, commands, GFP_KERNEL)?,
            sense: Coherent::zeroed_slice(dev, commands, GFP_KERNEL)?,
        })
    }

    /// Has a device that was reset use the rings, from their beginning.
    ///
    /// # Errors
    ///
    /// `EIO` if it does not.
    pub(crate) fn set_up(&self, bar: &Bar<'_>) -> Result<(Requests, Completions)> {
        self.set::<MESSAGES_PRODUCED>(0);
        let descriptor = Command::SetupRings
            .begin(bar)
            .word(count(&self.requests))
            .word(count(&self.completions))
            .wide(self.state.dma_address() >> PAGE_SHIFT);
        let descriptor = table(descriptor, &self.requests, MAX_PAGES);
        table(descriptor, &self.completions, MAX_PAGES).end()?;
        // The device has set the indices to 0, and says how long it takes the rings to be.
        let log2 = (self.get::<REQUESTS_LOG2>(), self.get::<COMPLETIONS_LOG2>());
        if log2 != (COMMANDS.ilog2(), COMMANDS.ilog2()) {
            return Err(EIO);
        }
        let descriptor = Command::SetupMsgRing
            .begin(bar)
            .word(count(&self.messages))
            .word(0);
        // A device of an early revision does not have this one: then there are no messages.
        let _ = table(descriptor, &self.messages, MAX_MESSAGE_PAGES).end();
        Ok((
            Requests {
                produced: 0,
                kick: None,
            },
            Completions { consumed: 0 },
        ))
    }

    /// Writes down where the data of a tag are: the address of the only segment, or that of a list,
    /// and whether it is one.
    ///
    /// # Errors
    ///
    /// There are more than `LIMITS` has the midlayer make.
    pub(crate) fn describe(&self, tag: Tag, mut segments: Segments<'_>) -> Result<(u64, bool)> {
        if segments.len() <= 1 {
            return Ok((segments.next().map_or(0, |only| only.address), false));
        }
        let list = io_project!(self.lists, [try: tag.index()]);
        for (n, segment) in segments.enumerate() {
            let element = wire::element(segment.address, segment.len);
            io_project!(list, [try: n]).copy_write(element);
        }
        Ok((list.dma_address(), true))
    }

    /// Address of the sense data of a tag.
    pub(crate) fn sense_address(&self, tag: Tag) -> Result<u64> {
        Ok(io_project!(self.sense, [try: tag.index()]).dma_address())
    }

    /// The sense data of a tag.
    pub(crate) fn sense(&self, tag: Tag) -> Result<[u8; SENSE_LEN]> {
        Ok(io_project!(self.sense, [try: tag.index()]).copy_read())
    }

    /// How many messages there are behind those that were consumed.
    ///
    /// # Errors
    ///
    /// The device's index, if it makes no sense.
    pub(crate) fn messages(&self, consumed: u32) -> Result<u32, u32> {
        self.ahead::<MESSAGES_PRODUCED>(consumed, MESSAGES)
    }

    /// Consumes a message.
    pub(crate) fn message(&self, consumed: u32) -> Result<Message> {
        let index = consumed as usize % MESSAGES;
        let message = Message::from_bytes(&io_project!(self.messages, [try: index]).copy_read());
        self.consumed_messages(consumed.wrapping_add(1));
        Ok(message)
    }

    /// Tells the device how many messages were consumed.
    pub(crate) fn consumed_messages(&self, consumed: u32) {
        dma_mb(Full);
        self.set::<MESSAGES_CONSUMED>(consumed);
    }

    /// How far the device is ahead in a ring.
    ///
    /// # Errors
    ///
    /// Its index, if that is more than the ring is long.
    fn ahead<const AT: usize>(&self, consumed: u32, len: usize) -> Result<u32, u32> {
        let produced = self.get::<AT>();
        let ahead = produced.wrapping_sub(consumed);
        // The entries are read after the index.
        dma_mb(Read);
        if ahead as usize > len {
            Err(produced)
        } else {
            Ok(ahead)
        }
    }

    fn get<const AT: usize>(&self) -> u32 {
        u32::from_le(io_read!(self.state, [build: AT]))
    }

    fn set<const AT: usize>(&self, value: u32) {
        io_write!(self.state, [build: AT], value.to_le());
    }
}

/// The host's side of the request ring, of a device that is in use.
pub(crate) struct Requests {
    produced: u32,
    kick: Option<Kick>,
}

/// What the device has to be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kick {
    /// There are requests that read or write.
    Rw,
    /// There are others too.
    NonRw,
}

impl Requests {
    /// Puts a request into the ring. The device may take it from then on, but need not before it is
    /// kicked.
    pub(crate) fn push(&mut self, rings: &Rings, request: [u8; REQUEST_LEN], kick: Kick) -> Result {
        let index = self.produced as usize % usize::from(COMMANDS);
        io_project!(rings.requests, [try: index]).copy_write(request);
        self.produced = self.produced.wrapping_add(1);
        dma_mb(Write);
        rings.set::<REQUESTS_PRODUCED>(self.produced);
        if self.kick != Some(Kick::NonRw) {
            self.kick = Some(kick);
        }
        Ok(())
    }

    /// What the device has to be told, once.
    pub(crate) fn take_kick(&mut self) -> Option<Kick> {
        self.kick.take()
    }
}

/// The host's side of the completion ring, of a device that is in use.
pub(crate) struct Completions {
    consumed: u32,
}

impl Completions {
    /// How many completions there are.
    ///
    /// # Errors
    ///
    /// The device's index, if it makes no sense.
    pub(crate) fn count(&self, rings: &Rings) -> Result<u32, u32> {
        rings.ahead::<COMPLETIONS_PRODUCED>(self.consumed, COMMANDS.into())
    }

    /// Consumes a completion.
    pub(crate) fn take(&mut self, rings: &Rings) -> Result<Completion> {
        let index = self.consumed as usize % usize::from(COMMANDS);
        let bytes = io_project!(rings.completions, [try: index]).copy_read();
        self.consumed = self.consumed.wrapping_add(1);
        dma_mb(Full);
        rings.set::<COMPLETIONS_CONSUMED>(self.consumed);
        Ok(Completion::from_bytes(&bytes))
    }
}

/// How many pages a ring has.
fn count<T: KnownSize + ?Sized>(ring: &Coherent<T>) -> u32 {
    ring.size().div_ceil(PAGE) as u32
}

/// Describes the pages of a ring, in a table of so many places.
fn table<'a, T: KnownSize + ?Sized>(
    mut descriptor: Descriptor<'a>,
    ring: &Coherent<T>,
    places: usize,
) -> Descriptor<'a> {
    let first = ring.dma_address() >> PAGE_SHIFT;
    let mut pages = first..first + u64::from(count(ring));
    for _ in 0..places {
        descriptor = descriptor.wide(pages.next().unwrap_or(0));
    }
    descriptor
}
