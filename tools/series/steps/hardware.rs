// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! So far these are the card's formats ([`wire`], [`cdb`], [`transfer`]), its registers and its
//! memory ([`regs`], [`regions`], [`bounce`]), and its start ([`bringup`]).

#![expect(dead_code)]

mod blocks;
mod bounce;
mod bringup;
mod cdb;
mod model;
mod regions;
mod regs;
mod transfer;
mod wire;

use kernel::{
    prelude::*,
    scsi, //
};

struct AppleRaid;

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
