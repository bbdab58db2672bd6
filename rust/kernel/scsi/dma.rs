// SPDX-License-Identifier: GPL-2.0

//! Whether a device can do DMA: the proof without which no buffer is taken away from it.

use crate::bindings;
#[cfg(CONFIG_PCI)]
use crate::pci;
use core::marker::PhantomData;
#[cfg(CONFIG_PCI)]
use kernel::{
    device::Core,
    dma::{
        Device as _,
        DmaMask, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};
use kernel::{
    device::{
        self,
        Bound, //
    },
    prelude::*, //
};

#[cfg(CONFIG_PCI)]
use super::managed::Managed;

/// The switch for a device's DMA.
///
/// A device that may do DMA is stopped by [`Dma::stop`]. What that returns borrows the switch, so
/// that the device cannot be started again before it is gone. There is one switch for each host:
/// the driver makes it, uses it to bring the device up, and hands it to [`Registration::new`]. From
/// then on callbacks get it that may use it, one at a time and under a lock of the host. Dropping
/// it stops the device.
///
/// [`Registration::new`]: super::Registration::new
pub struct Dma<'bound> {
    dev: &'bound device::Device<Bound>,
    kind: Kind<'bound>,
}

/// What the switch is.
enum Kind<'bound> {
    /// The device does no DMA.
    None(PhantomData<&'bound ()>),
    /// The bus master bit of a PCI device.
    #[cfg(CONFIG_PCI)]
    Pci(&'bound pci::Device<Bound>),
}

/// Proof that a device does no DMA. It ends before the device can be started again.
pub struct DmaStopped<'a> {
    /// The switch; only compared.
    dma: *const (),
    _dma: PhantomData<&'a mut ()>,
}

impl<'bound> Dma<'bound> {
    /// The switch of a device that never does any DMA, as a faux device: buffers of commands cannot
    /// be mapped.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the device has a DMA mask.
    pub fn none(dev: &'bound device::Device<Bound>) -> Result<Self> {
        let raw: *const bindings::device = core::ptr::from_ref(dev).cast();
        // SAFETY: `device::Device` is a transparent wrapper of a valid `struct device`.
        if unsafe { !(*raw).dma_mask.is_null() } {
            return Err(EINVAL);
        }
        Ok(Self {
            dev,
            kind: Kind::None(PhantomData),
        })
    }

    /// The switch of a device of a test, which has a DMA mask and does no DMA.
    #[cfg(CONFIG_RUST_SCSI_KUNIT_TEST)]
    pub(super) fn fake(dev: &'bound device::Device<Bound>) -> Self {
        Self {
            dev,
            kind: Kind::None(PhantomData),
        }
    }

    /// Enables a PCI device for memory accesses, and makes the switch for its DMA, which is off.
    /// The driver core disables the device when it is unbound.
    ///
    /// `streaming` says what addresses the device reaches with the data of commands, `coherent`
    /// where memory lies that the driver allocates for it. Interrupts on the device's line are
    /// switched off: only those that are messages are handled.
    ///
    /// To be called once, at the beginning of the driver's `probe`.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the device is enabled already, and what the PCI core returns.
    #[cfg(CONFIG_PCI)]
    pub fn pci(
        pdev: &'bound pci::Device<Core<'_>>,
        streaming: DmaMask,
        coherent: DmaMask,
    ) -> Result<Self> {
        let raw: *mut bindings::pci_dev = core::ptr::from_ref(pdev).cast_mut().cast();
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`.
        let enabled = unsafe { Atomic::from_ptr(&raw mut (*raw).enable_cnt.counter) };
        if enabled.load(Relaxed) != 0 {
            dev_err!(
                pdev,
                "enabled already, by `enable` in sysfs perhaps: disable it\n"
            );
            return Err(EBUSY);
        }
        // SAFETY: The device is in a callback of the driver core, and was not enabled, so that this
        // is the first call: the driver is being probed, and nothing of it allocates or maps memory
        // for DMA at the same time.
        unsafe {
            pdev.dma_set_mask(streaming)?;
            pdev.dma_set_coherent_mask(coherent)?;
        }
        pdev.enable_device_mem()?;
        let bound: &'bound pci::Device<Bound> = pdev;
        Managed::new(bound.as_ref(), Enabled(bound))?.leave();
        let mut dma = Self {
            dev: bound.as_ref(),
            kind: Kind::Pci(bound),
        };
        // Firmware, or an earlier kernel, may have left it bus master.
        dma.stop();
        // SAFETY: As above.
        unsafe { bindings::pci_intx(raw, 0) };
        Ok(dma)
    }

    /// The device.
    pub(super) fn device(&self) -> &'bound device::Device<Bound> {
        self.dev
    }

    /// Lets the device do DMA.
    pub fn start(&mut self) {
        #[cfg(CONFIG_PCI)]
        if let Kind::Pci(pdev) = self.kind {
            // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`.
            unsafe { bindings::pci_set_master(core::ptr::from_ref(pdev).cast_mut().cast()) };
        }
    }

    /// Keeps the device from doing DMA, and waits for what it already sent.
    pub fn stop(&mut self) -> DmaStopped<'_> {
        #[cfg(CONFIG_PCI)]
        if let Kind::Pci(pdev) = self.kind {
            let raw: *mut bindings::pci_dev = core::ptr::from_ref(pdev).cast_mut().cast();
            let mut command = 0;
            // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`, and
            // `command` is valid for writes.
            unsafe {
                bindings::pci_clear_master(raw);
                // The completion of a read pushes the device's earlier writes ahead of it. A device
                // that is gone reads as all ones; it does no DMA either.
                bindings::pci_read_config_word(raw, bindings::PCI_COMMAND as i32, &mut command);
            }
        }
        DmaStopped {
            dma: core::ptr::from_ref(self).cast(),
            _dma: PhantomData,
        }
    }
}

impl Drop for Dma<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl DmaStopped<'_> {
    pub(super) fn is_of(&self, dma: *const ()) -> bool {
        core::ptr::eq(self.dma, dma)
    }
}

/// A PCI device that was enabled.
#[cfg(CONFIG_PCI)]
struct Enabled<'bound>(&'bound pci::Device<Bound>);

#[cfg(CONFIG_PCI)]
impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`, which
        // `Dma::pci` enabled.
        unsafe { bindings::pci_disable_device(core::ptr::from_ref(self.0).cast_mut().cast()) };
    }
}
