// SPDX-License-Identifier: GPL-2.0

// A proof is made up.
// expected: E0451

fn make() -> DmaStopped<'static> {
    DmaStopped {
        dma: core::ptr::null(),
        _dma: core::marker::PhantomData,
    }
}
