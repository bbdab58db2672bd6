// SPDX-License-Identifier: GPL-2.0

//! A logical unit that the midlayer knows.
//!
//! The midlayer may be a module. So what calls it is generic, here as elsewhere: then it is
//! compiled with the driver, and not into the kernel.

use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    device,
    error::to_result,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            ordering::Acquire,
            Atomic, //
        },
        rcu, //
    },
    types::Opaque, //
};

use super::Operations;

/// A logical unit that the midlayer knows (`struct scsi_device`).
///
/// # Invariants
///
/// A reference to a `Device` points to a valid `struct scsi_device` of a host of `T`.
#[repr(transparent)]
pub struct Device<T: Operations>(Opaque<bindings::scsi_device>, PhantomData<T>);

impl<T: Operations> Device<T> {
    /// # Safety
    ///
    /// `sdev` must be valid for `'a`, and of a host of `T`.
    pub(super) unsafe fn from_raw<'a>(sdev: *mut bindings::scsi_device) -> &'a Self {
        // SAFETY: `Device` is transparent; validity by the safety requirement.
        unsafe { &*sdev.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::scsi_device {
        self.0.get()
    }

    /// Number of the logical unit.
    pub fn lun(&self) -> u64 {
        // SAFETY: By the type invariant. The field is set when the unit is allocated.
        unsafe { (*self.as_raw()).lun }
    }

    /// Id of the target.
    pub fn id(&self) -> u32 {
        // SAFETY: As for `lun`.
        unsafe { (*self.as_raw()).id }
    }

    /// Channel of the target.
    pub fn channel(&self) -> u32 {
        // SAFETY: As for `lun`.
        unsafe { (*self.as_raw()).channel }
    }

    fn state(&self) -> bindings::scsi_device_state {
        // SAFETY: By the type invariant. C code writes the field at any time, as a whole.
        unsafe { Atomic::from_ptr(&raw mut (*self.as_raw()).sdev_state) }.load(Acquire)
    }

    /// Whether the unit was seen to be there, and is not just being looked for. May be called in
    /// any context.
    pub fn is_known(&self) -> bool {
        !matches!(
            self.state(),
            bindings::scsi_device_state_SDEV_CREATED
                | bindings::scsi_device_state_SDEV_CREATED_BLOCK
        )
    }

    /// Whether the unit is known, and takes commands.
    pub fn is_running(&self) -> bool {
        self.state() == bindings::scsi_device_state_SDEV_RUNNING
    }

    /// The first byte of the INQUIRY data with which a running unit was found: peripheral qualifier
    /// and device type. For process context.
    pub fn peripheral(&self) -> Option<u8> {
        let sdev = self.as_raw();
        // SAFETY: By the type invariant. `scsi_add_lun()` stores the data, which then stay as they
        // are, before it first sets the unit running, and that under this mutex. If the unit was
        // seen to run, we get the mutex after that, and see what was stored: 36 bytes or more.
        unsafe {
            if !self.is_known() {
                return None;
            }
            bindings::mutex_lock(&raw mut (*sdev).state_mutex);
            let first = (*sdev).inquiry.as_ref().copied();
            bindings::mutex_unlock(&raw mut (*sdev).state_mutex);
            first
        }
    }

    /// Calls `f` with the VPD page of device identification (SPC-4, 7.8.6) that the midlayer has
    /// fetched of the unit, header included; with nothing if it has none. May be called in any
    /// context; `f` must not sleep.
    pub fn with_device_identification<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let sdev = self.as_raw();
        let _rcu = rcu::read_lock();
        // SAFETY: By the type invariant. C code writes the field at any time, as a whole. A page is
        // not freed as long as the RCU read lock is held, does not change, and has `len` bytes.
        let bytes = unsafe {
            let page = Atomic::from_ptr(&raw mut (*sdev).vpd_pg83).load(Acquire);
            if page.is_null() {
                &[]
            } else {
                let len = usize::try_from((*page).len).unwrap_or(0);
                core::slice::from_raw_parts((&raw const (*page).data).cast::<u8>(), len)
            }
        };
        f(bytes)
    }

    /// Has the midlayer fetch the VPD pages anew, and the disk driver ask for the capacity. For
    /// process context.
    ///
    /// # Errors
    ///
    /// What `scsi_rescan_device()` returns: the unit takes no commands.
    pub fn rescan(&self) -> Result {
        // SAFETY: By the type invariant.
        to_result(unsafe { bindings::scsi_rescan_device(self.as_raw()) })
    }

    /// Has the midlayer forget the unit. For process context, but not for callbacks of a unit.
    pub fn remove(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::scsi_remove_device(self.as_raw()) };
    }

    /// Keeps commands away from a running unit.
    pub(super) fn block(&self) {
        let sdev = self.as_raw();
        // SAFETY: By the type invariant; the mutex is held.
        unsafe {
            bindings::mutex_lock(&raw mut (*sdev).state_mutex);
            if self.is_running() {
                bindings::scsi_internal_device_block_nowait(sdev);
            }
            bindings::mutex_unlock(&raw mut (*sdev).state_mutex);
        }
    }

    /// Lets commands come again to a unit that was blocked. It may have been taken offline since:
    /// it stays so, and what waits for it fails.
    pub(super) fn unblock(&self) {
        let sdev = self.as_raw();
        // SAFETY: By the type invariant; the mutex is held. One whose queue was not stopped is left
        // alone.
        unsafe {
            bindings::mutex_lock(&raw mut (*sdev).state_mutex);
            if matches!(
                self.state(),
                bindings::scsi_device_state_SDEV_BLOCK | bindings::scsi_device_state_SDEV_OFFLINE
            ) {
                bindings::scsi_internal_device_unblock_nowait(
                    sdev,
                    bindings::scsi_device_state_SDEV_RUNNING,
                );
            }
            bindings::mutex_unlock(&raw mut (*sdev).state_mutex);
        }
    }
}

impl<T: Operations> AsRef<device::Device> for Device<T> {
    fn as_ref(&self) -> &device::Device {
        // SAFETY: By the type invariant; `device::Device` is a transparent wrapper.
        unsafe { &*(&raw const (*self.as_raw()).sdev_gendev).cast() }
    }
}

/// The limits of a unit's queue, while they are being set.
#[repr(transparent)]
pub struct QueueLimits(Opaque<bindings::queue_limits>);

impl QueueLimits {
    /// # Safety
    ///
    /// `limits` must be valid for `'a`, and not used by others.
    pub(super) unsafe fn from_raw<'a>(limits: *mut bindings::queue_limits) -> &'a mut Self {
        // SAFETY: By the safety requirement.
        unsafe { &mut *limits.cast() }
    }

    /// Lowers the length of the longest transfer, in 512-byte sectors, but not below a page; 0 is
    /// no limit.
    pub fn limit_hw_sectors(&mut self, most: u32) {
        // SAFETY: See `from_raw`.
        let limits = unsafe { &mut *self.0.get() };
        if most > 0 {
            // CAST: A small number.
            let page = (PAGE_SIZE / 512) as u32;
            limits.max_hw_sectors = limits.max_hw_sectors.min(most.max(page));
        }
    }

    /// Raises the alignment of data buffers: a mask, one less than a power of two, and less than a
    /// page. Other values change nothing.
    pub fn align_dma(&mut self, mask: u32) {
        // SAFETY: See `from_raw`.
        let limits = unsafe { &mut *self.0.get() };
        if mask & mask.wrapping_add(1) == 0 && (mask as usize) < PAGE_SIZE {
            limits.dma_alignment = limits.dma_alignment.max(mask);
        }
    }
}
