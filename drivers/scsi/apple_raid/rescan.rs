// SPDX-License-Identifier: GPL-2.0

//! Logical units that come, go or change while the host is in use.
//!
//! The card tells of them by the sense data of whichever command comes first. The midlayer logs
//! that and sends a uevent, and leaves it to the driver to act. [`note_sense`] asks for a rescan,
//! from the interrupt in which the command ends:
//!
//! ```text
//!   note_sense --> a second later, for each unit   ask it what it is: see `unit.rs`
//!                                          is it gone? remove it
//!                                          is it another one? remove it
//!                          then            REPORT LUNS, add what is new
//! ```
//!
//! - What is told within that second, by all units, leads to one rescan; what is told during a
//!   rescan, by its own commands too, to one more. A card that never stops telling gets a rescan a
//!   second.
//! - A unit goes only if it says itself that it is not there, or if another one answers in its
//!   place. One that does not answer, or not in a way that can be trusted, is left alone, and there
//!   are a few rescans more. It stays, as does one that REPORT LUNS forgot: to take a disk away
//!   that is there is worse than to keep one that is not.
//! - A user can have a unit looked at too (`rescan` and `state` in sysfs), and the midlayer then
//!   replaces the name that it has. If a unit was replaced before that, and nothing was told of it
//!   before, nobody can tell any more.
//! - While the host is quiesced, the commands of a rescan wait with all others. To unload the
//!   module may fail during a rescan, as if it were in use, and works a moment later.

use crate::{
    card::Card,
    unit::{
        self,
        Verdict, //
    },
    Cmd,
    Host, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
    time::Msecs, //
};

/// From the sense data to the rescan, in milliseconds.
const PAUSE: Msecs = 1000;

/// How many rescans there are at most, one after the other, while a unit does not say what it is.
const ATTEMPTS: u32 = 4;

/// What sense data say of the logical unit, beyond the command that they came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SenseEvent {
    /// Units came or went, or this one is not what it was.
    Changed,
    /// There is no such unit.
    NotThere,
}

impl SenseEvent {
    /// Of a sense key, an additional sense code and its qualifier (SPC-4, tables 48 and 56).
    pub(crate) fn of(key: u8, asc: u8, ascq: u8) -> Option<Self> {
        match (key, asc, ascq) {
            // UNIT ATTENTION: CAPACITY DATA HAS CHANGED, INQUIRY DATA HAS CHANGED,
            // DEVICE IDENTIFIER CHANGED, REPORTED LUNS DATA HAS CHANGED
            (0x6, 0x2a, 0x09) | (0x6, 0x3f, 0x03 | 0x05 | 0x0e) => Some(Self::Changed),
            // ILLEGAL REQUEST: LOGICAL UNIT NOT SUPPORTED
            (0x5, 0x25, 0x00) => Some(Self::NotThere),
            _ => None,
        }
    }

    /// Of sense data in fixed format that are about the command itself, not an earlier one.
    pub(crate) fn of_sense(sense: &[u8]) -> Option<Self> {
        match *sense {
            [code, _, key, _, _, _, _, _, _, _, _, _, asc, ascq, ..] if code & 0x7f == 0x70 => {
                Self::of(key & 0xf, asc, ascq)
            }
            _ => None,
        }
    }
}

/// Rescans that left something unclear, up to now and without a break.
pub(crate) struct Unclear(Atomic<u32>);

impl Unclear {
    pub(crate) fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Whether there is to be another rescan.
    fn again(&self, is_unclear: bool) -> bool {
        let before = self.0.load(Relaxed);
        let again = is_unclear && before + 1 < ATTEMPTS;
        self.0.store(if again { before + 1 } else { 0 }, Relaxed);
        again
    }
}

/// Has all units looked at anew, soon, if this is what the sense data mean with which the command
/// is about to end. For any context.
pub(crate) fn note_sense(card: &Card<'_>, host: &Host, cmd: &Cmd<'_>, sense: &[u8]) {
    let is_event = match SenseEvent::of_sense(sense) {
        Some(SenseEvent::Changed) => true,
        // Whoever looks for units gets this where there are none.
        Some(SenseEvent::NotThere) => cmd.device().is_known(),
        None => false,
    };
    if is_event {
        // The midlayer may fetch the name anew as soon as it has the sense data.
        card.names.remember(cmd.device());
        host.queue_work(PAUSE);
    }
}

/// Looks at all units, and for new ones.
pub(crate) fn rescan(card: &Card<'_>, host: &Host) {
    let mut is_unclear = false;
    host.for_each_device(|device| {
        if host.is_ending() || !device.is_running() {
            // Nobody wants to know any more; or it is offline, or just being looked for.
            return;
        }
        match unit::look(card, device) {
            Verdict::Same => {}
            Verdict::Unclear => is_unclear = true,
            Verdict::Gone => {
                dev_info!(device.as_ref(), "the logical unit is gone\n");
                device.remove();
            }
        }
    });
    if !host.is_ending() {
        host.scan_target(0, 0);
        if card.unclear.again(is_unclear) {
            host.queue_work(PAUSE);
        }
    }
}
