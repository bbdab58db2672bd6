// SPDX-License-Identifier: GPL-2.0

//! Task management: abort task, and logical unit reset (K).
//!
//! A request goes through the same rings as a SCSI command. It has a tag of its own above those of
//! commands; its answer is a response for that tag, and says whether it was carried out.
//!
//! Error handling waits for one answer at a time, and gives up after a while. A tag whose answer
//! did not come is not used again before it came after all, or the card was restarted.

use crate::{
    card::Card,
    complete,
    regions,
    wire,
    Host, //
};
use kernel::{
    io::poll::read_poll_timeout,
    prelude::*,
    sync::atomic::{
        ordering,
        Atomic, //
    },
    time::Delta, //
};

/// The tag of the command with which the driver tries a restarted card; none of task management.
pub(crate) const TRIAL_TAG: u16 = regions::SLOTS - 1;

/// Number of tags for task management, which follow those of commands. macOS uses all up to 127
/// (K). A few are enough here: error handling waits for each answer.
const TAGS: usize = 8;

/// When the card owes so many answers, it would only cost time to ask for more.
const MOST_OWED: usize = 3;

/// How long the card may take to answer.
const TIMEOUT: Delta = Delta::from_secs(5);

/// How often the driver looks, in case that the interrupt is lost.
const PAUSE: Delta = Delta::from_millis(2);

/// What the card last answered for a tag is a status byte, or one of these.
const AWAITED: u32 = 0x100;
const NONE: u32 = 0x101;

/// The tags of task management.
pub(crate) struct Tasks {
    answers: [Atomic<u32>; TAGS],
    turn: Atomic<usize>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            answers: [const { Atomic::new(NONE) }; TAGS],
            turn: Atomic::new(0),
        }
    }

    /// The card has forgotten all requests.
    pub(crate) fn forget(&self) {
        for answer in &self.answers {
            answer.store(NONE, ordering::Relaxed);
        }
    }

    /// Takes a tag in turn, so that a late answer does not meet a new request. `None` if the card
    /// owes too many.
    fn claim(&self) -> Option<(u16, &Atomic<u32>)> {
        let is_owed = |answer: &&Atomic<u32>| answer.load(ordering::Relaxed) == AWAITED;
        if self.answers.iter().filter(is_owed).count() >= MOST_OWED {
            return None;
        }
        let turn = self.turn.fetch_add(1, ordering::Relaxed) % TAGS;
        let mut tags = (regions::COMMANDS..).zip(&self.answers).cycle().skip(turn);
        tags.find(|(_, answer)| answer.xchg(AWAITED, ordering::Relaxed) != AWAITED)
    }

    /// The completion ring names this tag. Returns whether there is an answer that was awaited.
    pub(crate) fn ended(&self, tag: u16, header: u64) -> bool {
        let place = tag.checked_sub(regions::COMMANDS).map(usize::from);
        let answer = place.and_then(|place| self.answers.get(place));
        match (answer, wire::Response::of_task(header, tag)) {
            (Some(answer), Some(status)) => answer
                .cmpxchg(AWAITED, status.into(), ordering::Release)
                .is_ok(),
            _ => false,
        }
    }

    /// Has the card carry out a function, and waits for its word. For process context.
    ///
    /// Returns `EIO` if the card says that it has not, `ETIMEDOUT` if it does not answer, and
    /// `EBUSY` if it takes no requests now.
    pub(crate) fn request(
        &self,
        card: &Card<'_>,
        host: &Host,
        lun: u16,
        function: wire::Function,
    ) -> Result {
        let (tag, answer) = self.claim().ok_or(EBUSY)?;
        submit(card, tag, wire::Slot::task(tag, lun, function))
            .inspect_err(|_| answer.store(NONE, ordering::Relaxed))?;
        let look = || {
            complete::look(card, host);
            Ok(answer.load(ordering::Acquire))
        };
        match read_poll_timeout(look, |answer| *answer != AWAITED, PAUSE, TIMEOUT)? {
            0 => Ok(()),
            NONE => Err(ETIMEDOUT),
            _ => Err(EIO),
        }
    }
}

/// Writes the slot of a request, and shows it to the card.
fn submit(card: &Card<'_>, tag: u16, slot: wire::Slot) -> Result {
    card.regions.write_slot(tag, slot)?;
    let mut gate = card.gate.lock();
    let ring = gate.ring().ok_or(EBUSY)?;
    ring.push(&card.bar, tag)?;
    ring.show(&card.bar);
    Ok(())
}
