// SPDX-License-Identifier: GPL-2.0

//! KUnit suites of the SCSI host abstraction, and what suites of drivers share with them.
//!
//! What is only a value is tested as such: [`limits`], [`sense`], [`outcome`]. What a
//! command can live through is tested with the midlayer that is there: [`bench`] registers a host
//! that is no device, [`fake`], and [`request`] sends commands whose CDBs say what is to become of
//! them. Then the suites look at how each of them ended, that it ended once, and that nothing of it
//! is left:
//!
//! - [`life_cycle`]: tokens and tags, from being queued to being completed;
//! - [`any`]: the same, at random;
//! - [`batches`]: several of them at once;
//! - [`cursor`], [`data`]: buffers, copied and mapped;
//! - [`races`]: the same, when several reach for a command;
//! - [`abort`]: single commands that error handling wants back;
//! - [`recovery`]: timeouts, resets, and what the midlayer may finish behind a driver's back;
//! - [`quiesce`]: a device that is not accessible for a while, or for good;
//! - [`waiting`]: resets and error handling that wait for it;
//! - [`given_up`]: a device that its driver says is lost;
//! - [`general`]: hosts with several queues, targets and units;
//! - [`survival`]: what a driver in safe Rust can do to the kernel that does all of it wrong;
//! - [`attributes`]: what of all this can be seen in sysfs.
//!
//! The log of a run has a few lines that look like failures, once each: a driver that dropped a
//! command, one that kept some in a reset, and a unit that was taken offline. They are part of the
//! tests.

mod generator;

#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod abort;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod any;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod ask;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod asking;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod attributes;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod batches;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod bench;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod cursor;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod data;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod fake;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod general;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod given_up;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod hostile;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod life_cycle;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod limits;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod lost;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod many;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod outcome;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod processors;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod quiesce;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod races;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod recovery;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod request;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod sense;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod state;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod survival;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod taker;
#[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
mod waiting;

pub use self::generator::{
    ensure,
    holds,
    Generator, //
};
