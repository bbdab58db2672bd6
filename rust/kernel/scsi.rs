// SPDX-License-Identifier: GPL-2.0

//! SCSI host adapters: what a low-level driver (LLD) needs of the SCSI midlayer.
//!
//! A driver implements [`Operations`]: the midlayer calls it with commands, and the driver ends
//! each of them exactly once. The types make the ways of getting this wrong hard to write:
//!
//! ```text
//!              queue_command                     start                      take
//!   midlayer ---------------> Command / Mapped ---------> InFlight (by tag) -----> Command
//!       ^                       |        |                    |                      |
//!       |        busy           |        | complete           | timeout, reset       | complete
//!       +-----------------------+        v                    v                      v
//!                                     midlayer            midlayer               midlayer
//! ```
//!
//! - A [`Command`] is an owned token, and its lifetime is that of the callback in which it was
//!   handed out. It can be completed, given back as [`Busy`], or started. Completing consumes it,
//!   so a second completion does not compile. One that is dropped is a bug of the driver: it ends
//!   with an error that is logged, never silently.
//! - The only place in which a command can rest is the host's [`InFlight`] table. Taking it out is
//!   one atomic exchange: an interrupt handler and error handling can never both own a command.
//! - Error handling takes single commands back ([`Victim`]), and in the end empties the table. This
//!   closes a trap of the C interface: when the handlers give up, the midlayer finishes a command
//!   that the driver still holds, and a late completion then hits a request that has long been used
//!   again.
//! - A DMA mapping is a guard, [`Mapped`]. It travels with the command through the table and is
//!   undone when the command is taken out, before it is completed.
//!
//! Logical units may come, go and change while the host is in use; who passes sense data to
//! [`Command::note_sense`] need not care.
//!
//! What a host can do is one struct, [`Limits`].
//!
//! [`pci`] puts a host, its PCI device and its interrupt together, and takes them apart again in
//! the right order.
//!
//! C headers: [`include/scsi/scsi_host.h`](srctree/include/scsi/scsi_host.h),
//! [`include/scsi/scsi_cmnd.h`](srctree/include/scsi/scsi_cmnd.h)

mod attributes;
mod callbacks;
mod command;
mod cursor;
mod host;
mod in_flight;
#[cfg(CONFIG_KUNIT = "y")]
pub mod kunit;
mod limits;
mod mapping;
mod operations;
mod outcome;
pub mod pci;
mod recover;
mod rescan;
mod resets;
mod sense;
mod unit;
mod victim;

pub use self::{
    attributes::{
        Attribute,
        HostAttributes, //
    },
    command::{
        Busy,
        Command,
        Direction,
        Tag, //
    },
    cursor::Cursor,
    host::Host,
    in_flight::{
        DmaStopped,
        InFlight, //
    },
    limits::Limits,
    mapping::{
        MapError,
        Mapped,
        Segment,
        Segments, //
    },
    operations::Operations,
    outcome::{
        HostByte,
        Outcome,
        Status, //
    },
    resets::Finished,
    sense::{
        Sense,
        SenseKey, //
    },
    victim::Victim,
};
