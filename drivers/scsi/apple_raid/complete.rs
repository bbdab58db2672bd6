// SPDX-License-Identifier: GPL-2.0

//! From an interrupt to the commands that have ended.
//!
//! The card writes a response, then the tag into the next entry of the completion ring, then its
//! producer index, then it sets the cause and interrupts (K). The handler goes the other way:
//!
//! ```text
//!   write 0 to the cause      a completion after this interrupts anew
//!   read the producer index   pushes that write out, and what the card wrote before it in
//!   take the tags             under a lock, so that an entry is taken once
//!   write the consumer index  once
//!   end the commands          without the lock
//! ```
//!
//! That is one read and two writes, whatever is in flight. Other causes (a reply of the management
//! channel, a change of the controller's state) are looked at when the ring had nothing new, or a
//! command has failed: a change of state is seldom, and comes with one or the other.
//!
//! What the ring says is untrusted. An index beyond the ring is nothing new. A tag that is out of
//! range or not in flight, and an entry without a response, are one line in the log, and a command
//! in flight stays there, as the card may still be at work on it.

use crate::{
    card::Card,
    finish::finish,
    regions::{
        Regions,
        COMMANDS,
        RING_ENTRIES, //
    },
    regs::{
        self,
        cause,
        Bar0,
        Be32, //
    },
    states::State,
    submit::next,
    wire::Response,
    Host, //
};
use kernel::{
    io::{
        register::Array,
        Io, //
    },
    prelude::*,
    sync::rcu, //
};

/// Entries that are taken under the lock at a time.
const BATCH: usize = 16;

/// The completion ring of a card that takes commands.
pub(crate) struct CompletionRing {
    /// Index of the next entry to be taken.
    consumer: u16,
    /// Up to where there are entries, when the card was last asked.
    producer: u16,
}

impl CompletionRing {
    pub(crate) fn new(consumer: u16) -> Self {
        Self {
            consumer,
            producer: consumer,
        }
    }

    /// Asks the card up to where there are entries: one register read. Returns an index that is
    /// none of the ring as an error; all ones may mean that the card is gone.
    pub(crate) fn refresh(&mut self, bar: &Bar0<'_>) -> Result<(), u32> {
        let index = bar.read(regs::COMPLETION_PRODUCER).value().0;
        if index >= RING_ENTRIES.into() {
            return Err(index);
        }
        // CAST: Below `RING_ENTRIES`.
        self.producer = index as u16;
        Ok(())
    }

    /// Takes entries, as many as there are places. Returns how many there were, and tells the card
    /// when none is left.
    pub(crate) fn take(&mut self, bar: &Bar0<'_>, regions: &Regions, tags: &mut [u16]) -> usize {
        let mut taken = 0;
        for place in tags {
            if self.consumer == self.producer {
                break;
            }
            *place = regions.ring_entry(self.consumer).unwrap_or(u16::MAX);
            self.consumer = next(self.consumer);
            taken += 1;
        }
        if taken > 0 && self.consumer == self.producer {
            let index = Be32(self.consumer.into());
            bar.write_reg(regs::COMPLETION_CONSUMER::zeroed().with_value(index));
        }
        taken
    }
}

/// Looks for what the card has to say: in an interrupt, or because one may be lost. Returns whether
/// there was something.
pub(crate) fn look(card: &Card<'_>, host: &Host) -> bool {
    card.bar
        .write(regs::CAUSE::at(cause::SCSI), regs::CAUSE::zeroed());
    match complete_ended(card, host) {
        Some(true) => true,
        ended => look_at_causes(card, host) | ended.is_some(),
    }
}

/// Completes the commands that have ended. Returns whether all of them have succeeded; `None` if
/// there were none.
pub(crate) fn complete_ended(card: &Card<'_>, host: &Host) -> Option<bool> {
    let rcu = rcu::read_lock();
    let mut all_good = None;
    loop {
        let mut tags = [0; BATCH];
        let taken = take(card, host, all_good.is_none(), &mut tags);
        for &tag in tags.iter().take(taken) {
            let is_good = ended(card, host, tag, &rcu);
            all_good = Some(all_good.unwrap_or(true) & is_good);
        }
        if taken < BATCH {
            return all_good;
        }
    }
}

/// Takes some entries, or none if the card is not in use. Asks the card for what is new only the
/// `first` time, so that a card which never stops does not keep the handler.
fn take(card: &Card<'_>, host: &Host, first: bool, tags: &mut [u16]) -> usize {
    let mut consumer = card.consumer.lock();
    let Some(ring) = Option::as_mut(&mut consumer) else {
        return 0;
    };
    let asked = if first {
        ring.refresh(&card.bar)
    } else {
        Ok(())
    };
    let taken = asked.map_or(0, |()| ring.take(&card.bar, &card.regions, tags));
    drop(consumer);
    if let Err(index) = asked {
        if host.should_log() {
            dev_err!(
                card.pdev,
                "completion index {index:#x} is none of the ring\n"
            );
        }
    }
    taken
}

/// What the ring names has ended. Returns whether it is something that has succeeded.
fn ended(card: &Card<'_>, host: &Host, tag: u16, rcu: &rcu::Guard) -> bool {
    let header = card.regions.header(tag).unwrap_or_default();
    let is_known = if tag < COMMANDS {
        let response = Response::of_command(header, tag);
        let ended = response.and_then(|it| Some((host.take(tag.into(), rcu)?, it)));
        if let Some(((cmd, transfer), response)) = ended {
            return finish(card, host, cmd, transfer, response);
        }
        false
    } else {
        card.tasks.ended(tag, header)
    };
    if !is_known && host.should_log() {
        dev_err!(
            card.pdev,
            "the completion ring names tag {tag}, which has no response or is not in flight\n"
        );
    }
    is_known
}

/// Looks at the causes of interrupts other than commands that have ended. Returns whether there was
/// one.
fn look_at_causes(card: &Card<'_>, host: &Host) -> bool {
    if card.consumer.lock().is_none() {
        return false;
    }
    // macOS reads all causes in one access (O, K); they are memory, and take any width (P).
    let management = card.bar.read(regs::CAUSE::at(cause::MANAGEMENT));
    let state = card.bar.read(regs::CAUSE::at(cause::STATE));
    // The flags are all ones only if the card is gone.
    if management.into_raw() == u8::MAX && card.bar.read(regs::FLAGS).into_raw() == u32::MAX {
        card.give_up(host, State::GONE);
        return true;
    }
    if management.into_raw() != 0 {
        card.bar
            .write(regs::CAUSE::at(cause::MANAGEMENT), regs::CAUSE::zeroed());
        if host.should_log() {
            dev_info!(card.pdev, "a management reply, which nobody asked for\n");
        }
    }
    if state.into_raw() != 0 {
        card.bar
            .write(regs::CAUSE::at(cause::STATE), regs::CAUSE::zeroed());
        card.look_at_state(host);
    }
    management.into_raw() != 0 || state.into_raw() != 0
}
