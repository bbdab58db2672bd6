// SPDX-License-Identifier: GPL-2.0

//! KUnit suites of the driver: all that can be tested without a card.
//!
//! That is what the driver writes for the card and reads from it ([`wire`], [`model`], [`blocks`]),
//! and what it decides before the card sees a command ([`cdb`], [`transfer`], [`segments`]). What
//! is known for sure are the bytes of the macOS trace, so these come first. All else are
//! properties: whatever the CDB, the buffer and its segments are, the card is never told of memory
//! that is not there, and never of memory behind which it could write junk.
//!
//! No module needs a device, so the suites run at boot where the driver is built in, and at insmod
//! where it is a module. Commands in flight are the business of the abstraction, which has suites
//! of its own.

mod blocks;
mod cdb;
mod inputs;
mod limits;
mod model;
mod naming;
mod segments;
mod transfer;
mod wire;
