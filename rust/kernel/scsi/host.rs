// SPDX-License-Identifier: GPL-2.0

//! A SCSI host.

use crate::{
    bindings,
    ratelimit::RateLimit, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    device,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

use super::{
    callbacks::Callbacks,
    rescan::Rescan,
    resets::Resets,
    DmaStopped,
    HostByte,
    InFlight,
    Limits,
    Operations,
    Victim, //
};

/// A SCSI host, as its driver sees it in a callback.
///
/// # Invariants
///
/// A reference to a `Host` points to a valid `struct Scsi_Host` whose private data is an
/// initialised [`Private`].
#[repr(transparent)]
pub struct Host<T: Operations>(Opaque<bindings::Scsi_Host>, PhantomData<T>);

/// What is in `Scsi_Host.hostdata`, and so lives as long as the host, which sysfs or an open
/// `/dev/sg` can keep after it was removed.
#[pin_data]
pub(super) struct HostData<'bound, T: Operations> {
    /// Valid until the host was removed.
    private: *const Private<'bound, T>,
    #[pin]
    pub(super) resets: Resets,
    #[pin]
    rescan: Rescan<T>,
}

/// What the abstraction keeps with each host until it is removed.
#[pin_data]
pub(super) struct Private<'bound, T: Operations> {
    in_flight: InFlight<T>,
    #[pin]
    noise: RateLimit,
    #[pin]
    data: T::Data<'bound>,
}

impl<T: Operations> Host<T> {
    /// # Safety
    ///
    /// `shost` must point to a host made by [`Owner::new`] for `T`, valid for `'a`.
    pub(super) unsafe fn from_raw<'a>(shost: *mut bindings::Scsi_Host) -> &'a Self {
        // SAFETY: `Host` is transparent; validity by the safety requirement.
        unsafe { &*shost.cast() }
    }

    /// # Safety
    ///
    /// The returned reference must not outlive the `'bound` with which the host was made.
    unsafe fn private<'a, 'bound: 'a>(&'a self) -> &'a Private<'bound, T> {
        // SAFETY: By the type invariant there is an initialised `Private`, whose lifetime the
        // caller answers for.
        unsafe { &*(*self.host_data()).private }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::Scsi_Host {
        self.0.get()
    }

    fn host_data<'bound>(&self) -> *const HostData<'bound, T> {
        // SAFETY: By the type invariant the host is valid.
        unsafe { bindings::shost_priv(self.0.get()) }.cast()
    }

    /// What lives as long as the host.
    pub(super) fn lasting(&self) -> &HostData<'_, T> {
        // SAFETY: `hostdata` was initialised by `Owner::new` and lives as long as the host.
        // `private` may dangle, but is not followed.
        unsafe { &*self.host_data() }
    }

    /// The work item that looks for changes of the logical units.
    pub(super) fn rescan(&self) -> &Rescan<T> {
        &self.lasting().rescan
    }

    /// Has all logical units looked at anew, and new ones looked for, soon. May be called in any
    /// context.
    pub fn request_rescan(&self) {
        self.rescan().request();
    }

    /// What the driver keeps for this host.
    ///
    /// # Safety
    ///
    /// As for [`Host::private`].
    pub(super) unsafe fn data<'a, 'bound: 'a>(&'a self) -> &'a T::Data<'bound> {
        // SAFETY: By the safety requirement.
        &unsafe { self.private() }.data
    }

    /// The commands in flight.
    pub fn in_flight(&self) -> &InFlight<T> {
        // SAFETY: `InFlight` holds nothing with the lifetime of the binding.
        &unsafe { self.private() }.in_flight
    }

    /// The commands in flight of a logical unit, for [`Operations::eh_device_reset`].
    pub fn in_flight_of(&self, lun: u64) -> impl Iterator<Item = Victim<'_, T>> + '_ {
        self.in_flight().victims(self, lun)
    }

    /// Ends all commands in flight: with [`HostByte::Reset`] because the device was reset, so that
    /// the midlayer tries them again, or with [`HostByte::NoConnect`] because it is gone. What the
    /// driver keeps with each is passed to `each`. May be called in any context, an interrupt too.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the proof is not of this host's device.
    pub fn complete_all(
        &self,
        proof: &DmaStopped<'_>,
        host_byte: HostByte,
        each: impl FnMut(T::CommandData),
    ) -> Result {
        // SAFETY: By the type invariant the host is valid. The field was set when it was added.
        if !proof.is_of(unsafe { (*self.0.get()).dma_dev }) {
            return Err(EINVAL);
        }
        self.in_flight().complete_all(host_byte, each);
        Ok(())
    }

    /// Whether a message that the device or a user can provoke at will may be printed now.
    pub fn should_log(&self) -> bool {
        // SAFETY: `RateLimit` holds nothing with the lifetime of the binding.
        unsafe { self.private() }.noise.allows(T::NAME)
    }
}

// SAFETY: The midlayer calls into a host from any CPU; all that `Host` offers is shared state
// that does its own synchronisation.
unsafe impl<T: Operations> Sync for Host<T> {}

/// A host that was allocated, with its driver's data.
///
/// # Invariants
///
/// `shost` is a valid host of which we own a reference; its `hostdata` points to the `Private`
/// that is owned by this too.
pub(super) struct Owner<'bound, T: Operations> {
    shost: NonNull<bindings::Scsi_Host>,
    private: Option<Pin<KBox<Private<'bound, T>>>>,
}

impl<'bound, T: Operations> Owner<'bound, T> {
    /// Allocates a host and initialises what the driver keeps with it.
    pub(super) fn new(limits: &Limits, data: impl PinInit<T::Data<'bound>, Error>) -> Result<Self> {
        limits.check()?;
        Callbacks::<T>::check()?;
        let cmd_per_lun = i16::try_from(limits.cmd_per_lun)?;
        let private = KBox::pin_init(
            try_pin_init!(Private {
                in_flight: InFlight::new(limits.can_queue)?,
                noise <- RateLimit::new(),
                data <- data,
            }? Error),
            GFP_KERNEL,
        )?;

        const {
            assert!(
                core::mem::align_of::<HostData<'static, T>>() <= core::mem::align_of::<usize>()
            );
        }
        // CAST: It is a few words.
        let size = core::mem::size_of::<HostData<'bound, T>>() as i32;
        // SAFETY: The template lives as long as the module, which the host holds a reference to
        // while it is in use.
        let shost = unsafe { bindings::scsi_host_alloc(Callbacks::<T>::template(), size) };
        let shost = NonNull::new(shost).ok_or(ENOMEM)?;
        // SAFETY: The host was just allocated with room for a `HostData`, and nobody else has it.
        unsafe {
            let host = &mut *shost.as_ptr();
            host.max_channel = 0;
            host.max_id = 1;
            host.max_lun = limits.max_lun;
            host.max_cmd_len = limits.max_cdb_len;
            host.can_queue = limits.can_queue.into();
            host.cmd_per_lun = cmd_per_lun;
            host.sg_tablesize = limits.sg_tablesize;
            host.max_segment_size = limits.max_segment_size;
            host.max_sectors = limits.max_sectors;
            host.dma_alignment = limits.dma_alignment;
            // The logical unit is named by the transport. To old devices the midlayer would write
            // its number into the CDB as well, over bits that mean something else today.
            host.set_no_scsi2_lun_in_cdb(1);
            host.set_no_write_same(limits.no_write_same.into());
            // The host's memory is never moved, and `HostData` needs no destructor.
            let private: *const Private<'bound, T> = &*private;
            pin_init::raw_init(
                bindings::shost_priv(shost.as_ptr()).cast(),
                pin_init!(HostData {
                    private,
                    resets <- Resets::new(),
                    // Commands come after `add`, and `remove` ends it.
                    rescan <- Rescan::new(shost.as_ptr()),
                }),
            );
        }
        // INVARIANT: `scsi_host_alloc` gave us a reference, and `hostdata` was just set.
        Ok(Self {
            shost,
            private: Some(private),
        })
    }

    pub(super) fn host(&self) -> &Host<T> {
        // SAFETY: By the type invariant.
        unsafe { Host::from_raw(self.shost.as_ptr()) }
    }

    /// Makes the host known to the midlayer.
    ///
    /// # Safety
    ///
    /// [`Owner::remove`] must be called before this is dropped.
    pub(super) unsafe fn add(&self, dev: &device::Device<device::Bound>) -> Result {
        let dev = core::ptr::from_ref(dev).cast_mut().cast();
        // SAFETY: By the type invariant the host is valid; `device::Device` is a transparent
        // wrapper of the `struct device` that `dev` points to.
        to_result(unsafe { bindings::scsi_add_host_with_dma(self.shost.as_ptr(), dev, dev) })
    }

    /// Looks for logical units.
    pub(super) fn scan(&self) {
        // SAFETY: By the type invariant the host is valid; called after `add`.
        unsafe { bindings::scsi_scan_host(self.shost.as_ptr()) };
    }

    /// Takes the host away from the midlayer. Waits for all commands, for a rescan and for a reset;
    /// nothing is called after this.
    pub(super) fn remove(&self) {
        self.host().rescan().end();
        // SAFETY: By the type invariant the host is valid; called once, after `add`.
        unsafe { bindings::scsi_remove_host(self.shost.as_ptr()) };
        self.host().removed();
    }
}

impl<T: Operations> Drop for Owner<'_, T> {
    fn drop(&mut self) {
        self.private = None;
        // SAFETY: By the type invariant we own a reference. There may be more, but nothing is
        // called any more: see `remove`. What was never added is known to nobody.
        unsafe { bindings::scsi_host_put(self.shost.as_ptr()) };
    }
}
