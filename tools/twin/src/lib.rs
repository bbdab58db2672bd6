// SPDX-License-Identifier: GPL-2.0

//! A digital twin of the Apple RAID Card (PCI 106b:008a), as a vfio-user server.
//!
//! Two halves that know nothing of each other's business: [`scsi`] is the device
//! server behind the card (logical units, their volumes and caches, what a CDB
//! does); [`card`] is the card itself (registers, slots, scatter-gather lists,
//! interrupts).

pub mod card;
pub mod scsi;

pub use card::memory::{Direction, Why};
pub use card::params::{CardParams, ConfigError, KEYS, Key};
pub use card::report::{Refused, Report};
pub use card::trace::{Mark, Recorder};
