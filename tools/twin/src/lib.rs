// SPDX-License-Identifier: GPL-2.0

//! A digital twin of the Apple RAID Card (PCI 106b:008a), as a vfio-user server.
//!
//! Two halves that know nothing of each other's business: [`scsi`] is the device
//! server behind the card (logical units, their volumes and caches, what a CDB
//! does); [`card`] is the card itself (registers, slots, scatter-gather lists,
//! interrupts, the vfio-user server). [`Twin`] is the handle on both; QEMU attaches
//! to the socket that [`Twin::serve`] listens at:
//!
//! ```text
//! -object memory-backend-memfd,id=ram,size=1G,share=on -machine q35,memory-backend=ram
//! -device '{"driver":"vfio-user-pci","socket":{"type":"unix","path":"card.sock"}}'
//! ```

pub mod card;
pub mod replay;
pub mod scsi;
mod serve;
mod twin;

pub use card::faults::{FAULTS, Fault, PlanError, Setting};
pub use card::memory::{Direction, Why};
pub use card::params::{CardParams, ConfigError, KEYS, Key, vocabulary};
pub use card::report::{Refused, Report};
pub use card::trace::{Mark, Recorder};
pub use scsi::{Target, Volume};
pub use serve::Server;
pub use twin::{Config, Twin};
