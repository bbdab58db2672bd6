// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! So far these are the card's formats ([`wire`], [`lists`]), what a CDB moves ([`cdb`]) and how
//! that travels ([`transfer`]), and what an answer tells of it ([`residual`], [`blocks`]); the
//! card's registers and states ([`regs`], [`states`]); and the memory that it shares with
//! the driver ([`regions`]).

#![expect(dead_code)]

mod blocks;
mod cdb;
mod lists;
mod regions;
mod regs;
mod residual;
mod states;
mod transfer;
mod wire;

use kernel::prelude::*;

struct AppleRaid;

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
