// SPDX-License-Identifier: GPL-2.0

// What the crate root of the out-of-tree module includes: `rust/kernel/scsi.rs`
// and `ratelimit.rs`, which are modules of the `kernel` crate in tree, and what
// they find there under `crate::`: bindings, and a `pci` with power management.

/// The kernel's C bindings, and those of `<scsi/*.h>`, which Debian's kernel lacks.
mod bindings {
    // Both sides have one.
    pub(crate) use self::scsi::__BindgenBitfieldUnit;
    pub(crate) use self::scsi::*;
    pub(crate) use kernel::bindings::*;

    #[allow(
        clippy::all,
        clippy::as_underscore,
        clippy::cast_lossless,
        clippy::ptr_as_ptr,
        clippy::ref_as_ptr,
        clippy::undocumented_unsafe_blocks,
        dead_code,
        improper_ctypes,
        missing_docs,
        non_camel_case_types,
        non_snake_case,
        non_upper_case_globals,
        unreachable_pub,
        unsafe_op_in_unsafe_fn
    )]
    mod scsi {
        use kernel::{bindings::*, ffi};
        use pin_init::{MaybeZeroable, Zeroable};

        // SAFETY: `__BindgenBitfieldUnit<Storage>` is a newtype around `Storage`.
        unsafe impl<Storage> Zeroable for __BindgenBitfieldUnit<Storage> where Storage: Zeroable {}

        include!(concat!(env!("SCSI_BINDINGS"), "/scsi_bindings.rs"));
        include!(concat!(env!("SCSI_BINDINGS"), "/scsi_helpers.rs"));
    }
}

// Public APIs in tree, of which a driver uses a part.
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    unused_macros
)]
#[path = "out_of_tree/pci.rs"]
mod pci;
#[allow(unused_imports)]
use pci::module_pci_driver;

#[allow(dead_code, unreachable_pub, unused_imports)]
#[path = "kernel"]
mod kernel_crate {
    pub(crate) mod ratelimit;
    pub(crate) mod scsi;
}
use kernel_crate::{
    ratelimit,
    scsi, //
};
