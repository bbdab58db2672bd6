// SPDX-License-Identifier: GPL-2.0

//! The card itself: registers, command slots, DMA, interrupts.
//!
//! One command's way through these files: the host writes a tag into the mailbox
//! and bumps the doorbell (`mmio`); the message thread latches the tag and goes
//! on; one of the `workers` takes it, fetches the slot (`wire`), asks the
//! target what the CDB moves and moves it (`execute`, `transfer`) through the
//! `dma` gate; the response goes to host memory, the status byte is set and the
//! MSI sent (`complete`, `interrupt`). Before any of it comes the handshake
//! (`bringup`), which tells the card where its six regions lie.
//!
//! What protects what: [`state::State`] (SRAM, counters, phase, tags in flight)
//! has one mutex, held for a few memory accesses at a time and never while DMA or
//! SCSI is done. The DMA gate and the table of guest memory have locks of their
//! own that are taken inside it, never the other way round; record and report are
//! leaves. Around all of them lies the power: a worker holds it while the target
//! executes its command.
//!
//! Tests and fuzz targets have the card on a `bench`; what they hold it to is in
//! `properties`.
//!
//! What goes wrong on purpose is in `faults`; the other files ask there whether it
//! does.

#[cfg(any(test, feature = "properties"))]
pub mod bench;
pub mod bringup;
mod complete;
pub mod config_space;
pub mod dma;
mod execute;
#[cfg(any(test, feature = "properties"))]
pub mod fake_memory;
pub mod faults;
pub mod interrupt;
pub mod maps;
pub mod memory;
mod mgmt;
mod mmio;
pub mod odd;
pub mod params;
#[cfg(any(test, feature = "properties"))]
pub mod properties;
pub mod regs;
pub mod report;
pub mod server;
pub mod state;
#[cfg(test)]
mod tests;
pub mod trace;
mod transfer;
pub mod wire;
pub mod workers;

pub use state::Card;
