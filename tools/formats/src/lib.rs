// SPDX-License-Identifier: GPL-2.0

//! The pure modules of the driver, as they are, compiled in user space: formats on the
//! wire, what a CDB moves, how data travels, what an answer says of its own length. They
//! use nothing of the kernel, so they can be tested here against the bytes of the macOS
//! trace and by properties. The twin does not use them: it has a decoder of its own, so
//! that a shared mistake cannot hide; where the two are brought together, in
//! [`properties`], they have to agree.

#![allow(dead_code, missing_docs)]
// The kernel's own clippy does not ask for parentheses around shifts.
#![allow(clippy::precedence)]

#[path = "../../../drivers/scsi/apple_raid/cdb.rs"]
pub(crate) mod cdb;
#[path = "../../../drivers/scsi/apple_raid/lists.rs"]
pub(crate) mod lists;
/// Of the other driver.
#[path = "../../../drivers/scsi/pvscsi_rust/wire.rs"]
pub(crate) mod pvscsi;
#[path = "../../../drivers/scsi/apple_raid/residual.rs"]
pub(crate) mod residual;
#[path = "../../../drivers/scsi/apple_raid/transfer.rs"]
pub(crate) mod transfer;
#[path = "../../../drivers/scsi/apple_raid/wire.rs"]
pub(crate) mod wire;

pub mod properties;
#[cfg(test)]
mod tests;
