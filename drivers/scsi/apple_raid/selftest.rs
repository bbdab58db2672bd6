// SPDX-License-Identifier: GPL-2.0

//! Check before trust: whether the card at hand is as `apple_raid_hw.rst` says (K).
//!
//! Nobody has run this driver on a real card. So before a host is registered the card is asked some
//! twenty harmless commands, one after the other and polled:
//!
//! ```text
//!   TEST UNIT READY                     the rings, slots and responses
//!   INQUIRY by one entry                that data comes, and no more than was asked for
//!   by a list of one unit               with bit 0 of byte 1 clear; if it does not come, set
//!   by a chain of two units             the links
//!   with a tail of 1 to 7 bytes         the last entry
//!   of 16 bytes                         by DMA or in the response
//!   two at once                         that one write of the index is enough
//!   to a unit that is not there         the place of the LUN
//!   abort of a tag that is not in use   task management; any answer will do
//! ```
//!
//! A card that differs is refused, with one line that says in what.

use crate::{
    bringup::Conversation,
    card::Card,
    regions::COMMANDS,
    tasks::TRIAL_TAG,
    trial::{
        self,
        Trial, //
    },
    wire::{
        Descriptor,
        Function,
        Response,
        Slot,
        UNIT, //
    },
    MAX_LUN, //
};
use kernel::{
    prelude::*,
    sync::atomic::ordering::Relaxed,
    time, //
};

/// Bytes of INQUIRY data that every unit has, and those for which a list of entries of 8 bytes
/// needs two units.
const SHORT: u8 = 32;
const LONG: u8 = 96;

/// Tags of the checks, apart from each other. The last one is high: a card that took the index of
/// its list for an entry would go to an address far above the memory of such a machine.
const FIRST: u16 = 0;
const LAST: u16 = COMMANDS - 1;

/// Tries a card that was just brought up. Returns what `talk` is afterwards, or `ENODEV`, with a
/// line in the log, if it is not a card that this driver can work with.
pub(crate) fn run(card: &Card<'_>, talk: Conversation) -> Result<Conversation> {
    let begin = time::Instant::<time::Monotonic>::now();
    let mut trial = Trial::new(card, talk);
    if let Err(error) = trial.checks() {
        let (what, why) = (trial.what, trial::why(error));
        dev_err!(
            card.pdev,
            "not a card that this driver can work with: {what}: {why}\n"
        );
        return Err(ENODEV);
    }
    let (asked, took) = (trial.asked, begin.elapsed().as_millis());
    dev_info!(card.pdev, "checked by {asked} commands in {took} ms\n");
    Ok(trial.talk)
}

/// Tries a card that was restarted, by one command; the ring may still name old ones. Returns
/// `ENODEV`, with a line in the log, if the card does not answer.
pub(crate) fn try_restarted(card: &Card<'_>, talk: Conversation) -> Result<Conversation> {
    let mut trial = Trial::new(card, talk);
    if let Err(error) = trial.test_unit_ready(TRIAL_TAG) {
        let why = trial::why(error);
        dev_err!(card.pdev, "the restarted card is not usable: {why}\n");
        return Err(ENODEV);
    }
    Ok(trial.talk)
}

impl Trial<'_, '_> {
    fn checks(&mut self) -> Result {
        self.test_unit_ready(FIRST)?;
        self.test_unit_ready(LAST)?;

        self.what = "data by one entry";
        let known = self.known()?;
        self.inquire(FIRST, SHORT, SHORT.into(), &known)?;

        self.what = "data by a list";
        match self.inquire(LAST, SHORT, UNIT, &known) {
            Err(EIO | EILSEQ) => {
                self.card.lists_are_marked.store(true, Relaxed);
                self.inquire(LAST, SHORT, UNIT, &known)?;
                dev_info!(self.card.pdev, "lists want bit 0 of byte 1\n");
            }
            other => drop(other?),
        }
        self.what = "data by a chain of two units";
        self.inquire(LAST, LONG, UNIT, &known)?;
        if known.len() <= 7 * 8 {
            dev_info!(self.card.pdev, "not checked: {}\n", self.what);
        }
        self.what = "data with a tail";
        for len in 25..32 {
            self.inquire(FIRST, len, UNIT, &known)?;
        }
        self.what = "data of 16 bytes";
        self.inquire(FIRST, 16, 16, &known)?;

        self.what = "two commands at once";
        let ready = |tag| (tag, Slot::command(tag, 0, &[0; 16], Descriptor::None));
        self.send(&[ready(FIRST), ready(LAST)])?;

        self.another_unit(&known)?;

        self.what = "task management";
        let (tag, function) = (COMMANDS, Function::AbortTask(FIRST));
        self.send(&[(tag, Slot::task(tag, 0, function))])?;
        let answer = Response::of_task(self.card.regions.header(tag)?, tag);
        answer.map(|_| ()).ok_or(EBADMSG)
    }

    /// INQUIRY data of LUN 0, which all other checks of data have to bring.
    fn known(&mut self) -> Result<KVec<u8>> {
        let mut known = self.inquire(LAST, LONG, LONG.into(), &[])?;
        let (format, more) = match known[..] {
            // A disk or an array controller, there or not, or no unit at all.
            [0x00 | 0x0c | 0x20 | 0x2c | 0x7f, _, _, format, more, ..] => (format & 0xf, more),
            _ => return Err(EILSEQ),
        };
        let mut names = known.iter().skip(8).take(24);
        // The format is that of SCSI-2 and later.
        if !matches!(format, 1 | 2) || more < 27 || !names.all(|c| matches!(c, 0 | b' '..=b'~')) {
            return Err(EILSEQ);
        }
        known.truncate(5 + usize::from(more));
        Ok(known)
    }

    /// INQUIRY to the last unit that is not there, which has to say something else than LUN 0.
    fn another_unit(&mut self, known: &[u8]) -> Result {
        const LEN: u32 = 8 + 8 * MAX_LUN as u32;
        self.what = "another unit";
        let [a, b, c, d] = LEN.to_be_bytes();
        let cdb = [0xa0, 0, 0, 0, 0, 0, a, b, c, d];
        let list = match self.ask((FIRST, 0), &cdb, LEN, LEN) {
            Err(EIO) => KVec::new(),
            list => list?,
        };
        let is_listed = |lun: &u16| {
            let mut entries = list.chunks_exact(8).skip(1);
            entries.any(|entry| matches!(*entry, [0, n, ..] if u16::from(n) == *lun))
        };
        // CAST: Below 64.
        let Some(lun) = (1..MAX_LUN as u16).rev().find(|lun| !is_listed(lun)) else {
            return Ok(());
        };
        let cdb = [0x12, 0, 0, 0, SHORT];
        match self.ask((FIRST, lun), &cdb, SHORT.into(), SHORT.into()) {
            Ok(found) if found.first() == known.first() && found.first() != Some(&0x7f) => {
                Err(EADDRNOTAVAIL)
            }
            Err(EIO) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks LUN 0 for `len` bytes of INQUIRY data, which have to be what is known, as far as it is.
    /// For `piece` see [`Trial::ask`].
    fn inquire(&mut self, tag: u16, len: u8, piece: u32, known: &[u8]) -> Result<KVec<u8>> {
        let found = self.ask((tag, 0), &[0x12, 0, 0, 0, len], len.into(), piece)?;
        let is_same = found.iter().zip(known).all(|(found, known)| found == known);
        is_same.then_some(found).ok_or(EILSEQ)
    }
}
