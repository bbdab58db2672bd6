// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! The card is a PowerPC that runs Linux, and offers its RAID volumes to the host as emulated SCSI
//! logical units. Its maker has documented nothing: `Documentation/scsi/apple_raid_hw.rst` says
//! what is known and how surely, and the driver is written so that what is not known for sure
//! cannot cost data.
//!
//! ```text
//!   life        probe, and what the PCI core asks for          here; card, regions
//!   bring-up    the handshake, and the checks before trust     bringup, selftest, trial
//!   submission  queue -> transfer, cdb -> lists -> submit      -> wire, regs
//!   completion  complete -> finish -> residual                 <- wire, regs
//!   errors      host -> tasks
//!   changes     rescan -> unit
//! ```
//!
//! [`card`] holds the parts together; [`host`] is what the midlayer calls. What counts blocks needs
//! [`blocks`]; what sysfs shows is in [`identity`].

#[cfg(out_of_tree)]
include!("../../../rust/out_of_tree.rs");
#[cfg(not(out_of_tree))]
use kernel::module_pci_driver;
#[cfg(not(out_of_tree))]
use kernel::pci;
#[cfg(not(out_of_tree))]
use kernel::scsi;

mod blocks;
mod bringup;
mod callbacks;
mod card;
mod cdb;
mod complete;
mod finish;
mod host;
mod identity;
#[cfg(CONFIG_SCSI_APPLE_RAID_KUNIT_TEST)]
mod kunit;
mod lists;
mod queue;
mod regions;
mod regs;
mod rescan;
mod residual;
mod selftest;
mod states;
mod submit;
mod tasks;
mod transfer;
mod trial;
mod unit;
mod wire;

use card::Card;
use kernel::{
    device::{
        self,
        Core, //
    },
    dma::DmaMask,
    irq::IrqReturn,
    prelude::*, //
};
#[cfg(out_of_tree)]
use pci::DeviceExt as _;

kernel::pci_device_table!(
    PCI_TABLE,
    <AppleRaid as pci::Driver>::IdInfo,
    [(pci::DeviceId::from_id(pci::Vendor::APPLE, 0x008a), ())]
);

pub(crate) struct AppleRaid;

/// The SCSI host of a card.
pub(crate) type Host = scsi::Host<AppleRaid>;

/// A logical unit of a card.
pub(crate) type Device = scsi::Device<AppleRaid>;

/// A command in the driver's hands.
pub(crate) type Cmd<'a> = scsi::Command<'a, AppleRaid>;

/// A command with which the card is done.
pub(crate) type Taken<'a> = scsi::Taken<'a, AppleRaid>;

/// One more than the highest logical unit number (K).
pub(crate) const MAX_LUN: u64 = 64;

/// The card's window on host memory is 64 GiB long (P, K).
const DMA_MASK: DmaMask = DmaMask::new::<36>();

const LIMITS: scsi::Limits = scsi::Limits {
    can_queue: regions::COMMANDS,
    cmd_per_lun: regions::COMMANDS,
    // One more than macOS's (K): 1 MiB that begins within a page. With the tail and the
    // sink they fit a tag's list.
    sg_tablesize: 257,
    max_segment_size: wire::MAX_ENTRY_LEN,
    // 1 MiB, as macOS (K).
    max_sectors: 2048,
    dma_alignment: wire::UNIT - 1,
    max_lun: MAX_LUN,
    max_cdb_len: wire::CDB_LEN as u16,
    no_write_same: true,
    ..scsi::Limits::DEFAULT
};

/// What there is of a card that is bound. The fields are dropped in this order.
pub(crate) struct Bound<'bound> {
    scsi: scsi::Registration<'bound, AppleRaid>,
    _interrupts: scsi::pci::Interrupts<'bound, AppleRaid>,
}

impl pci::Driver for AppleRaid {
    type IdInfo = ();
    type Data<'bound> = Bound<'bound>;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;
    // A card may take long to come up, and the boot need not wait for it.
    const PROBE_ASYNC: bool = true;
    const PM_OPS: Option<&'static pci::PmOps<Self>> = Some(pci::PmOps::OPS);
    const ERROR_HANDLERS: Option<&'static pci::ErrorHandlerOps<Self>> =
        Some(pci::ErrorHandlerOps::OPS);

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        // The card's regions lie below 4 GiB, as macOS's do (O, K).
        let dma = scsi::Dma::pci(pdev, DMA_MASK, DmaMask::new::<32>())?;
        // For `slot_reset`.
        pdev.save_state()?;
        let host = Host::new(&LIMITS)?;
        let msi = pci::IrqTypes::default().with(pci::IrqType::Msi);
        let interrupts = scsi::pci::Interrupts::request(pdev, &host, 1, msi, interrupt)
            .inspect_err(|error| {
                dev_err!(
                    pdev,
                    "no MSI vector to be had ({:?}), and no other interrupt is supported\n",
                    error
                );
            })?;
        let bound: &'bound pci::Device<device::Bound> = pdev;
        let scsi =
            scsi::Registration::new(&host, bound, dma, new_card, |card, dma| card.start(dma))?;
        // The card may have changed its state while nobody looked.
        host.with_device(|card| card.look_at_state(&host));
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

fn new_card(pdev: &pci::Device<device::Bound>) -> Result<Pin<KBox<Card<'_>>>> {
    let bar = pdev.iomap_region_sized::<{ regs::END }>(0, c"apple_raid")?;
    let regions = regions::Regions::new(pdev.as_ref())?;
    KBox::pin_init(Card::new(pdev, bar, regions), GFP_KERNEL)
}

fn interrupt(card: &Card<'_>, host: &Host, _vector: usize) -> IrqReturn {
    if complete::look(card, host) {
        IrqReturn::Handled
    } else {
        IrqReturn::None
    }
}

module_pci_driver! {
    type: AppleRaid,
    name: "apple_raid",
    authors: ["The apple-raid developers"],
    description: "Apple RAID Card",
    license: "GPL",
}
