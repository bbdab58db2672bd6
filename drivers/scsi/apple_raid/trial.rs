// SPDX-License-Identifier: GPL-2.0

//! A conversation with the card for the checks of `selftest.rs`: one command after the other,
//! polled, with data in the sink.
//!
//! A failed check may leave a command behind that the card is still at. The card is then not used,
//! and its DMA is stopped before the memory is freed.

use crate::{
    bringup::Conversation,
    card::Card,
    cdb::Way,
    transfer::{
        Transfer,
        OWN_LEN, //
    },
    wire,
};
use kernel::{
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
        let slot = wire::Slot::command(tag, 0, &[0; 16], wire::Descriptor::None);
        self.send(&[(tag, slot)])?;
        self.response(tag).map(|_| ())
    }

    /// Puts commands into the ring, shows them to the card by one write, and waits until the
    /// completion ring has named all of them, each with a response. Other tags are passed over:
    /// they are of commands from before the bring-up.
    pub(crate) fn send(&mut self, slots: &[(u16, wire::Slot)]) -> Result {
        let (card, talk) = (self.card, &mut self.talk);
        let mut awaited: u128 = 0;
        for (tag, slot) in slots {
            card.regions.write_slot(*tag, *slot)?;
            talk.submit.push(&card.bar, *tag)?;
            awaited |= 1 << tag;
            self.asked += 1;
        }
        talk.submit.show(&card.bar);
        let look = || {
            talk.complete
                .refresh(&card.bar)
                .map_err(|index| match index {
                    u32::MAX => ETIMEDOUT,
                    _ => EBADMSG,
                })?;
            let mut tag = [0];
            while talk.complete.take(&card.bar, &card.regions, &mut tag) > 0 {
                let header = card.regions.header(tag[0]).unwrap_or_default();
                if header != wire::UNANSWERED {
                    awaited &= !1u128.checked_shl(tag[0].into()).unwrap_or_default();
                }
            }
            Ok(awaited)
        };
        read_poll_timeout(look, |awaited| *awaited == 0, PAUSE, ANSWER_TIMEOUT).map(|_| ())
    }

    /// The response to a command.
    fn response(&self, tag: u16) -> Result<wire::Response> {
        let response = wire::Response::of_command(self.card.regions.header(tag)?, tag);
        let response = response.filter(|response| response.body != wire::Body::Garbled);
        response.ok_or(EBADMSG)
    }

    /// Sends a command for `len` bytes until it succeeds, and returns them. They are to come to
    /// pieces of memory that are `piece` bytes long, with as much between them, and the last 1 to 7
    /// bytes to the tag's own memory. Nothing may come elsewhere. `EIO` if the command never
    /// succeeds.
    pub(crate) fn ask(
        &mut self,
        (tag, lun): (u16, u16),
        cdb: &[u8],
        len: u32,
        piece: u32,
    ) -> Result<KVec<u8>> {
        let regions = &self.card.regions;
        let (memory, own) = (&regions.sink, len % wire::UNIT);
        let transfer = Transfer {
            way: Way::In,
            len,
            straight: len - own,
            own,
        };
        let place = |n| (memory.dma_address() + u64::from(2 * n * piece), piece);
        let pieces = (0..transfer.straight / piece).map(place);
        let marked = self.card.lists_are_marked.load(Relaxed);
        let data = regions.describe(tag, &transfer, pieces, marked);
        let cdb = wire::padded(cdb).ok_or(EINVAL)?;
        let slot = wire::Slot::command(tag, lun, &cdb, data.ok_or(EINVAL)?);
        let mut bytes = KVec::from_elem(FILL, LOOKED_AT, GFP_KERNEL)?;
        let mut attempts = 0..ATTEMPTS;
        let response = loop {
            attempts.next().ok_or(EIO)?;
            io_project!(memory, [try: 0..LOOKED_AT]).copy_from_slice(&bytes);
            regions.write_own(tag, [FILL; OWN_LEN])?;
            self.send(&[(tag, slot)])?;
            let response = self.response(tag)?;
            if response.status == 0 {
                break response;
            }
        };

        let mut found = KVec::with_capacity(len as usize, GFP_KERNEL)?;
        if let wire::Body::Data(count) = response.body {
            let body = regions.body(tag)?;
            let data = body.get(..count).filter(|_| count <= len as usize);
            found.extend_from_slice(data.ok_or(EBADMSG)?, GFP_KERNEL)?;
            found.resize(len as usize, FILL, GFP_KERNEL)?;
            return Ok(found);
        }
        io_project!(memory, [try: 0..LOOKED_AT]).copy_to_slice(&mut bytes);
        let is_untouched = |bytes: &[u8]| bytes.iter().all(|byte| *byte == FILL);
        for (n, bytes) in bytes.chunks(piece as usize).enumerate() {
            if n % 2 == 0 && found.len() < transfer.straight as usize {
                found.extend_from_slice(bytes, GFP_KERNEL)?;
            } else if !is_untouched(bytes) {
                return Err(EOVERFLOW);
            }
        }
        let bytes = regions.own(tag)?;
        let (own, rest) = bytes.split_at(own.next_multiple_of(wire::UNIT) as usize);
        found.extend_from_slice(own, GFP_KERNEL)?;
        found.truncate(len as usize);
        is_untouched(rest).then_some(found).ok_or(EOVERFLOW)
    }
}
