// SPDX-License-Identifier: GPL-2.0

//! Host adapters on PCI: a device, its interrupt and a SCSI host, in one lifetime.
//!
//! What makes the teardown of a host adapter hard is its order: the midlayer needs the interrupt
//! until its last command, the interrupt handler needs the driver's data, and memory must not be
//! freed while the device can write to it. A [`Driver`] states the parts; [`Adapter`] is the
//! `pci::Driver` that puts them together, and takes them apart in reverse:
//!
//! ```text
//!   enable
//!   probe     what the device can do: Limits; and the driver's data
//!   DMA mask  of the device; so far it was 32 bits
//!   irq       the handler may run from here on
//!   start     the card is brought up; it may do DMA from here on
//!   add host, scan
//! ```
//!
//! What may interrupt this lifetime is in `quiesce.rs`.

#[cfg(out_of_tree)]
use crate::pci::DeviceExt as _;
use crate::{
    bindings,
    pci, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    device::{
        Bound,
        Core, //
    },
    dma::{
        Device as _,
        DmaMask, //
    },
    irq,
    prelude::*,
    sync::aref::ARef,
};

use super::{
    host::Owner,
    DmaStopped,
    Finished,
    Host,
    Limits,
    Operations, //
};

mod quiesce;

/// The switch for a device's DMA: the bus master bit of its PCI command register.
pub struct BusMaster<'bound>(&'bound pci::Device<Bound>);

impl<'bound> BusMaster<'bound> {
    /// The switch of `pdev`. It is left as it is.
    pub fn new(pdev: &'bound pci::Device<Bound>) -> Self {
        Self(pdev)
    }

    fn as_raw(&self) -> *mut bindings::pci_dev {
        core::ptr::from_ref(self.0).cast_mut().cast()
    }

    /// Lets the device do DMA again.
    pub fn start(&self, _stopped: DmaStopped<'_>) {
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`.
        unsafe { bindings::pci_set_master(self.as_raw()) }
    }

    /// Keeps the device from doing DMA, and waits for what it already sent.
    pub fn stop(&self) -> DmaStopped<'_> {
        let mut command = 0;
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`, and
        // `command` is valid for writes.
        unsafe {
            bindings::pci_clear_master(self.as_raw());
            // The completion of a read pushes the device's earlier writes ahead of it. A device
            // that is gone reads as all ones; it does no DMA either.
            bindings::pci_read_config_word(
                self.as_raw(),
                bindings::PCI_COMMAND as i32,
                &mut command,
            );
        }
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`.
        DmaStopped::new(unsafe { &raw const (*self.as_raw()).dev })
    }
}

/// A host adapter on PCI.
pub trait Driver: Operations {
    /// What the driver keeps for each entry of its id table.
    type IdInfo: 'static;

    /// The devices that the driver can work with.
    const ID_TABLE: pci::IdTable<Self::IdInfo>;

    /// Finds out what the device can do, and makes the driver's data. The device is enabled, but
    /// not bus master, and interrupts are not handled yet. DMA memory that is allocated here lies
    /// below 4 GiB, whatever the mask will be; no other thread may allocate or map any before this
    /// has returned. Memory that the initializer allocates lies where the mask says.
    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
    ) -> Result<(Limits, impl PinInit<Self::Data<'bound>, Error>)>;

    /// Brings the device up. When this fails, the device must not do DMA any more.
    fn start(data: &Self::Data<'_>, host: &Host<Self>) -> Result;

    /// Keeps the device from doing DMA until [`Operations::eh_host_reset`] is called.
    ///
    /// Commands that are queued meanwhile are given back as [`Busy`], and those in flight stay in
    /// the table. Neither the device nor its configuration space must be accessed: it may be gone.
    /// [`Operations::eh_timed_out`] is not called any more, until the reset; an interrupt handler
    /// may still be running when this returns, and is waited for then.
    ///
    /// Commands that the device has finished may be completed now if it can be trusted that they
    /// are. May be called again before the reset.
    ///
    /// [`Busy`]: super::Busy
    fn quiesce<'a>(
        data: &'a Self::Data<'_>,
        host: &Host<Self>,
        finished: Finished,
    ) -> DmaStopped<'a>;

    /// Stops the device for good, and ends the commands in flight by [`Host::complete_all`].
    ///
    /// It must not do DMA any more after this, and commands that are queued must end at once. May
    /// be called more than once, and when the device is not accessible, as for
    /// [`Driver::quiesce`].
    fn stop(data: &Self::Data<'_>, host: &Host<Self>);

    /// The interrupt handler.
    fn interrupt(data: &Self::Data<'_>, host: &Host<Self>) -> irq::IrqReturn;
}

/// The `pci::Driver` of a [`Driver`]; the type to name in `module_pci_driver!`.
pub struct Adapter<T: Driver>(PhantomData<T>);

/// A host adapter that is bound. The fields are dropped in this order.
#[pin_data]
pub struct Instance<'bound, T: Driver> {
    running: Running<'bound, T>,
    #[pin]
    irq: irq::Registration<'bound, Handler<T>>,
    vectors: KBox<pci::IrqVectorRegistration<'bound>>,
    _enabled: Enabled<'bound>,
    host: KBox<Owner<'bound, T>>,
    _pdev: ARef<pci::Device>,
}

// SAFETY: What is in an `Instance` is touched by the callbacks of the driver core and the PCI core,
// which may run on any thread and hold the lock of the device, and by the midlayer and the
// interrupt through `Host`, which is `Sync`.
unsafe impl<T: Driver> Send for Instance<'_, T> {}

/// A device that is enabled. Dropping it keeps the device from doing DMA, and disables it: when
/// binding fails, and before its memory is freed.
struct Enabled<'bound>(BusMaster<'bound>);

impl<'bound> Enabled<'bound> {
    fn new(pdev: &'bound pci::Device<Core<'_>>) -> Result<Self> {
        pdev.enable_device_mem()?;
        let enabled = Self(BusMaster::new(pdev));
        enabled.forbid_line_interrupts();
        // Firmware, or an earlier kernel, may have left it bus master.
        enabled.0.stop();
        // For `slot_reset`.
        pdev.save_state()?;
        Ok(enabled)
    }

    /// Only message-signalled interrupts are handled. Before there are any, and when there are none
    /// any more, nobody would handle what the device asserts on its line, and others may share it.
    fn forbid_line_interrupts(&self) {
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`.
        unsafe { bindings::pci_intx(self.0.as_raw(), 0) }
    }
}

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        self.0.stop();
        self.forbid_line_interrupts();
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`, which `new`
        // enabled.
        unsafe { bindings::pci_disable_device(self.0.as_raw()) };
    }
}

/// A host that was started and added; dropping it removes the host and stops the device.
struct Running<'bound, T: Driver> {
    pdev: &'bound pci::Device<Bound>,
    /// Points into the box of [`Instance::host`], which is dropped after this.
    host: NonNull<Owner<'bound, T>>,
}

impl<'bound, T: Driver> Running<'bound, T> {
    /// # Safety
    ///
    /// `host` must stay where it is until what is returned was dropped.
    unsafe fn new(pdev: &'bound pci::Device<Bound>, host: &Owner<'bound, T>) -> Result<Self> {
        // SAFETY: `host` was made with the lifetime of this very binding.
        let data = unsafe { host.host().data() };
        T::start(data, host.host())?;
        // SAFETY: `drop` removes the host.
        if let Err(error) = unsafe { host.add(pdev.as_ref()) } {
            T::stop(data, host.host());
            return Err(error);
        }
        host.scan();
        Ok(Self {
            pdev,
            host: NonNull::from(host),
        })
    }

    /// Whether the device was pulled out: `pci_dev_is_disconnected()`, which is inline.
    fn is_disconnected(&self) -> bool {
        let pdev: *mut bindings::pci_dev = core::ptr::from_ref(self.pdev).cast_mut().cast();
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`. C code writes
        // the field as a whole.
        let state = unsafe { (&raw const (*pdev).error_state).read_volatile() };
        state == bindings::pci_channel_io_perm_failure
    }
}

impl<T: Driver> Drop for Running<'_, T> {
    fn drop(&mut self) {
        // SAFETY: By the safety requirement of `new`.
        let owner = unsafe { self.host.as_ref() };
        let host = owner.host();
        // SAFETY: The device is still bound while `Instance` is dropped.
        let data = unsafe { host.data() };
        if host.is_quiesced() || self.is_disconnected() {
            // The restart that commands and resets wait for will not come, nor will an answer of
            // the device: they end at once, and do not time out one after the other.
            host.shut_down(|| T::stop(data, host));
        }
        owner.remove();
        T::stop(data, host);
    }
}

/// The interrupt handler of a host.
pub struct Handler<T: Driver> {
    /// Valid as long as the handler is registered: see the order of [`Instance`].
    host: NonNull<Host<T>>,
}

// SAFETY: `Host` is `Sync`.
unsafe impl<T: Driver> Send for Handler<T> {}

// SAFETY: `Host` is `Sync`.
unsafe impl<T: Driver> Sync for Handler<T> {}

impl<T: Driver> irq::Handler for Handler<T> {
    fn handle(&self) -> irq::IrqReturn {
        // SAFETY: See the field.
        let host = unsafe { self.host.as_ref() };
        // SAFETY: The handler is unregistered before the device is unbound.
        T::interrupt(unsafe { host.data() }, host)
    }
}

impl<T: Driver> Adapter<T> {
    fn bind<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
    ) -> Result<(
        KBox<Owner<'bound, T>>,
        KBox<pci::IrqVectorRegistration<'bound>>,
    )> {
        // An earlier binding may have left another mask.
        //
        // SAFETY: The device is being probed, and nobody allocates or maps DMA memory meanwhile.
        unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<32>())? };
        let (limits, data) = T::probe(pdev)?;
        // SAFETY: As above: `T::probe` has returned, and nothing else of the driver runs yet.
        unsafe { pdev.dma_set_mask_and_coherent(limits.dma_mask)? };
        let bound: &'bound pci::Device<Bound> = pdev;
        let host = KBox::new(Owner::new(&limits, data)?, GFP_KERNEL)?;
        let msi = pci::IrqTypes::default().with(pci::IrqType::Msi);
        let vectors = bound.alloc_irq_vectors(1, 1, msi).inspect_err(|error| {
            dev_err!(
                pdev,
                "no MSI vector to be had ({:?}), and no other interrupt is supported\n",
                error
            );
        })?;
        let vectors = KBox::new(vectors, GFP_KERNEL)?;
        Ok((host, vectors))
    }
}

impl<T: Driver> pci::Driver for Adapter<T> {
    type IdInfo = T::IdInfo;
    type Data<'bound> = Instance<'bound, T>;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = T::ID_TABLE;
    // Devices may take long to come up, and the boot need not wait for them.
    const PROBE_ASYNC: bool = true;
    const PM_OPS: Option<&'static pci::PmOps<Self>> = Some(pci::PmOps::OPS);
    const ERROR_HANDLERS: Option<&'static pci::ErrorHandlerOps<Self>> =
        Some(pci::ErrorHandlerOps::OPS);

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        pin_init::pin_init_scope(move || {
            let enabled = Enabled::new(pdev)?;
            let (host, vectors) = Self::bind(pdev)?;
            let handler = Handler::<T> {
                host: NonNull::from(host.host()),
            };
            let allocation: *const pci::IrqVectorRegistration<'bound> = &*vectors;
            // SAFETY: `vectors` is boxed, and is dropped after the registration that borrows it:
            // in `Instance` by the order of its fields, and when initialisation fails because it
            // is initialised first.
            let allocation: &'bound pci::IrqVectorRegistration<'bound> = unsafe { &*allocation };
            let request = allocation.index(0)?.into();
            // SAFETY: As for `vectors`.
            let owner: &'bound Owner<'bound, T> = unsafe { &*core::ptr::from_ref(&*host) };

            Ok(try_pin_init!(Instance {
                _pdev: pdev.into(),
                host,
                _enabled: enabled,
                vectors,
                // SAFETY: `Instance` is the driver data of the device, which the driver core
                // drops when it unbinds the device; it is not forgotten.
                irq <- unsafe {
                    irq::Registration::new(request, irq::Flags::TRIGGER_NONE, T::NAME, Ok(handler))
                },
                // SAFETY: The host is boxed, and dropped after `running`: see above.
                running: unsafe { Running::new(pdev, owner)? },
            }? Error))
        })
    }

    fn shutdown<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        let host = this.host.host();
        if host.is_quiesced() {
            // The restart that a rescan may wait for will not come, since we hold the lock.
            this.shut_down();
        }
        // The disks were shut down before this, and so their caches flushed. A rescan that waits
        // for the device to be idle, too, would let commands in again.
        host.rescan().end();
        host.wait_idle();
        this.shut_down();
    }
}
