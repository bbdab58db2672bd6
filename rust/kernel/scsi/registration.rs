// SPDX-License-Identifier: GPL-2.0

//! A host that the midlayer knows.

use crate::bindings;
use core::ptr::null_mut;
use kernel::{
    device::{
        AsBusDevice,
        Bound, //
    },
    error::to_result,
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::ordering::{
            Full,
            Relaxed,
            Release, //
        },
    },
};

use super::{
    managed::Managed,
    state::{
        Access,
        Phase, //
    },
    Dma,
    Host,
    Operations, //
};

/// A host that is known to the midlayer, with its driver's data.
///
/// A driver keeps it in the data of its device. Dropping it takes everything back, in this order:
///
/// 1. work that was queued is over, after a device was stopped that would not end what that waits
///    for;
/// 2. the logical units are removed: their disks flush their caches, for which the device and its
///    interrupts still serve;
/// 3. the device is stopped ([`Operations::stop`]), and does no DMA any more;
/// 4. the host is removed, and no callback is called any more;
/// 5. the driver's data are dropped.
///
/// What the interrupt handler needs goes after that, so it is a later field. If this is forgotten,
/// the driver core drops it when the device is unbound.
pub struct Registration<'bound, T: Operations>(Managed<'bound, Registered<'bound, T>>);

/// What is registered. The fields are dropped in this order.
struct Registered<'bound, T: Operations> {
    host: ARef<Host<T>>,
    /// The midlayer knows the host.
    is_added: bool,
    _data: Pin<KBox<T::Data<'bound>>>,
}

impl<'bound, T: Operations> Registration<'bound, T> {
    /// Has `data` make the driver's data, `start` bring the device up, and makes the host known to
    /// the midlayer. Logical units are not looked for yet: see [`Registration::scan`].
    ///
    /// The data can borrow from the device, for as long as it is bound, and from nothing else: if
    /// the registration is forgotten, they last until then. So they are made of a reference to the
    /// device whose lifetime `data` does not know.
    ///
    /// If this fails the device does no DMA any more, and the data are dropped after that.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the host is or was registered, `EINVAL` if the switch is another device's, and
    /// what `data`, `start` and the midlayer return.
    // The driver's data may be large, and are put together on the stack: not on the caller's too.
    #[inline(never)]
    pub fn new<D: AsBusDevice<Bound> + 'static>(
        host: &Host<T>,
        device: &'bound D,
        mut dma: Dma<'bound>,
        data: impl for<'b> FnOnce(&'b D) -> Result<Pin<KBox<T::Data<'b>>>>,
        start: impl for<'b> FnOnce(&T::Data<'b>, &mut Dma<'b>) -> Result,
    ) -> Result<Self> {
        if host.private().was_registered.xchg(true, Full) {
            return Err(EBUSY);
        }
        let dev = dma.device();
        if !core::ptr::eq(dev, device.as_ref()) {
            return Err(EINVAL);
        }
        let data = data(device)?;
        if let Err(error) = start(&data, &mut dma) {
            // Before the data are dropped.
            drop(dma);
            return Err(error);
        }
        let pointer: *const T::Data<'bound> = &*data;
        let private = host.private();
        private.data.store(pointer.cast_mut().cast(), Release);
        let mut registered = Registered {
            host: host.into(),
            is_added: false,
            _data: data,
        };
        // SAFETY: Only the lifetime differs. `Registered::drop` takes it out again, within
        // `'bound`; callbacks get it with a lifetime that they cannot name.
        let dma = unsafe { core::mem::transmute::<Dma<'bound>, Dma<'static>>(dma) };
        {
            let mut state = private.resets.state.lock();
            let dma = state.dma.insert(dma);
            let place = core::ptr::from_mut(dma).cast();
            private.dma.store(place, Release);
            state.phase = Phase::Normal;
            host.set_access(Access::Adding);
        }
        // From here on `Registered::drop` undoes what was done.
        let raw_dev = core::ptr::from_ref(dev).cast_mut().cast();
        // SAFETY: The host is valid, and was never added. `device::Device` is a transparent wrapper
        // of the `struct device` that `raw_dev` points to, and is bound as long as the host is
        // known: see `Managed`.
        to_result(unsafe { bindings::scsi_add_host_with_dma(host.as_raw(), raw_dev, raw_dev) })?;
        registered.is_added = true;
        private.has_tags.store(true, Release);
        {
            // A device that is lost from here on is given up after this.
            let _state = private.resets.state.lock();
            private.works.begin();
            // Unless it was quiesced or shut down meanwhile.
            if host.access() == Access::Adding {
                host.set_access(Access::Running);
            }
        }
        Ok(Self(Managed::new(dev, registered)?))
    }

    /// Has the midlayer look for logical units, now or in the background.
    pub fn scan(&self) {
        // SAFETY: The host is valid, and was added.
        unsafe { bindings::scsi_scan_host(self.host().as_raw()) };
    }

    /// Leaves the host to the driver core, which drops it when the device is unbound: for a device
    /// without data of a driver in which it could be kept, such as a faux device.
    pub fn into_devres(self) {
        self.0.leave();
    }

    /// The host.
    pub fn host(&self) -> &Host<T> {
        &self.0.host
    }
}

impl<T: Operations> Drop for Registered<'_, T> {
    fn drop(&mut self) {
        let (host, private) = (&*self.host, self.host.private());
        if !host.will_run() {
            // The restart that commands and resets wait for will not come, nor will an answer of
            // the device: they end at once, and do not time out one after the other. The driver's
            // work may wait for them, too.
            host.stop_for_good();
        }
        private.works.end();
        if self.is_added {
            host.remove_targets();
        }
        host.stop_for_good();
        private.works.end_give_up();
        // The tag set goes with the host, and nobody may look for commands then.
        private.has_tags.store(false, Relaxed);
        host.set_access(Access::None);
        if self.is_added {
            // SAFETY: The host is valid, and was added. This waits for all callbacks.
            unsafe { bindings::scsi_remove_host(host.as_raw()) };
        }
        private.data.store(null_mut(), Release);
        private.dma.store(null_mut(), Release);
        private.resets.state.lock().dma = None;
    }
}

impl<T: Operations> Host<T> {
    /// Removes all logical units.
    fn remove_targets(&self) {
        // SAFETY: The host is valid, and was added. What removes units meanwhile, or looks for
        // some, holds the mutex.
        unsafe {
            bindings::device_for_each_child(
                &raw mut (*self.as_raw()).shost_gendev,
                null_mut(),
                Some(Self::remove_target),
            );
            bindings::mutex_lock(&raw mut (*self.as_raw()).scan_mutex);
            bindings::mutex_unlock(&raw mut (*self.as_raw()).scan_mutex);
        }
    }

    /// Removes the logical units of a target, if that is what the device is. Generic, as all that
    /// calls the midlayer.
    ///
    /// # Safety
    ///
    /// Called by the driver core only, with a device.
    unsafe extern "C" fn remove_target(dev: *mut bindings::device, _: *mut c_void) -> c_int {
        // SAFETY: By the safety requirement.
        unsafe {
            if bindings::scsi_is_target_device(dev) != 0 {
                bindings::scsi_remove_target(dev);
            }
        }
        0
    }
}
