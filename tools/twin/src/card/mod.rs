// SPDX-License-Identifier: GPL-2.0

//! The card itself: registers, command slots, DMA, interrupts.
//!
//! One command's way through these files: the host writes a tag into the submit ring and
//! moves the index (`mmio`, `submit`); the message thread fetches the tag's slot (`wire`,
//! judged by the `referee`); one of the `workers` takes it, asks the target what the CDB
//! moves and moves it (`execute`, `transfer`) through the `dma` gate; response, completion
//! ring, cause and MSI follow (`complete`, `interrupt`). Task management (`task`) comes the
//! same way and ends others. Before any of it come the `controller`'s states and the
//! handshake (`bringup`), which tells the card where the host's `regions` lie.
//!
//! What protects what: [`state::State`] (SRAM, rings, phase, what is in flight) has one
//! mutex, held for a few memory accesses at a time: a slot is fetched and a response
//! published under it, but neither data is moved nor SCSI done. The DMA gate and the table
//! of guest memory have locks of their own that are taken inside it, never the other way
//! round; record and report are leaves. Around all of them lies the power: a worker holds it
//! while the target executes its command.
//!
//! Tests, fuzz targets and the replay of traces have the card on a `bench`; what the first
//! two hold it to is in `properties`.
//!
//! What goes wrong on purpose is in `faults`; the other files ask there whether it
//! does.

pub mod bench;
pub mod bringup;
mod complete;
pub mod config_space;
pub mod controller;
pub mod dma;
mod execute;
pub mod fake_memory;
pub mod faults;
pub mod interrupt;
pub mod maps;
pub mod memory;
pub mod mgmt;
mod mmio;
pub mod odd;
pub mod params;
#[cfg(any(test, feature = "properties"))]
pub mod properties;
mod referee;
pub mod regions;
pub mod regs;
pub mod report;
pub mod server;
pub mod state;
mod submit;
mod task;
#[cfg(test)]
mod tests;
pub mod trace;
mod transfer;
pub mod wire;
pub mod workers;

pub use state::Card;
