// SPDX-License-Identifier: GPL-2.0

//! A conversation with the card for the checks of `selftest.rs`: one command after the other,
//! polled, with data in a bounce buffer.
//!
//! A failed check may leave a command behind that the card is still at. The card is then not used,
//! and its DMA is stopped before the buffer is freed.

use crate::{
    bringup::Conversation,
    card::Card,
    wire::{
        padded,
        Body,
        Descriptor,
        Entry,
        Header,
        Slot,
        CDB_LEN,
        UNANSWERED,
        UNIT, //
    },
};
use kernel::{
    dma::Coherent,
    io::{
        io_project,
        poll::read_poll_timeout,
        Io, //
    },
    prelude::*,
    sync::atomic::ordering::Relaxed,
    time::Delta, //
};

/// How long the card may take to answer, and how often the driver looks.
const ANSWER_TIMEOUT: Delta = Delta::from_secs(5);
const PAUSE: Delta = Delta::from_micros(20);

/// How many times a failing command is tried: a unit may have something to tell first.
const ATTEMPTS: usize = 4;

/// What the memory for data is filled with, and how many bytes of it are looked at.
const FILL: u8 = 0xa5;
const LOOKED_AT: usize = 1024;

/// How the descriptor of a check looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One entry in the slot.
    InPlace,
    /// Entries of 8 bytes each, with as much between them, and the tail.
    List,
}

/// What the error of a check stands for.
pub(crate) fn why(error: Error) -> &'static str {
    match error {
        ETIMEDOUT => "no answer",
        EBADMSG => "the answer makes no sense",
        EIO => "failed",
        EILSEQ => "data missing or wrong",
        EOVERFLOW => "something was written behind the data",
        EADDRNOTAVAIL => "it cannot be told from LUN 0",
        _ => "the driver has failed",
    }
}

/// A conversation for checks.
pub(crate) struct Trial<'a, 'bound> {
    pub(crate) card: &'a Card<'bound>,
    pub(crate) talk: Conversation,
    /// The check under way.
    pub(crate) what: &'static str,
    /// Commands that were sent.
    pub(crate) asked: u32,
}

impl<'a, 'bound> Trial<'a, 'bound> {
    /// Begins it.
    pub(crate) fn new(card: &'a Card<'bound>, talk: Conversation) -> Self {
        Self {
            card,
            talk,
            what: "TEST UNIT READY",
            asked: 0,
        }
    }

    /// Asks LUN 0 whether it is ready. Any answer will do.
    pub(crate) fn test_unit_ready(&mut self, tag: u16) -> Result {
        self.submit(&[(tag, Slot::command(tag, 0, &[0; 16], Descriptor::None))])?;
        self.answer(tag).map(|_| ())
    }

    /// Puts commands into the ring, and shows them to the card by one write.
    pub(crate) fn submit(&mut self, slots: &[(u16, Slot)]) -> Result {
        for (tag, slot) in slots {
            self.card.regions.write_slot(*tag, *slot)?;
            self.talk.submit.push(&self.card.bar, *tag)?;
            self.asked += 1;
        }
        self.talk.submit.show(&self.card.bar);
        Ok(())
    }

    /// Waits for one of these tags in the completion ring, with a response. Others are passed over:
    /// they are of commands from before the bring-up.
    pub(crate) fn await_tag(&mut self, tags: &[u16]) -> Result<u16> {
        let (card, ring) = (self.card, &mut self.talk.complete);
        let look = || {
            ring.refresh(&card.bar).map_err(|index| match index {
                u32::MAX => ETIMEDOUT,
                _ => EBADMSG,
            })?;
            let mut tag = [0];
            while ring.take(&card.bar, &card.regions, &mut tag) > 0 {
                let is_answered = card.regions.header(tag[0]).unwrap_or_default() != UNANSWERED;
                if tags.contains(&tag[0]) && is_answered {
                    return Ok(Some(tag[0]));
                }
            }
            Ok(None)
        };
        read_poll_timeout(look, Option::is_some, PAUSE, ANSWER_TIMEOUT)?.ok_or(ETIMEDOUT)
    }

    /// Waits for the answer to a command.
    fn answer(&mut self, tag: u16) -> Result<(u8, Body)> {
        self.await_tag(&[tag])?;
        match Header::of_command(self.card.regions.header(tag)?, tag) {
            Header::Ended { status, body } => Ok((status, body)),
            _ => Err(EBADMSG),
        }
    }

    /// Sends a command for `len` bytes until it succeeds, and returns them. Nothing may come
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// `EIO` if the command never succeeds.
    pub(crate) fn ask(
        &mut self,
        (tag, lun): (u16, u16),
        cdb: &[u8],
        len: u32,
        shape: Shape,
    ) -> Result<KVec<u8>> {
        let (cdb, pool) = (padded(cdb).ok_or(EINVAL)?, &self.card.bounce);
        let lease = pool.lease().ok_or(EBUSY)?;
        let mut found = Err(EIO);
        for _ in 0..ATTEMPTS {
            found = pool
                .buffer(&lease)
                .and_then(|page| self.try_to_ask(page, tag, lun, &cdb, len, shape));
            if !matches!(found, Err(EIO)) {
                break;
            }
        }
        pool.give_back(lease);
        found
    }

    fn try_to_ask(
        &mut self,
        page: &Coherent<[u8]>,
        tag: u16,
        lun: u16,
        cdb: &[u8; CDB_LEN],
        len: u32,
        shape: Shape,
    ) -> Result<KVec<u8>> {
        for at in (0..LOOKED_AT).step_by(64) {
            io_project!(page, [try: at..at + 64]).copy_from_slice(&[FILL; 64]);
        }
        self.card.regions.write_tail(tag, [FILL; 8])?;
        let data = self.descriptor(page.dma_address(), tag, len, shape);
        let slot = Slot::command(tag, lun, cdb, data.ok_or(EINVAL)?);
        self.submit(&[(tag, slot)])?;
        let count = match self.answer(tag)? {
            (0, Body::Data(count)) => count,
            (0, _) => return self.collect(page, tag, len, shape),
            _ => return Err(EIO),
        };
        if count > len as usize {
            return Err(EBADMSG);
        }
        let body = self.card.regions.body(tag)?;
        let mut found = KVec::from_elem(FILL, len as usize, GFP_KERNEL)?;
        for (to, from) in found.iter_mut().zip(body).take(count) {
            *to = from;
        }
        Ok(found)
    }

    /// Describes `len` bytes at the beginning of the page, and of the tail.
    fn descriptor(&self, page: u64, tag: u16, len: u32, shape: Shape) -> Option<Descriptor> {
        if shape == Shape::InPlace {
            let entry = Entry::new(page, len.next_multiple_of(UNIT))?;
            return Some(Descriptor::InPlace(entry));
        }
        let mut list = self.card.regions.list(tag);
        for n in 0..len / UNIT {
            // Not one behind the other: what runs on past an entry shall show.
            list.push(Entry::new(page + u64::from(n * 2 * UNIT), UNIT)?)?;
        }
        if len % UNIT > 0 {
            list.push(Entry::new(self.card.regions.tail_address(tag), UNIT)?)?;
        }
        list.end(self.card.lists_are_marked.load(Relaxed))
    }

    /// What came by DMA.
    fn collect(&self, page: &Coherent<[u8]>, tag: u16, len: u32, shape: Shape) -> Result<KVec<u8>> {
        let mut bytes = KVec::from_elem(0, LOOKED_AT, GFP_KERNEL)?;
        io_project!(page, [try: 0..LOOKED_AT]).copy_to_slice(&mut bytes);
        let mut found = KVec::new();
        for (at, unit) in (0..).zip(bytes.chunks_exact(UNIT as usize)) {
            let is_data = match shape {
                Shape::InPlace => at < len.div_ceil(UNIT),
                Shape::List => at % 2 == 0 && at / 2 < len / UNIT,
            };
            if is_data {
                found.extend_from_slice(unit, GFP_KERNEL)?;
            } else if unit.iter().any(|byte| *byte != FILL) {
                return Err(EOVERFLOW);
            }
        }
        if shape == Shape::List {
            found.extend_from_slice(&self.card.regions.tail(tag)?, GFP_KERNEL)?;
        }
        found.truncate(len as usize);
        Ok(found)
    }
}
