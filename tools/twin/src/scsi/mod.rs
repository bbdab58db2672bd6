// SPDX-License-Identifier: GPL-2.0

//! The device server behind the card: logical units and what a CDB does to them.
//!
//! The card hands over a LUN, a CDB and the data-out it fetched; it gets back a
//! [`Reply`]: status, sense and data-in. Nothing here knows of slots, rings or
//! buses, and nothing here trusts the CDB: any 16 bytes get an answer.
//!
//! A command walks through these rooms, each of which imports only downwards:
//!
//! 1. `target`: finds the logical unit, reports what it must report first
//!    (no such unit, unit attention, not ready), and refuses CDBs with bits set
//!    that their command does not define;
//! 2. `opcodes`: the one table of commands: opcode, service action, CDB usage
//!    map, data phase, handler. What the target executes, what
//!    [`Target::data_phase`] says and what REPORT SUPPORTED OPERATION CODES
//!    tells all come from it, so they cannot disagree;
//! 3. the handlers: `inquiry` and `vpd`, `report_luns`,
//!    `supported_opcodes`, `power`, `capacity`, `rw`, `verify`,
//!    `write_same`, `mode_sense` and `mode_select` (over `mode_pages`),
//!    `log`, `reservations`, and `card_unit`, which LUN 0 may be;
//! 4. `lun`: a logical unit: volume, power state, pending `attention`;
//! 5. `volume`: 512-byte blocks in a sparse file, behind a volatile write
//!    `cache` that a power cut empties.
//!
//! The standards are SAM-4, SPC-4 and SBC-3; sense data has the fixed format only
//! (`sense`), as the card was seen to return it.
//!
//! # Locks
//!
//! Commands run concurrently, so every method takes `&self`. The target's map of
//! units is under a read-write lock that no command holds while it works; each
//! volume has one read-write lock over its size, its cache and its file, so that
//! a block is never seen half written. Everything else is atomic.

mod attention;
mod cache;
mod capacity;
mod card_unit;
mod cdb;
mod error;
mod inquiry;
mod log;
mod lun;
mod mode_pages;
mod mode_select;
mod mode_sense;
mod opcodes;
mod power;
mod report_luns;
mod reservations;
mod rw;
mod sense;
mod supported_opcodes;
mod target;
#[cfg(test)]
mod tests;
mod verify;
mod volume;
mod vpd;
mod write_same;

pub use error::TargetError;
pub use target::Target;
pub use volume::{Volume, VolumeError};

/// Length of fixed-format sense data as the card returns it, in bytes (O).
pub const SENSE_LEN: usize = 18;

/// Length of a logical block, in bytes.
pub const BLOCK_LEN: usize = 512;

/// The most blocks that one command may read, write, verify or write the same to
/// (32 MiB), as the Block Limits VPD page says.
pub const MAX_TRANSFER_BLOCKS: u32 = 65536;

/// SCSI status byte (SAM-4, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// The command completed without error.
    Good = 0x00,
    /// Sense data says what happened.
    CheckCondition = 0x02,
}

/// What a command's data phase moves, as its CDB alone says it (bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPhase {
    /// No data.
    None,
    /// Towards the host, at most this many bytes (allocation length, or blocks × 512).
    In(u64),
    /// From the host, exactly this many bytes.
    Out(u64),
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// SCSI status.
    pub status: Status,
    /// Fixed-format sense data, with [`Status::CheckCondition`].
    pub sense: Option<[u8; SENSE_LEN]>,
    /// Data-in; never longer than what [`DataPhase::In`] said.
    pub data_in: Vec<u8>,
}

impl Reply {
    /// The command completed; `data_in` may be empty.
    fn good(data_in: Vec<u8>) -> Self {
        Self {
            status: Status::Good,
            sense: None,
            data_in,
        }
    }

    /// The command ended in `sense`.
    fn check(sense: sense::Sense) -> Self {
        Self {
            status: Status::CheckCondition,
            sense: Some(sense.fixed()),
            data_in: Vec::new(),
        }
    }
}
