// SPDX-License-Identifier: GPL-2.0

//! KUnit suites of the driver: what can be tested without a card.
//!
//! What the driver writes for the card and reads from it is compared with the bytes of the macOS
//! trace ([`wire`], [`lists`]); then come the decisions before the card sees a command ([`cdb`],
//! [`transfer`], [`segments`]), what is concluded from an answer ([`residual`], [`blocks`]), and
//! when commands may go to the card ([`submit`]). [`limits`] ties all of these to what the midlayer
//! is told.
//!
//! No module needs a device, so the suites run at boot where the driver is built in, and at insmod
//! where it is a module. Commands in flight are the business of the abstraction, which has suites
//! of its own.

mod blocks;
mod cdb;
mod limits;
mod lists;
mod rescan;
mod residual;
mod segments;
mod submit;
mod transfer;
mod unit;
mod wire;

use crate::wire::CDB_LEN;

/// A CDB that begins with `bytes`.
fn cdb(bytes: &[u8]) -> [u8; CDB_LEN] {
    crate::wire::padded(bytes).unwrap_or_default()
}

/// READ(10) of so many blocks.
fn read10(blocks: u16) -> [u8; CDB_LEN] {
    let [high, low] = blocks.to_be_bytes();
    cdb(&[0x28, 0, 0, 0, 0, 0, 0, high, low])
}

/// WRITE(10) of so many blocks.
fn write10(blocks: u16) -> [u8; CDB_LEN] {
    let [high, low] = blocks.to_be_bytes();
    cdb(&[0x2a, 0, 0, 0, 0, 0, 0, high, low])
}
