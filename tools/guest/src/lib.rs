// SPDX-License-Identifier: GPL-2.0

//! What the programs for the guest share: a buffer with guards around it, and
//! SG_IO.
//!
//! The programs are built in the build root, which is the guest's root, so they
//! run there as they are; `Vm::guest_tool` of vmtest hands them over. `sgio` sends
//! SCSI commands that no well-behaved program would, `blkio` reads and writes a
//! disk and looks whether the data is the same, `stamps` does so while things go wrong,
//! and `failnth` does all that a host adapter is for while the kernel has no memory.

pub mod buffer;
pub mod pattern;
pub mod sg;
pub mod size;
