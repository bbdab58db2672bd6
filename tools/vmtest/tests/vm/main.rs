// SPDX-License-Identifier: GPL-2.0

//! The tests that boot a guest, each on the kernel that `VMTEST_KERNEL` names: Debian's own, with
//! the driver as a module from outside of the tree, or the debug kernel, with the driver in tree.
//! What is in [`debug_only`] boots the debug kernel in any case.
//!
//! They are one program, so that as many run at a time as `--test-threads` allows.

mod aborts;
mod answers;
mod bringup;
mod bus;
mod capacity;
mod common;
mod debug_only;
mod faults;
mod front;
mod hazards;
mod hot_path;
mod hotplug;
mod integrity;
mod lifecycle;
mod load;
mod lost;
mod luns;
mod machine;
mod memory;
mod power;
mod pvscsi;
mod recovery;
mod refusals;
mod report;
mod root;
mod sample;
mod settings;
mod trace;
mod transfers;
mod volumes;
