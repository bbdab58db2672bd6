// SPDX-License-Identifier: GPL-2.0

//! The faults, as data: what each is called, what it does, what a driver can see of it.

use super::setting::Setting;

/// What a card with a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An interrupt never reaches the host.
    LostInterrupt,
    /// An interrupt comes later than what it tells of.
    LateInterrupt,
    /// An interrupt more, without a cause.
    SpuriousInterrupt,
    /// Hundreds of interrupts without a cause.
    InterruptStorm,
    /// The interrupt comes first, then the response, and no other interrupt.
    EarlyInterrupt,
    /// The status byte that nobody knows is set.
    UnknownCause,
    /// A management response that nobody asked for.
    ManagementResponse,
    /// A command is taken and forgotten.
    LostCommand,
    /// A command is executed and never answered.
    LostAnswer,
    /// One logical unit takes commands and forgets them.
    SilentUnit,
    /// A command's data takes long.
    SlowData,
    /// A command completes a second time, before its tag is used again.
    CompletesTwice,
    /// The response bears the tag of another command in flight.
    WrongTag,
    /// The response bears a tag that no command in flight has.
    UnissuedTag,
    /// The response bears, and lies at the place of, a tag beyond those in use.
    TagOutOfRange,
    /// One byte of the response is another.
    GarbledResponse,
    /// More sense than there can be is announced.
    LongSense,
    /// A SCSI status instead of an execution, or of GOOD.
    Status(u8),
    /// CHECK CONDITION with this sense, instead of an execution, or of GOOD.
    Sense(u8, u8, u8),
    /// The same in the descriptor format, for what was not executed.
    DescriptorSense(u8, u8, u8),
    /// A handshake after which the card is never ready.
    SilentHandshake,
    /// A handshake after which the ready flag makes no sense.
    GarbledReady,
    /// A handshake after which the card is ready late.
    LateReady,
    /// The card forgets all that was agreed.
    ReadyLost,
    /// The registers say so much of the commands that the card takes.
    Capabilities(u32, u32),
    /// The registers say that the submit mailbox is there.
    Mailbox(u64),
    /// The card is gone.
    Gone(Stage),
    /// Junk behind data-in, more than usual.
    LongJunk,
    /// Random bytes wherever the card may write.
    Hostile,
    /// The response comes before its data.
    EarlyResponse,
    /// A command completes a second time, when its tag is in use again.
    LateSecond,
    /// Only the first part of the data arrives, and the status is GOOD.
    ShortData,
}

/// When a card is pulled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// When the driver asks what it offers.
    Probe,
    /// With no command in flight.
    Idle,
    /// When a command is submitted.
    Load,
    /// In the second handshake, which is a restart.
    ErrorHandling,
    /// When the host has the caches flushed, or takes the bus away.
    Remove,
}

/// One fault of the table.
#[derive(Debug)]
pub struct Fault {
    /// Its stable name.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// How often it strikes unless told otherwise: one time in so many.
    pub one_in: u32,
    /// What `@WHERE` means, with what it is unless told otherwise; empty where it
    /// means nothing.
    pub at: &'static str,
    /// Its part in chaos.
    pub chaos: Chaos,
    /// What it does, for people.
    pub about: &'static str,
    /// What a driver can see.
    pub driver: &'static str,
}

/// How a fault takes part in chaos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chaos {
    /// Often: it is over at once.
    Often,
    /// Now and then: it costs a timeout.
    Sometimes,
    /// In a few seeds, in turn: it costs the card, or many seconds.
    Seldom,
    /// Never, because no driver can see it: its data would be wrong.
    Unseen,
    /// Never: it is a mix itself.
    Mix,
}

impl Fault {
    /// The fault of that name.
    pub fn find(name: &str) -> Option<&'static Fault> {
        FAULTS.iter().find(|fault| fault.name == name)
    }

    /// The fault as it strikes unless told otherwise.
    pub fn setting(&'static self) -> Setting {
        Setting {
            fault: self,
            one_in: self.one_in,
            most: None,
            at: None,
        }
    }

    /// Whether a driver can tell that something is wrong.
    pub fn can_be_seen(&self) -> bool {
        self.chaos != Chaos::Unseen
    }
}

const fn row(
    name: &'static str,
    kind: Kind,
    one_in: u32,
    at: &'static str,
    chaos: Chaos,
    [about, driver]: [&'static str; 2],
) -> Fault {
    Fault {
        name,
        kind,
        one_in,
        at,
        chaos,
        about,
        driver,
    }
}

const SENSE: &str = "CHECK CONDITION: the midlayer decides";
const NOTHING: &str = "no answer in time";
const UNSEEN: &str = "nothing";

use Chaos::{Mix, Often, Seldom, Sometimes, Unseen};

/// Every fault.
#[rustfmt::skip]
pub const FAULTS: &[Fault] = &[
    row("lost-interrupt", Kind::LostInterrupt, 50, "", Sometimes, ["an interrupt never reaches the host", "no interrupt; the response is there"]),
    row("late-interrupt", Kind::LateInterrupt, 50, "at most so many ms late (200)", Often, ["an interrupt comes later than what it tells of", "an interrupt that finds nothing new, at times"]),
    row("spurious-interrupt", Kind::SpuriousInterrupt, 50, "", Often, ["an interrupt more, without a cause", "an interrupt that finds nothing"]),
    row("interrupt-storm", Kind::InterruptStorm, 500, "so many interrupts (500)", Often, ["hundreds of interrupts without a cause", "interrupts that find nothing"]),
    row("early-interrupt", Kind::EarlyInterrupt, 50, "at most so many ms early (3)", Sometimes, ["the interrupt comes before the response, and no other after it", "an interrupt that finds nothing; later the response is there"]),
    row("unknown-cause", Kind::UnknownCause, 50, "", Often, ["the status byte 0x5c is set, with an interrupt", "the byte"]),
    row("management-response", Kind::ManagementResponse, 50, "", Often, ["a management response that nobody asked for", "the status byte"]),
    row("lost-command", Kind::LostCommand, 500, "", Sometimes, ["a command is taken and forgotten", NOTHING]),
    row("lost-answer", Kind::LostAnswer, 500, "", Sometimes, ["a command is executed and never answered", NOTHING]),
    row("silent-lun", Kind::SilentUnit, 1, "the LUN (0)", Seldom, ["one logical unit takes commands and forgets them, the others work", NOTHING]),
    row("slow-data", Kind::SlowData, 500, "ms (3000)", Sometimes, ["a command's data takes longer than its timeout", NOTHING]),
    row("completes-twice", Kind::CompletesTwice, 50, "", Often, ["a command completes a second time, before its tag is used again", "an interrupt that finds nothing"]),
    row("wrong-tag", Kind::WrongTag, 500, "", Sometimes, ["the response bears the tag of another command in flight", "a response with another tag, and no answer"]),
    row("unissued-tag", Kind::UnissuedTag, 500, "", Sometimes, ["the response bears a tag that is not in flight", "a response with another tag, and no answer"]),
    row("tag-out-of-range", Kind::TagOutOfRange, 500, "", Sometimes, ["the response bears a tag beyond those in use, and lies at its place", NOTHING]),
    row("garbled-response", Kind::GarbledResponse, 200, "the byte (any of 0..8, of 0..26 with sense)", Sometimes, ["one byte of a response is another", "that the response makes no sense, mostly"]),
    row("long-sense", Kind::LongSense, 50, "bytes (random)", Often, ["ABORTED COMMAND, with more sense announced than there can be", "the length"]),
    row("unknown-status", Kind::Status(0x55), 50, "the status (0x55)", Often, ["a SCSI status that no standard knows", "the status"]),
    row("busy", Kind::Status(0x08), 50, "", Often, ["BUSY, and nothing done", "the status"]),
    row("task-set-full", Kind::Status(0x28), 50, "", Often, ["TASK SET FULL, and nothing done", "the status"]),
    row("reservation-conflict", Kind::Status(0x18), 500, "", Sometimes, ["RESERVATION CONFLICT, and nothing done", "the status"]),
    row("aca-active", Kind::Status(0x30), 50, "", Often, ["ACA ACTIVE, and nothing done", "the status"]),
    row("task-aborted", Kind::Status(0x40), 50, "", Often, ["TASK ABORTED, and nothing done", "the status"]),
    row("intermediate", Kind::Status(0x10), 50, "", Often, ["INTERMEDIATE, which is obsolete, and nothing done", "the status"]),
    row("intermediate-condition-met", Kind::Status(0x14), 50, "", Often, ["INTERMEDIATE-CONDITION MET, which is obsolete, and nothing done", "the status"]),
    row("condition-met", Kind::Status(0x04), 50, "", Often, ["CONDITION MET instead of GOOD", "the status"]),
    row("sense-none", Kind::Sense(0x0, 0x00, 0x00), 50, "", Often, ["NO SENSE, and all done", SENSE]),
    row("sense-recovered", Kind::Sense(0x1, 0x17, 0x01), 50, "", Often, ["RECOVERED ERROR, and all done", SENSE]),
    row("sense-becoming-ready", Kind::Sense(0x2, 0x04, 0x01), 50, "", Often, ["NOT READY, in process of becoming ready", SENSE]),
    row("sense-not-ready", Kind::Sense(0x2, 0x04, 0x03), 500, "", Sometimes, ["NOT READY, manual intervention required", SENSE]),
    row("sense-medium-error", Kind::Sense(0x3, 0x11, 0x00), 500, "", Sometimes, ["MEDIUM ERROR for a read", SENSE]),
    row("sense-hardware-error", Kind::Sense(0x4, 0x44, 0x00), 500, "", Sometimes, ["HARDWARE ERROR, internal target failure", SENSE]),
    row("sense-illegal-request", Kind::Sense(0x5, 0x24, 0x00), 500, "", Sometimes, ["ILLEGAL REQUEST for what is legal", SENSE]),
    row("sense-unit-attention", Kind::Sense(0x6, 0x29, 0x00), 50, "", Often, ["UNIT ATTENTION, reset occurred", SENSE]),
    row("sense-data-protect", Kind::Sense(0x7, 0x27, 0x00), 500, "", Sometimes, ["DATA PROTECT for a write", SENSE]),
    row("sense-blank-check", Kind::Sense(0x8, 0x00, 0x00), 500, "", Sometimes, ["BLANK CHECK, which is of tapes and the like", SENSE]),
    row("sense-copy-aborted", Kind::Sense(0xa, 0x0d, 0x01), 500, "", Sometimes, ["COPY ABORTED, third party device failure", SENSE]),
    row("sense-aborted", Kind::Sense(0xb, 0x47, 0x01), 50, "", Often, ["ABORTED COMMAND, data phase CRC error", SENSE]),
    row("sense-volume-overflow", Kind::Sense(0xd, 0x00, 0x02), 500, "", Sometimes, ["VOLUME OVERFLOW, end of partition", SENSE]),
    row("sense-miscompare", Kind::Sense(0xe, 0x1d, 0x00), 500, "", Sometimes, ["MISCOMPARE for what compares nothing", SENSE]),
    row("sense-descriptor", Kind::DescriptorSense(0xb, 0x47, 0x01), 50, "", Often, ["ABORTED COMMAND, in the descriptor format", SENSE]),
    row("silent-handshake", Kind::SilentHandshake, 1, "", Seldom, ["a handshake after which the card is never ready", "the ready flag stays 0"]),
    row("garbled-ready", Kind::GarbledReady, 1, "the flag (random)", Seldom, ["a handshake after which the ready flag makes no sense", "the flag"]),
    row("late-ready", Kind::LateReady, 1, "ms (3000)", Seldom, ["a handshake after which the card is ready late", "the ready flag stays 0 for a while"]),
    row("ready-lost", Kind::ReadyLost, 500, "", Sometimes, ["the card forgets all that was agreed: ready is 0, commands are lost", NOTHING]),
    row("capabilities-zero", Kind::Capabilities(0, 0), 1, "", Seldom, ["the registers say that the card takes no commands", "the registers"]),
    row("capabilities-huge", Kind::Capabilities(0xffff_fff0, 0xffff_fff1), 1, "", Seldom, ["they say that it takes billions", "the registers"]),
    row("capabilities-odd", Kind::Capabilities(128, 5), 1, "", Seldom, ["they say that it takes more SCSI commands than commands", "the registers"]),
    row("mailbox-outside", Kind::Mailbox(0x0fff_fffe), 1, "", Seldom, ["the submit mailbox is outside of the BAR", "the register"]),
    row("mailbox-far", Kind::Mailbox(0x1_0000_0174), 1, "", Seldom, ["the submit mailbox is beyond 4 GiB", "the register"]),
    row("mailbox-odd", Kind::Mailbox(0x175), 1, "", Seldom, ["the submit mailbox is at an odd place", "the register"]),
    row("mailbox-doorbell", Kind::Mailbox(0x40), 1, "", Seldom, ["the submit mailbox is the doorbell", "the register"]),
    row("gone-at-probe", Kind::Gone(Stage::Probe), 1, "", Seldom, ["the card is gone when it is asked what it offers", "all ones"]),
    row("gone-idle", Kind::Gone(Stage::Idle), 1, "so many ms from now (300)", Seldom, ["the card is gone, with no command in flight", "all ones"]),
    row("gone-under-load", Kind::Gone(Stage::Load), 200, "", Seldom, ["the card is gone, with commands in flight", "all ones"]),
    row("gone-in-error-handling", Kind::Gone(Stage::ErrorHandling), 1, "", Seldom, ["the card is gone in the handshake of a restart", "all ones"]),
    row("gone-in-remove", Kind::Gone(Stage::Remove), 1, "", Seldom, ["the card is gone when its caches are to be flushed, or loses the bus", "all ones"]),
    row("long-junk", Kind::LongJunk, 10, "", Often, ["512 bytes of junk behind data-in that does not end on 512", "nothing, where it leaves room"]),
    row("hostile", Kind::Hostile, 1, "", Mix, ["random bytes wherever the card may write, at random times", "whatever may be"]),
    row("early-response", Kind::EarlyResponse, 200, "at most so many ms early (5)", Unseen, ["the response comes before its data", UNSEEN]),
    row("late-second", Kind::LateSecond, 200, "", Unseen, ["a command completes a second time, when its tag is in use again", UNSEEN]),
    row("short-data", Kind::ShortData, 200, "", Unseen, ["half of the data, with GOOD, and the card reports no residual", UNSEEN]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_are_unique() {
        for (n, one) in FAULTS.iter().enumerate() {
            for other in &FAULTS[..n] {
                assert_ne!(one.name, other.name);
                assert_ne!(one.kind, other.kind);
            }
            assert_ne!((one.name, one.one_in > 0), ("chaos", false));
        }
    }

    #[test]
    fn three_cannot_be_seen() {
        let unseen = FAULTS.iter().filter(|fault| !fault.can_be_seen());
        assert_eq!(
            unseen.map(|fault| fault.name).collect::<Vec<_>>(),
            ["early-response", "late-second", "short-data"]
        );
    }
}
