// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! The module does nothing yet. So far there are:
//!
//! - the card's formats ([`wire`], [`lists`]), what a CDB moves ([`cdb`]) and how that travels
//!   ([`transfer`]), and what an answer tells of it ([`residual`]);
//! - its registers and states ([`regs`], [`states`]), the memory that it shares with the driver
//!   ([`regions`]), and how long the blocks of its units are ([`blocks`]);
//! - the handshake ([`bringup`]) and the two rings ([`submit`], [`complete`]);
//! - what the midlayer calls ([`host`]): how commands come to the card ([`queue`]), how they end
//!   ([`finish`]), and task management ([`tasks`]);
//! - the checks before trust ([`selftest`], [`trial`]), and what sysfs shows ([`identity`]).

#![expect(dead_code)]

mod blocks;
mod bringup;
mod card;
mod cdb;
mod complete;
mod finish;
mod host;
mod identity;
mod lists;
mod queue;
mod regions;
mod regs;
mod residual;
mod selftest;
mod states;
mod submit;
mod tasks;
mod transfer;
mod trial;
mod wire;

use kernel::{
    prelude::*,
    scsi, //
};

struct AppleRaid;

/// The SCSI host of a card.
type Host = scsi::Host<AppleRaid>;

/// A logical unit of a card.
type Device = scsi::Device<AppleRaid>;

/// A command in the driver's hands.
type Cmd<'a> = scsi::Command<'a, AppleRaid>;

/// A command with which the card is done.
type Taken<'a> = scsi::Taken<'a, AppleRaid>;

/// One more than the highest logical unit number (K).
const MAX_LUN: u64 = 64;

impl kernel::Module for AppleRaid {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}

module! {
    type: AppleRaid,
    name: "apple_raid",
    authors: ["The apple-raid developers"],
    description: "Apple RAID Card",
    license: "GPL",
}
