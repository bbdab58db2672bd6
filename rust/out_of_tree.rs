// SPDX-License-Identifier: GPL-2.0

// What the crate root of the out-of-tree module includes so that
// `rust/kernel/scsi.rs`, a module of the `kernel` crate in tree, finds the names
// of that crate under `crate::` here too.

#[allow(unused_imports)]
use kernel::{
    alloc,
    device,
    dma,
    error,
    ffi,
    irq,
    pci,
    prelude,
    str,
    sync,
    types, //
};

/// The kernel's C bindings, and those of `<scsi/*.h>`, which Debian's kernel lacks.
mod bindings {
    pub(crate) use self::scsi::*;
    pub(crate) use kernel::bindings::*;

    #[allow(
        clippy::all,
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

#[path = "kernel"]
mod kernel_crate {
    pub(crate) mod scsi;
}
use kernel_crate::scsi;
