// SPDX-License-Identifier: GPL-2.0

//! Driver for the paravirtual SCSI host adapter of VMware (PVSCSI), which QEMU emulates as well.
//!
//! The interface is described by `drivers/scsi/vmw_pvscsi.h`: "the header" in what follows.
//!
//! So far these are the registers ([`regs`]), the formats of descriptors ([`wire`]), and the rings
//! of these ([`rings`]).

#![expect(dead_code)]

mod regs;
mod rings;
mod wire;

use kernel::{
    prelude::*,
    scsi, //
};

struct Pvscsi;

impl kernel::Module for Pvscsi {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}

module! {
    type: Pvscsi,
    name: "pvscsi_rust",
    authors: ["The apple-raid developers"],
    description: "VMware PVSCSI",
    license: "GPL",
}
