// SPDX-License-Identifier: GPL-2.0

//! A trace of a real card, held against the model.
//!
//! The trace is QEMU's record of a guest that has the card passed through: what the host
//! read and wrote, and the card's interrupts (`line`). The `player` does the host's writes
//! again, on a card that is on a bench, with the referee; for each read it looks whether
//! the model could have answered so (`judge`). The model's commands wait until the trace
//! shows that the card was done with one, so that the card at hand may take its time.
//!
//! A trace has no memory in it. Each slot gets a TEST UNIT READY, and each management frame
//! a question for the version: what the answers look like in registers is the same.
//! What the model cannot know is tolerated and counted ([`Tolerated`]); the first line that
//! does not fit ends the replay ([`Misfit`]).

mod judge;
mod line;
mod player;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

/// Why there is nothing to replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A line of vfio's that cannot be read.
    #[error("line {number}: {what}")]
    Line {
        /// Its number.
        number: usize,
        /// What is wrong with it.
        what: String,
    },
    /// There are several devices in it.
    #[error("the trace has several devices ({0}): say which with --device")]
    Devices(String),
    /// There is nothing of vfio's in it.
    #[error(
        "there is no event of vfio's in it that the card has a part in: replay takes what QEMU \
         traces (see --help), not what --trace of the test bed writes"
    )]
    NoTrace,
}

/// What cannot be held against a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tolerated {
    /// It was slower than the model.
    Timing,
    /// What it came from is in memory, which the trace has not.
    Memory,
    /// It comes from a time before the trace.
    Before,
    /// It differs from card to card.
    Own,
    /// Nobody knows what it means.
    Unknown,
}

impl fmt::Display for Tolerated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tolerated::Timing => "for their timing",
            Tolerated::Memory => "for what is in memory",
            Tolerated::Before => "from before the trace",
            Tolerated::Own => "as each card's own",
            Tolerated::Unknown => "of unknown meaning",
        })
    }
}

/// The first line that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Its number.
    pub number: usize,
    /// The line.
    pub text: String,
    /// What was expected, and why.
    pub why: String,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Reads that gave what the model gives.
    pub reads: u64,
    /// Writes that the referee had nothing against.
    pub writes: u64,
    /// Interrupts.
    pub interrupts: u64,
    /// Lines that the model has no part in.
    pub passed_over: u64,
    /// Commands and management frames of which the trace has no memory.
    pub unseen: u64,
    /// Reads that were tolerated.
    pub tolerated: BTreeMap<Tolerated, u64>,
    /// The first line that does not fit.
    pub misfit: Option<Misfit>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} reads as in the model", self.reads)?;
        for (why, count) in &self.tolerated {
            write!(f, ", {count} tolerated {why}")?;
        }
        let (writes, interrupts) = (self.writes, self.interrupts);
        write!(f, "; {writes} writes, {interrupts} interrupts")?;
        if self.unseen > 0 {
            let unseen = self.unseen;
            write!(f, "; {unseen} requests whose memory is not in the trace")?;
        }
        if self.passed_over > 0 {
            write!(f, "; {} lines passed over", self.passed_over)?;
        }
        Ok(())
    }
}

/// Replays a trace, of one device if there are several.
pub fn replay(text: &str, device: Option<&str>) -> Result<Outcome, ReplayError> {
    let lines = line::parse(text, device)?;
    Ok(player::Player::default().play(&lines))
}
