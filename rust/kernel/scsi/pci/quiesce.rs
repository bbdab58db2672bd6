// SPDX-License-Identifier: GPL-2.0

//! What stops a host adapter from outside: system sleep, a reset of its function, an error on the
//! bus, shutdown.
//!
//! ```text
//!   suspend     reset_prepare    error_detected    quiesce: no DMA, no interrupt; commands wait
//!      |             |                 |
//!   (asleep)      (reset)        (bus is reset)    configuration and MSI are restored: by the PCI
//!      |             |                 |           core, or by `slot_reset`
//!      |             |            slot_reset       `Operations::eh_host_reset`, here or below
//!      |             |                 |
//!   resume      reset_done          resume         `Operations::accept_commands`
//! ```
//!
//! If one happens during another, the last to end restarts the device. Resets of the midlayer wait
//! in between; a device that is not accessible is not asked for finished commands. What it seems to
//! have finished before an error is tried again: memory may not hold what it wrote.
//!
//! The PCI core holds the lock of the device during each callback. Between those of an error it
//! does not, so that the driver may be unbound, or the system be shut down. An error of which the
//! bus does not recover ends with a last `error_detected`, of a permanent failure.

use crate::pci;
#[cfg(out_of_tree)]
use crate::pci::DeviceExt as _;
use kernel::{
    device::Core,
    prelude::*, //
};

use super::{
    super::resets::Reason,
    Adapter,
    Driver,
    Instance, //
};

impl<T: Driver> Instance<'_, T> {
    fn quiesce(&self, reason: Reason) {
        let host = self.host.host();
        // SAFETY: The device is bound as long as there is an `Instance`.
        let data = unsafe { host.data() };
        host.quiesce(reason, |finished| T::quiesce(data, host, finished));
        self.irq.synchronize();
    }

    fn restart(&self, reason: Reason) -> Result {
        self.host.host().restart(reason)
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
        this.quiesce(Reason::Sleep);
        Ok(())
    }

    fn resume<'bound>(
        _pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result {
        this.restart(Reason::Sleep)
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
                this.quiesce(Reason::Error);
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
        // It was saved when the device was enabled, if not later.
        pdev.restore_state();
        match this.host.host().bring_up(Reason::Error) {
            Ok(()) => pci::ErsResult::Recovered,
            Err(_) => pci::ErsResult::Disconnect,
        }
    }

    fn resume<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        // It was brought up before this, if there is no other reason to wait.
        let _ = this.restart(Reason::Error);
    }

    fn reset_prepare<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        this.quiesce(Reason::FunctionReset);
    }

    fn reset_done<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        // The driver says so if the device did not come back; there is nobody else to tell.
        let _ = this.restart(Reason::FunctionReset);
    }
}
