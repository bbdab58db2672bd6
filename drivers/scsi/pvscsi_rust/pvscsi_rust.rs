// SPDX-License-Identifier: GPL-2.0

//! Driver for the paravirtual SCSI host adapter of VMware (PVSCSI), which QEMU emulates as well.
//!
//! The interface is described by `drivers/scsi/vmw_pvscsi.h`: "the header" in what follows. Host
//! and device share rings in the host's memory. The host writes a request descriptor, moves an
//! index in a page that both know, and kicks the device by a register; the device writes a
//! completion descriptor, moves another index, and interrupts. All else is asked for by commands
//! that are written to registers, word by word.
//!
//! ```text
//!   life         probe, and what the PCI core asks for    here; callbacks, adapter
//!   submission   host -> queue                            -> rings, wire
//!   completion   complete                                 <- rings, wire
//!   errors       host -> adapter                          -> regs
//!   changes      messages                                 <- rings, wire
//! ```
//!
//! All that the device says is untrusted: indices, contexts, lengths, statuses.

#[cfg(out_of_tree)]
include!("../../../rust/out_of_tree.rs");
#[cfg(not(out_of_tree))]
use kernel::module_pci_driver;
#[cfg(not(out_of_tree))]
use kernel::pci;
#[cfg(not(out_of_tree))]
use kernel::scsi;

mod adapter;
mod callbacks;
mod complete;
mod host;
mod messages;
mod queue;
mod regs;
mod rings;
mod wire;

use adapter::Adapter;
use kernel::{
    device::{
        self,
        Core, //
    },
    dma::DmaMask,
    irq::IrqReturn,
    page::PAGE_SIZE,
    prelude::*, //
};
#[cfg(out_of_tree)]
use pci::DeviceExt as _;

kernel::pci_device_table!(
    PCI_TABLE,
    <Pvscsi as pci::Driver>::IdInfo,
    [(pci::DeviceId::from_id(pci::Vendor::VMWARE, 0x07c0), ())]
);

pub(crate) struct Pvscsi;

/// The SCSI host of an adapter.
pub(crate) type Host = scsi::Host<Pvscsi>;

/// A command in the driver's hands.
pub(crate) type Cmd<'a> = scsi::Command<'a, Pvscsi>;

const LIMITS: scsi::Limits = scsi::Limits {
    can_queue: rings::COMMANDS,
    cmd_per_lun: rings::COMMANDS,
    sg_tablesize: rings::LIST_LEN as u16,
    // As long as what is scattered page by page, and begins within a page, still fits.
    max_sectors: ((rings::LIST_LEN - 1) * PAGE_SIZE / 512) as u32,
    // QEMU has so many targets; the header does not say how many there can be.
    max_id: 64,
    ..scsi::Limits::DEFAULT
};

/// What there is of an adapter that is bound. The fields are dropped in this order.
pub(crate) struct Bound<'bound> {
    scsi: scsi::Registration<'bound, Pvscsi>,
    _interrupts: scsi::pci::Interrupts<'bound, Pvscsi>,
}

impl pci::Driver for Pvscsi {
    type IdInfo = ();
    type Data<'bound> = Bound<'bound>;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;
    const PM_OPS: Option<&'static pci::PmOps<Self>> = Some(pci::PmOps::OPS);
    const ERROR_HANDLERS: Option<&'static pci::ErrorHandlerOps<Self>> =
        Some(pci::ErrorHandlerOps::OPS);

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        let dma = scsi::Dma::pci(pdev, DmaMask::new::<64>(), DmaMask::new::<64>())?;
        // For `slot_reset`.
        pdev.save_state()?;
        let host = Host::new(&LIMITS)?;
        let types = pci::IrqTypes::default()
            .with(pci::IrqType::Msi)
            .with(pci::IrqType::MsiX);
        let interrupts = scsi::pci::Interrupts::request(pdev, &host, 1, types, interrupt)?;
        let bound: &'bound pci::Device<device::Bound> = pdev;
        let scsi = scsi::Registration::new(&host, bound, dma, new_adapter, |adapter, dma| {
            adapter.start(dma)
        })?;
        scsi.scan();
        Ok(Bound {
            scsi,
            _interrupts: interrupts,
        })
    }

    fn shutdown<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        this.scsi.host().shut_down();
    }
}

fn new_adapter(pdev: &pci::Device<device::Bound>) -> Result<Pin<KBox<Adapter<'_>>>> {
    let bar = regs::map(pdev)?;
    let rings = rings::Rings::new(pdev.as_ref())?;
    KBox::pin_init(Adapter::new(pdev, bar, rings), GFP_KERNEL)
}

fn interrupt(adapter: &Adapter<'_>, host: &Host, _vector: usize) -> IrqReturn {
    let has_completed = complete::look(adapter, host);
    if messages::look(adapter, host) || has_completed {
        IrqReturn::Handled
    } else {
        IrqReturn::None
    }
}

module_pci_driver! {
    type: Pvscsi,
    name: "pvscsi_rust",
    authors: ["The apple-raid developers"],
    description: "VMware PVSCSI",
    license: "GPL",
}
