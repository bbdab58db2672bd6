// SPDX-License-Identifier: GPL-2.0

//! What a fault is, to the code that has it happen.

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
    /// The interrupt comes first, then the completion, and no other interrupt.
    EarlyInterrupt,
    /// The cause "state has changed" although it has not.
    SameState,
    /// A management reply that nobody asked for.
    ManagementReply,
    /// A reply whose token is not whole at first.
    TokenTorn,
    /// A command is taken and forgotten.
    LostCommand,
    /// A command is accepted and never answered.
    HungCommand,
    /// A command is executed and never answered.
    LostAnswer,
    /// One logical unit accepts commands and never answers.
    SilentUnit,
    /// A command's data takes long.
    SlowData,
    /// Abort task goes wrong.
    Abort(Trouble),
    /// A reset of a logical unit, or of its tasks, goes wrong.
    Reset(Trouble),
    /// The completion ring has one entry more than it should.
    Stray(Stray),
    /// The producer index reads wrong.
    Index(Index),
    /// One byte of the response is another.
    GarbledResponse,
    /// More sense than there can be is announced.
    LongSense,
    /// More inline data than there can be is announced.
    InlineTooLong,
    /// A SCSI status instead of an execution, or of GOOD.
    Status(u8),
    /// CHECK CONDITION with this sense, instead of an execution, or of GOOD.
    Sense(u8, u8, u8),
    /// A block cannot be read; what lies before it comes.
    MediumError,
    /// CHECK CONDITION in the descriptor format, for what was not executed.
    DescriptorSense(u8, u8, u8),
    /// A handshake after which 0x5d stays 0.
    SilentHandshake,
    /// A handshake after which 0x5d makes no sense.
    GarbledReady,
    /// A handshake that takes long.
    LateReady,
    /// A handshake after which the state stays 3.
    NeverEnabled,
    /// The card forgets all that was agreed.
    ReadyLost,
    /// The state leaves enabled for a while.
    StateFlip,
    /// The firmware dies.
    StateFatal,
    /// The registers say so much of slots and ring entries.
    Capabilities(u32, u32),
    /// The registers say that the submit ring is there.
    SubmitRing(u64),
    /// The card is gone.
    Gone(Stage),
    /// Random bytes wherever the card may write.
    Hostile,
    /// The response comes before its data.
    EarlyResponse,
    /// A command completes a second time, when its tag is in use again.
    LateSecond,
    /// Only the first part of the data arrives, and the status is GOOD.
    ShortData,
}

/// How task management goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It takes long.
    Late,
    /// Nothing comes of it, and no answer.
    Lost,
    /// Nothing comes of it, and the answer says so.
    Rejected,
    /// The victim completes at that very moment.
    Race,
}

/// What an entry too many of the completion ring is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// A tag beyond the slots.
    OutOfRange,
    /// A tag that is not in flight.
    NotInFlight,
    /// The same tag again.
    Twice,
}

/// What the producer index reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// More than there are entries.
    Beyond,
    /// One less than the host has taken.
    Back,
    /// All ones, for a while.
    AllOnes,
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
