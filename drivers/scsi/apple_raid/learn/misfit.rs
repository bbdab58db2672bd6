// SPDX-License-Identifier: GPL-2.0

//! Why a card is refused: it is not one that the driver knows how to work with.

use core::fmt;

/// What did not fit. Where there is a text, it says which check it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// No answer came in time.
    NoAnswer(&'static str),
    /// The answer is none that is known.
    Garbled(&'static str),
    /// Another tag was answered than the one that was asked for.
    OtherTag { asked: u16, answered: u16 },
    /// The first two responses lie that far from each other.
    Stride(usize),
    /// The submit doorbell held `before`, `written` was written, and it holds `after`.
    Doorbell {
        before: u32,
        written: u32,
        after: u32,
    },
    /// The command ended without GOOD, though it has to be carried out by any unit.
    Failed(&'static str),
    /// GOOD, but no data came.
    Nowhere(&'static str),
    /// Data came to where it was not sent.
    Elsewhere(&'static str),
    /// Data came to where it was sent, and to other places.
    Beyond(&'static str),
    /// What came is not what came for the same command before.
    OtherData(&'static str),
    /// More was written behind data than there is room to find out how much.
    Overrun(usize),
    /// The count of an entry has fewer than 16 bits.
    Count,
    /// The completion ring, or what is written there, takes that many bytes.
    Ring(usize),
    /// The checks took too long, though each answer came in time.
    TooSlow,
    /// What INQUIRY says of LUN 0 is not what a unit says.
    Inquiry,
    /// What REPORT LUNS says is no list of units.
    ReportLuns,
    /// A buffer at this address, above 4 GiB, was not reached.
    Address(u64),
    /// The card stopped answering after so many commands.
    Stalled(u32),
}

impl Misfit {
    /// For the log.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoAnswer(what) => write!(f, "{what}: no answer"),
            Self::Garbled(what) => write!(f, "{what}: an answer of a kind that is not known"),
            Self::OtherTag { asked, answered } => {
                write!(f, "tag {asked} was submitted, and tag {answered} answered")
            }
            Self::Stride(stride) => write!(f, "responses lie {stride} bytes apart"),
            Self::Doorbell {
                before,
                written,
                after,
            } => write!(
                f,
                "the submit doorbell held {before:#x}, was written {written:#x}, \
                 and holds {after:#x}"
            ),
            Self::Failed(what) => write!(f, "{what}: the command failed"),
            Self::Nowhere(what) => write!(f, "{what}: the data came nowhere"),
            Self::Elsewhere(what) => write!(f, "{what}: the data came to another buffer"),
            Self::Beyond(what) => {
                write!(
                    f,
                    "{what}: the card did not stop where the list or the data does"
                )
            }
            Self::OtherData(what) => write!(f, "{what}: the data is not what came before"),
            Self::Overrun(bytes) => write!(f, "{bytes} bytes, or more, were written behind data"),
            Self::Count => write!(f, "the count of an entry has fewer than 16 bits"),
            Self::Ring(bytes) => write!(f, "the completion ring takes {bytes} bytes"),
            Self::TooSlow => write!(f, "the checks took too long"),
            Self::Inquiry => write!(f, "what INQUIRY says makes no sense"),
            Self::ReportLuns => write!(f, "what REPORT LUNS says makes no sense"),
            Self::Address(address) => write!(
                f,
                "a buffer at {address:#x} was not reached: are addresses cut to 32 bits? \
                 4 bytes of memory at {:#x} may have been overwritten",
                address & 0xffff_ffff
            ),
            Self::Stalled(after) => write!(f, "no answer any more after {after} commands"),
        }
    }
}
