// SPDX-License-Identifier: GPL-2.0

//! What stops a host adapter from outside: system sleep, a reset of its function, an error on the
//! bus, shutdown.
//!
//! ```text
//!   suspend        error_detected   reset_prepare    quiesce: no DMA, no interrupt; commands wait
//!      │                 │               │
//!   (asleep)          (slot reset)    (reset)        the PCI core restores configuration and MSI
//!      │                 │               │
//!   resume          slot_reset       reset_done      restart: `Operations::host_reset`
//! ```
//!
//! Resets of the midlayer wait in between; a device that is not accessible is not asked for
//! finished commands. The PCI core holds the lock of the device during each callback. Between those
//! of an error it does not, so that the driver may be unbound, or the system be shut down.

use crate::{
    bindings,
    pci, //
};
use kernel::{
    device::Core,
    prelude::*, //
};

use super::{
    Adapter,
    Driver,
    Instance, //
};

impl<T: Driver> Instance<'_, T> {
    fn quiesce(&self) {
        let host = self.host.host();
        // SAFETY: The device is bound as long as there is an `Instance`.
        let data = unsafe { host.data() };
        host.quiesce(|| T::quiesce(data, host));
        self.irq.synchronize();
    }

    fn restart(&self) -> Result {
        self.host.host().restart()
    }

    /// Stops the device for good.
    pub(super) fn shut_down(&self) {
        let host = self.host.host();
        // SAFETY: The device is bound as long as there is an `Instance`.
        let data = unsafe { host.data() };
        host.shut_down(|| T::stop(data, host));
        self.irq.synchronize();
    }
}

impl<T: Driver> pci::PowerManagement for Adapter<T> {
    fn suspend<'bound>(
        _pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result {
        this.quiesce();
        Ok(())
    }

    fn resume<'bound>(
        _pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result {
        this.restart()
    }
}

#[vtable]
impl<T: Driver> pci::ErrorHandlers for Adapter<T> {
    type OwnerModule = T::OwnerModule;

    fn error_detected<'bound>(
        _pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
        state: pci::ChannelState,
    ) -> pci::ErsResult {
        match state {
            // What was lost is not known, even if the device can be accessed.
            pci::ChannelState::Normal | pci::ChannelState::Frozen => {
                this.quiesce();
                pci::ErsResult::NeedReset
            }
            pci::ChannelState::PermanentFailure => {
                this.shut_down();
                pci::ErsResult::Disconnect
            }
        }
    }

    fn slot_reset<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> pci::ErsResult {
        // SAFETY: `pci::Device` is a transparent wrapper of a valid `struct pci_dev`, whose state
        // was saved when it was enabled.
        unsafe { bindings::pci_restore_state(core::ptr::from_ref(pdev).cast_mut().cast()) };
        match this.restart() {
            Ok(()) => pci::ErsResult::Recovered,
            Err(_) => pci::ErsResult::Disconnect,
        }
    }

    fn reset_prepare<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        this.quiesce();
    }

    fn reset_done<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        // The driver says so if the device did not come back; there is nobody else to tell.
        let _ = this.restart();
    }
}
