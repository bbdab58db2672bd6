// SPDX-License-Identifier: GPL-2.0

//! What the PCI core asks of an adapter that is bound: system sleep, a reset of its function, the
//! recovery from an error on the bus. `scsi/pci.rs` has the story.

use crate::{
    pci,
    scsi::Reason,
    Bound, //
    Pvscsi,
};
use kernel::{
    device::Core,
    prelude::*, //
};

impl pci::PowerManagement for Pvscsi {
    fn suspend<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Bound<'bound>>) -> Result {
        this.scsi.host().quiesce(Reason::Sleep);
        Ok(())
    }

    fn resume<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Bound<'bound>>) -> Result {
        this.scsi.host().restart(Reason::Sleep)
    }
}

#[vtable]
impl pci::ErrorHandlers for Pvscsi {
    fn error_detected<'bound>(
        _pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Bound<'bound>>,
        state: pci::ChannelState,
    ) -> pci::ErsResult {
        this.scsi.error_detected(state)
    }

    fn slot_reset<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        this: Pin<&Bound<'bound>>,
    ) -> pci::ErsResult {
        this.scsi.slot_reset(pdev)
    }

    fn resume<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Bound<'bound>>) {
        // It was brought up before this, if there is no other reason to wait.
        let _ = this.scsi.host().restart(Reason::BusError);
    }

    fn reset_prepare<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Bound<'bound>>) {
        this.scsi.host().quiesce(Reason::FunctionReset);
    }

    fn reset_done<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Bound<'bound>>) {
        // The driver says so if the device did not come back; there is nobody else to tell.
        let _ = this.scsi.host().restart(Reason::FunctionReset);
    }
}
