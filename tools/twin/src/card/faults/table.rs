// SPDX-License-Identifier: GPL-2.0

//! The faults, as data: what each is called, what it does, what a driver can see of it.

use super::kind::{Index, Kind, Stage, Stray, Trouble};
use super::setting::Setting;

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
    row("lost-interrupt", Kind::LostInterrupt, 50, "", Sometimes, ["an interrupt never reaches the host", "no interrupt; the completion is in the ring"]),
    row("late-interrupt", Kind::LateInterrupt, 50, "at most so many ms late (200)", Often, ["an interrupt comes later than what it tells of", "an interrupt that finds nothing new, at times"]),
    row("spurious-interrupt", Kind::SpuriousInterrupt, 50, "", Often, ["an interrupt more, without a cause", "an interrupt that finds nothing"]),
    row("interrupt-storm", Kind::InterruptStorm, 500, "so many interrupts (500)", Often, ["hundreds of interrupts without a cause", "interrupts that find nothing"]),
    row("early-interrupt", Kind::EarlyInterrupt, 50, "at most so many ms early (3)", Sometimes, ["the interrupt comes before the completion, and no other after it", "an interrupt that finds nothing; later the completion is in the ring"]),
    row("same-state", Kind::SameState, 50, "", Often, ["cause 0x5c is set although the state is what it was", "the cause; the state is the same"]),
    row("management-reply", Kind::ManagementReply, 50, "", Often, ["cause 0x5a is set although nobody asked for a reply", "the cause"]),
    row("token-torn", Kind::TokenTorn, 4, "", Often, ["a management reply is seen while the card overwrites it; the whole follows", "that bytes 0 and 4095 differ"]),
    row("lost-command", Kind::LostCommand, 500, "", Sometimes, ["a command is taken and forgotten; to abort it is rejected", NOTHING]),
    row("hung-command", Kind::HungCommand, 500, "", Sometimes, ["a command is accepted and never answered; it can be aborted", NOTHING]),
    row("lost-answer", Kind::LostAnswer, 500, "", Sometimes, ["a command is executed and never answered; it can be aborted", NOTHING]),
    row("silent-lun", Kind::SilentUnit, 1, "the LUN (0)", Seldom, ["one logical unit accepts commands and never answers, the others work", NOTHING]),
    row("slow-data", Kind::SlowData, 500, "ms (3000)", Sometimes, ["a command's data takes longer than its timeout", NOTHING]),
    row("abort-late", Kind::Abort(Trouble::Late), 2, "ms (5000)", Sometimes, ["an abort task takes long", "no answer for a while"]),
    row("abort-lost", Kind::Abort(Trouble::Lost), 2, "", Sometimes, ["nothing comes of an abort task", NOTHING]),
    row("abort-rejected", Kind::Abort(Trouble::Rejected), 2, "", Sometimes, ["an abort task is rejected, and nothing aborted", "the answer"]),
    row("abort-race", Kind::Abort(Trouble::Race), 2, "", Sometimes, ["the victim of an abort task completes at that very moment", "its completion, then the answer"]),
    row("reset-late", Kind::Reset(Trouble::Late), 2, "ms (5000)", Sometimes, ["a logical unit reset takes long", "no answer for a while"]),
    row("reset-lost", Kind::Reset(Trouble::Lost), 2, "", Sometimes, ["nothing comes of a logical unit reset", NOTHING]),
    row("reset-rejected", Kind::Reset(Trouble::Rejected), 2, "", Sometimes, ["a logical unit reset is rejected, and nothing aborted", "the answer"]),
    row("reset-race", Kind::Reset(Trouble::Race), 2, "", Sometimes, ["the victims of a logical unit reset complete at that very moment", "their completions, then the answer"]),
    row("ring-tag-out-of-range", Kind::Stray(Stray::OutOfRange), 200, "the tag (random)", Sometimes, ["an entry more in the completion ring: a tag beyond the slots", "the tag"]),
    row("ring-tag-not-in-flight", Kind::Stray(Stray::NotInFlight), 200, "", Sometimes, ["an entry more in the completion ring: a tag that is not in flight", "the tag"]),
    row("ring-tag-twice", Kind::Stray(Stray::Twice), 200, "", Sometimes, ["a completion is in the ring twice, one entry behind the other", "a tag that is not in flight any more"]),
    row("ring-index-beyond", Kind::Index(Index::Beyond), 200, "the index (random)", Sometimes, ["0x48 reads once an index that the ring does not have", "the index"]),
    row("ring-index-back", Kind::Index(Index::Back), 200, "", Sometimes, ["0x48 reads once an index behind what was taken", "more entries than commands are in flight"]),
    row("ring-all-ones", Kind::Index(Index::AllOnes), 500, "ms (100)", Sometimes, ["0x48 reads all ones for a while, other registers do not", "the index"]),
    row("garbled-response", Kind::GarbledResponse, 200, "the byte (any of 0..8, and of what follows)", Sometimes, ["one byte of a response is another", "that the response makes no sense, mostly"]),
    row("long-sense", Kind::LongSense, 50, "bytes (random)", Often, ["ABORTED COMMAND, with more sense announced than there can be", "the length"]),
    row("inline-too-long", Kind::InlineTooLong, 100, "bytes (random)", Often, ["inline data longer than 24 bytes, or than the CDB asks for", "the length"]),
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
    row("sense-medium-error", Kind::MediumError, 500, "the block within the transfer (random)", Sometimes, ["MEDIUM ERROR for a read, with the block's address; what lies before it was delivered", SENSE]),
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
    row("silent-handshake", Kind::SilentHandshake, 1, "", Seldom, ["a handshake after which 0x5d stays 0", "the byte"]),
    row("garbled-ready", Kind::GarbledReady, 1, "the byte (random)", Seldom, ["a handshake after which 0x5d makes no sense", "the state stays what it was"]),
    row("late-ready", Kind::LateReady, 1, "ms (3000)", Seldom, ["a handshake that takes long", "0x5d stays 0 for a while"]),
    row("never-enabled", Kind::NeverEnabled, 1, "", Seldom, ["a handshake after which the state stays 3", "the state"]),
    row("ready-lost", Kind::ReadyLost, 500, "", Sometimes, ["the card forgets all that was agreed: state 2, commands are lost", "the state"]),
    row("state-flip", Kind::StateFlip, 500, "ms (100)", Sometimes, ["the state is 2 or 3 for a while, then 4 again; what is in flight stays", "the state"]),
    row("state-fatal", Kind::StateFatal, 500, "", Seldom, ["the firmware dies: state 10, for good", "the state"]),
    row("capabilities-zero", Kind::Capabilities(0, 0), 1, "", Seldom, ["the registers say that the card has no slots", "the registers"]),
    row("capabilities-huge", Kind::Capabilities(0xffff_fff0, 0xffff_fff1), 1, "", Seldom, ["they say that it has billions", "the registers"]),
    row("capabilities-odd", Kind::Capabilities(128, 5), 1, "", Seldom, ["they say that it has more slots than ring entries", "the registers"]),
    row("submit-ring-outside", Kind::SubmitRing(0x0fff_fffe), 1, "", Seldom, ["the submit ring is outside of the BAR", "the register"]),
    row("submit-ring-end", Kind::SubmitRing(0xf_fff0), 1, "", Seldom, ["the submit ring ends outside of the BAR", "the register"]),
    row("submit-ring-far", Kind::SubmitRing(0x1_0000_0174), 1, "", Seldom, ["the submit ring is beyond 4 GiB", "the register"]),
    row("submit-ring-odd", Kind::SubmitRing(0x175), 1, "", Seldom, ["the submit ring is at an odd place", "the register"]),
    row("submit-ring-registers", Kind::SubmitRing(0x40), 1, "", Seldom, ["the submit ring is where registers are", "the register"]),
    row("gone-at-probe", Kind::Gone(Stage::Probe), 1, "", Seldom, ["the card is gone when it is asked what it offers", "all ones"]),
    row("gone-idle", Kind::Gone(Stage::Idle), 1, "so many ms from now (300)", Seldom, ["the card is gone, with no command in flight", "all ones"]),
    row("gone-under-load", Kind::Gone(Stage::Load), 200, "", Seldom, ["the card is gone, with commands in flight", "all ones"]),
    row("gone-in-error-handling", Kind::Gone(Stage::ErrorHandling), 1, "", Seldom, ["the card is gone in the handshake of a restart", "all ones"]),
    row("gone-in-remove", Kind::Gone(Stage::Remove), 1, "", Seldom, ["the card is gone when its caches are to be flushed, or loses the bus", "all ones"]),
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
