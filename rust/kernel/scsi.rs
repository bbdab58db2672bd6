// SPDX-License-Identifier: GPL-2.0

//! SCSI host adapters: what a low-level driver (LLD) needs of the SCSI midlayer.
//!
//! A driver implements [`Operations`]: the midlayer calls it with commands, and the driver ends
//! each of them exactly once. It allocates a [`Host`] of which [`Limits`] say what it can do, and
//! makes it known by a [`Registration`], which it keeps with the data of its device. How the driver
//! is bound to that is its own affair: `samples/rust/rust_scsi_host.rs` shows a faux device, and
//! [`pci`] has what a host adapter on PCI needs.
//!
//! The types make the ways of getting commands wrong hard to write:
//!
//! ```text
//!              queue_command                     start                      take
//!   midlayer ---------------> Command / Mapped ---------> in flight -----> Taken
//!       ^                       |        |                 |                 |
//!       |        busy           |        | complete        | timeout, reset  | complete
//!       +-----------------------+        v                 v                 v
//!                                     midlayer         midlayer          midlayer
//! ```
//!
//! - A [`Command`] is an owned token, and its lifetime is that of the callback in which it was
//!   handed out. It can be completed, returned as [`Busy`], or started. Completing consumes it,
//!   so a second completion does not compile. One that is dropped is a bug of the driver: it ends
//!   with an error that is logged, never silently.
//! - The only place in which a command can rest is in flight, under its [`Tag`]. Taking it is one
//!   atomic exchange: an interrupt handler and error handling can never both own a command. What
//!   was [`Taken`] can only be completed.
//! - Error handling takes single commands back ([`Victim`]), and in the end all that are in flight.
//!   This closes a trap of the C interface: when the handlers give up, the midlayer finishes a
//!   command that the driver still holds, and a late completion then hits a request that has long
//!   been used again.
//! - A DMA mapping is a guard, [`Mapped`]. It travels with the command, and is undone when the
//!   command is taken, before it is completed.
//! - Memory of commands is taken away from the device only with its own word that it is done, or
//!   with a proof that it does no DMA: [`Dma`].
//!
//! C headers: [`include/scsi/scsi_host.h`](srctree/include/scsi/scsi_host.h),
//! [`include/scsi/scsi_cmnd.h`](srctree/include/scsi/scsi_cmnd.h)

mod area;
mod attributes;
mod command;
mod cursor;
mod device;
mod dma;
mod execute;
mod host;
mod in_flight;
#[cfg(CONFIG_KUNIT = "y")]
pub mod kunit;
mod limits;
mod managed;
mod mapping;
mod operations;
mod outcome;
#[cfg(CONFIG_PCI)]
pub mod pci;
mod queues;
mod quiesce;
mod recover;
mod registration;
mod resets;
mod sense;
mod shutdown;
mod state;
mod template;
mod victim;
mod work;

pub use self::{
    area::Tag,
    attributes::{
        Attribute,
        HostAttributes, //
    },
    command::{
        Busy,
        Command,
        Direction,
        Taken, //
    },
    cursor::Cursor,
    device::{
        Device,
        QueueLimits, //
    },
    dma::{
        Dma,
        DmaStopped, //
    },
    execute::ExecuteError,
    host::Host,
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
    queues::QueueMap,
    registration::Registration,
    sense::{
        Sense,
        SenseKey, //
    },
    state::{
        Finished,
        Reason, //
    },
    victim::Victim,
};
