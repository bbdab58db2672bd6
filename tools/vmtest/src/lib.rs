// SPDX-License-Identifier: GPL-2.0

//! The VM test bed: boots a kernel in QEMU with a twin of the Apple RAID Card in
//! the same process.
//!
//! A test asks [`Vm::builder`] for a machine, runs commands in it, and plays with
//! the card through the twin while they run: to hold back an interrupt is a method
//! call. When the [`Vm`] goes out of scope, QEMU goes with it.
//!
//! ```no_run
//! # fn main() -> vmtest::Result<()> {
//! let vm = vmtest::Vm::builder().memory(1 << 30).no_load().boot()?;
//! let output = vm.exec("uname -r")?;
//! assert_eq!(output.status, 0);
//! assert!(vm.reports()?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # How a machine comes to be
//!
//! Nothing is an image. The guest's root is the build root that this very process
//! runs in, exported read-only by 9p, below a tmpfs that takes the writes: every
//! tool of the build root is in the guest. [`initramfs`] packs the few modules
//! that are needed to mount it, [`modules`] puts the driver where `modprobe` finds
//! it, [`kernel`] finds a kernel and unpacks it, so that the guest need not do so
//! on an emulated processor, and [`qemu`] writes the command line.
//!
//! # How a command runs
//!
//! The [`agent`] (qemu-ga in the guest) starts it. Its output goes to files in a
//! folder that host and guest share, so that it can be read while the command
//! runs, is not limited, and is still there when the guest is not. A [`job`]
//! follows these files, and at the same time QEMU and the guest's console: a guest
//! that panics fails the command at once.
//!
//! Programs of our own ([`guest_tool`]) come to the guest by the same folder.
//!
//! # What went wrong that no command saw
//!
//! The [`detector`] reads the kernel's log for oopses, warnings and the reports of
//! lockdep, KASAN and their kin. It knows the stack traces of failures that a test injects
//! ([`detector::injection`]).

pub mod agent;
pub mod builder;
pub mod card;
pub mod changes;
pub mod console;
pub mod detector;
pub mod error;
pub mod guest_tool;
pub mod hba;
pub mod initramfs;
pub mod job;
pub mod kernel;
pub mod lock;
pub mod modules;
pub mod paths;
pub mod process;
pub mod qemu;
pub mod qmp;
pub mod root_image;
pub mod size;
pub mod vm;

pub use builder::{Builder, Iommu, VolumeSpec};
pub use detector::{Report, reports};
pub use error::{Error, Result};
pub use hba::Hba;
pub use job::{Job, Output};
pub use kernel::Flavour;
pub use root_image::root_image;
pub use vm::Vm;
