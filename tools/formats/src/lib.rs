// SPDX-License-Identifier: GPL-2.0

//! The pure modules of the driver, as they are, compiled in user space: formats on the
//! wire, what a CDB moves, how data travels, what the checks of a card conclude from what
//! they saw. They use nothing of the kernel, so they can be tested here against the bytes
//! of the macOS trace and by properties. The twin does not use them: it has a decoder of
//! its own, so that a shared mistake cannot hide; where the two are brought together, in
//! [`properties`], they have to agree.

#![allow(dead_code, missing_docs)]
// The kernel's own clippy does not ask for parentheses around shifts.
#![allow(clippy::precedence)]

#[path = "../../../drivers/scsi/apple_raid/cdb.rs"]
pub(crate) mod cdb;
#[path = "../../../drivers/scsi/apple_raid/learn"]
pub(crate) mod learn {
    pub(crate) mod answers;
    pub(crate) mod landing;
    pub(crate) mod misfit;
}
#[path = "../../../drivers/scsi/apple_raid/model.rs"]
pub(crate) mod model;
#[path = "../../../drivers/scsi/apple_raid/transfer.rs"]
pub(crate) mod transfer;
#[path = "../../../drivers/scsi/apple_raid/wire.rs"]
pub(crate) mod wire;

pub mod properties;
#[cfg(test)]
mod tests;
