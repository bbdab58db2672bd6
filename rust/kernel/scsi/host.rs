// SPDX-License-Identifier: GPL-2.0

//! A SCSI host.

use crate::{
    bindings,
    ratelimit::RateLimit, //
};
use core::{
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    },
};
#[cfg(CONFIG_PCI)]
use kernel::container_of;
use kernel::{
    device,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        },
        atomic::{
            ordering::{
                Acquire,
                Relaxed,
                Release, //
            },
            Atomic, //
        },
        rcu,
    },
    types::Opaque, //
};

use super::{
    state::{
        Access,
        Resets, //
    },
    template::Template,
    work::Works,
    Device,
    Limits,
    Operations, //
};

/// A SCSI host.
///
/// It is made by [`Host::new`], known to the midlayer as long as there is its [`Registration`], and
/// counted: sysfs or an open `/dev/sg` can keep it longer than that. What can be asked of it then
/// has no effect.
///
/// # Invariants
///
/// A reference to a `Host` points to a valid `struct Scsi_Host`, made by [`Host::new`] for `T`,
/// whose private data is an initialised [`HostData`].
///
/// [`Registration`]: super::Registration
#[repr(transparent)]
pub struct Host<T: Operations>(Opaque<bindings::Scsi_Host>, PhantomData<T>);

/// What is in `Scsi_Host.hostdata`, and so lives as long as the host.
#[pin_data]
pub(super) struct HostData<T: Operations> {
    /// Who may use the device now. It changes under the lock of `resets`.
    access: Atomic<Access>,
    /// The driver's data, of the [`Registration`](super::Registration): null before it is made and
    /// after it was dropped.
    pub(super) data: Atomic<*mut T::Data<'static>>,
    /// The switch for the device's DMA, while the host is registered; only compared.
    pub(super) dma: Atomic<*mut ()>,
    /// The midlayer has a tag set for the host.
    pub(super) has_tags: Atomic<bool>,
    /// There is a registration, or was one.
    pub(super) was_registered: Atomic<bool>,
    #[pin]
    noise: RateLimit,
    #[pin]
    pub(super) resets: Resets,
    #[pin]
    pub(super) works: Works<T>,
}

impl<T: Operations> Host<T> {
    /// Allocates a host.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the limits are none that a host can have.
    pub fn new(limits: &Limits) -> Result<ARef<Self>> {
        limits.check()?;
        Template::<T>::check()?;
        const {
            assert!(align_of::<HostData<T>>() <= align_of::<usize>());
        }
        // CAST: It is a few hundred bytes.
        let size = size_of::<HostData<T>>() as i32;
        // SAFETY: The template lives as long as the module. The midlayer uses it until the host is
        // removed, which is before that is unloaded; what frees the host uses it only if it was
        // never added, and is called by the module then.
        let shost = unsafe { bindings::scsi_host_alloc(Template::<T>::get(), size) };
        let shost = NonNull::new(shost).ok_or(ENOMEM)?;
        // SAFETY: The host was just allocated with room for a `HostData`. Nobody else has it but
        // the thread of error handling, which looks at other fields. Its memory is never moved,
        // and `HostData` needs no destructor.
        unsafe {
            limits.apply(shost.as_ptr());
            pin_init::raw_init(
                (&raw mut (*shost.as_ptr()).hostdata).cast(),
                pin_init!(HostData::<T> {
                    access: Atomic::new(Access::None),
                    data: Atomic::new(null_mut()),
                    dma: Atomic::new(null_mut()),
                    has_tags: Atomic::new(false),
                    was_registered: Atomic::new(false),
                    noise <- RateLimit::new(),
                    resets <- Resets::new(),
                    works <- Works::<T>::new(shost.as_ptr()),
                }),
            );
            // INVARIANT: `hostdata` was just initialised.
            Ok(ARef::from_raw(shost.cast()))
        }
    }

    /// # Safety
    ///
    /// `shost` must point to a host made by [`Host::new`] for `T`, valid for `'a`.
    pub(super) unsafe fn from_raw<'a>(shost: *mut bindings::Scsi_Host) -> &'a Self {
        // SAFETY: `Host` is transparent; validity by the safety requirement.
        unsafe { &*shost.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::Scsi_Host {
        self.0.get()
    }

    /// The private data of the host.
    pub(super) fn private(&self) -> &HostData<T> {
        // SAFETY: By the type invariant it is initialised, and lives as long as the host.
        unsafe { &*(&raw const (*self.as_raw()).hostdata).cast() }
    }

    /// What the driver keeps for this host.
    ///
    /// # Safety
    ///
    /// There must be a registration of the host, for as long as what is returned is used.
    pub(super) unsafe fn data<'a>(&self) -> &'a T::Data<'a> {
        // SAFETY: By the safety requirement there is the registration, whose data this is. Callers
        // are called with an `'a` that they cannot choose, so that nothing of it is kept.
        unsafe { &*self.private().data.load(Acquire).cast() }
    }

    /// Calls `f` with the driver's data, unless the device is not accessible, or the host not
    /// registered: as long as `f` has not returned, the device is not quiesced, and the host not
    /// removed. May be called in any context; `f` must not sleep.
    ///
    /// An interrupt handler begins with this.
    pub fn with_device<R>(&self, f: impl FnOnce(&T::Data<'_>) -> R) -> Option<R> {
        let _rcu = rcu::read_lock();
        if !self.access().is_accessible() {
            return None;
        }
        // SAFETY: Whoever takes the access away waits for a grace period before the registration
        // goes.
        Some(f(unsafe { self.data() }))
    }

    /// Who may use the device now. Relied upon until the RCU read lock is released.
    pub(super) fn access(&self) -> Access {
        self.private().access.load(Relaxed)
    }

    /// Sets who may use the device, and waits for those who may not any more. To be called with the
    /// lock of `resets` held, or when nobody else can.
    pub(super) fn set_access(&self, access: Access) {
        self.private().access.store(access, Release);
        Self::settle();
    }

    /// Waits until each token that exists is completed, or its command in flight, and all who have
    /// looked at the access before are done. For process context.
    pub(super) fn settle() {
        // SAFETY: Called in process context only: by who resets or quiesces the device, adds or
        // removes the host.
        unsafe { bindings::synchronize_rcu() };
    }

    /// Whether the device was pulled out: `pci_dev_is_disconnected()`, which is inline. May be
    /// called in any context.
    pub(super) fn is_disconnected(&self) -> bool {
        #[cfg(CONFIG_PCI)]
        // SAFETY: By the type invariant the host is valid; the device of one that was added is
        // bound as long as it is registered. C code writes `error_state` as a whole.
        unsafe {
            let dev = (*self.as_raw()).dma_dev;
            if !dev.is_null() && core::ptr::eq((*dev).bus, &raw const bindings::pci_bus_type) {
                let pdev = container_of!(dev, bindings::pci_dev, dev);
                let state = (&raw const (*pdev).error_state).read_volatile();
                return state == bindings::pci_channel_io_perm_failure;
            }
        }
        false
    }

    /// The host's device in sysfs.
    pub fn device(&self) -> &device::Device {
        // SAFETY: By the type invariant; `device::Device` is a transparent wrapper.
        unsafe { &*(&raw const (*self.as_raw()).shost_gendev).cast() }
    }

    /// Calls `f` with each logical unit that the midlayer knows. They may be removed meanwhile. For
    /// process context.
    pub fn for_each_device(&self, mut f: impl FnMut(&Device<T>)) {
        let mut sdev = null_mut();
        loop {
            // SAFETY: By the type invariant the host is valid. `sdev` is what the last call
            // returned, with a reference that this call gives up.
            sdev = unsafe { bindings::__scsi_iterate_devices(self.as_raw(), sdev) };
            if sdev.is_null() {
                return;
            }
            // SAFETY: We hold a reference until the next call. The host is one of `T`.
            f(unsafe { Device::from_raw(sdev) });
        }
    }

    /// Has the midlayer look for new logical units of a target. For process context.
    pub fn scan_target(&self, channel: u32, id: u32) {
        // SAFETY: By the type invariant the host is valid; the midlayer scans none that is not
        // running.
        unsafe {
            bindings::scsi_scan_target(
                &raw mut (*self.as_raw()).shost_gendev,
                channel,
                id,
                // CAST: A macro of C; all ones.
                bindings::SCAN_WILD_CARD as u64,
                bindings::scsi_scan_mode_SCSI_SCAN_RESCAN,
            );
        }
    }

    /// The driver's module; null stands for the kernel itself.
    pub(super) fn module(&self) -> *mut bindings::module {
        // SAFETY: By the type invariant the host is valid. Its template is in the driver's module,
        // which removes the host before it goes.
        unsafe { (*(*self.as_raw()).hostt).module }
    }

    /// Whether a message that the device or a user can provoke at will may be printed now.
    pub fn should_log(&self) -> bool {
        self.private().noise.allows(T::NAME)
    }
}

// SAFETY: `scsi_host_get()` counts a reference, `scsi_host_put()` gives it back.
unsafe impl<T: Operations> AlwaysRefCounted for Host<T> {
    fn inc_ref(&self) {
        // SAFETY: By the type invariant the host is valid. (`scsi_host_get()` refuses a host that
        // was removed.)
        unsafe { bindings::get_device(&raw mut (*self.as_raw()).shost_gendev) };
    }

    unsafe fn dec_ref(host: NonNull<Self>) {
        // SAFETY: The caller owns a reference.
        unsafe { bindings::scsi_host_put(host.as_ptr().cast()) };
    }
}

// SAFETY: A host can be put, and used, from any thread.
unsafe impl<T: Operations> Send for Host<T> {}

// SAFETY: The midlayer calls into a host from any CPU; all that `Host` offers is shared state
// that does its own synchronisation.
unsafe impl<T: Operations> Sync for Host<T> {}
