// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! The card is a PowerPC that runs Linux, and offers its RAID volumes to the host as emulated SCSI
//! logical units. Nobody outside has its documentation: `Documentation/scsi/apple_raid_hw.rst`
//! says what is known and how surely, and the driver is written so that what is not known for sure
//! cannot cost data.
//!
//! Before it is trusted, a card is tried ([`learn`]); what it was found to be is its [`model`].
//! How it names logical units may be found out later ([`naming`]).
//!
//! The way of a command: [`submission`] decides how its data travels ([`transfer`], [`cdb`],
//! [`bounce`]), writes it into the slot of its tag ([`wire`], [`regions`]) and rings the doorbell
//! ([`bringup`], [`regs`]). What counts blocks needs [`blocks`]. An interrupt takes it back through
//! [`completion`]. [`hba`] holds the parts together.

#[cfg(out_of_tree)]
include!("../../../rust/out_of_tree.rs");
#[cfg(not(out_of_tree))]
use kernel::module_pci_driver;
#[cfg(not(out_of_tree))]
use kernel::pci;
#[cfg(not(out_of_tree))]
use kernel::scsi;

mod blocks;
mod bounce;
mod bringup;
mod cdb;
mod completion;
mod debugfs;
mod hba;
#[cfg(CONFIG_SCSI_APPLE_RAID_KUNIT_TEST)]
mod kunit;
mod learn;
mod model;
mod naming;
mod regions;
mod regs;
mod submission;
mod transfer;
mod wire;

use crate::{
    bounce::Pool,
    bringup::Capabilities,
    hba::Hba,
    model::CardModel,
    regions::Regions,
    scsi::Limits,
    submission::Journey,
    transfer::BOUNDARY, //
};
use kernel::{
    device::{
        Bound,
        Core, //
    },
    dma::DmaMask,
    irq::IrqReturn,
    prelude::*, //
};

kernel::pci_device_table!(
    PCI_TABLE,
    <AppleRaid as scsi::pci::Driver>::IdInfo,
    [(pci::DeviceId::from_id(pci::Vendor::APPLE, 0x008a), ())]
);

/// The driver.
pub(crate) struct AppleRaid;

/// A card that was found, and the memory that has to lie below 4 GiB for it.
pub(crate) struct Found<'bound> {
    bar: regs::Bar0<'bound>,
    capabilities: Capabilities,
    regions: Regions,
    bounce: Pool,
    trial: KBox<learn::Memory>,
}

/// Longest transfer, in 512-byte sectors: 1 MiB, which fits a list in single pages.
const MAX_SECTORS: u32 = 2048;

/// The card's window on host memory is 64 GiB long (P).
const DMA_MASK: DmaMask = DmaMask::new::<36>();

/// One more than the highest logical unit number.
const MAX_LUN: u64 = 256;

fn limits(tags: u16) -> Limits {
    Limits {
        can_queue: tags,
        cmd_per_lun: tags.min(64),
        sg_tablesize: CardModel::MAX_SEGMENTS,
        max_segment_size: CardModel::MAX_SEGMENT_SIZE,
        max_sectors: MAX_SECTORS,
        // What is not aligned so, the block layer copies: see `transfer.rs`.
        dma_alignment: BOUNDARY - 1,
        dma_mask: DMA_MASK,
        max_lun: MAX_LUN,
        max_cdb_len: wire::CDB_LEN as u16,
    }
}

#[vtable]
impl scsi::Operations for AppleRaid {
    type Data<'bound> = Hba<'bound>;
    type CommandData = Journey;

    const NAME: &'static CStr = c"apple_raid";

    fn queue_command<'a>(
        hba: &Hba<'_>,
        host: &'a scsi::Host<Self>,
        cmd: scsi::Command<'a, Self>,
    ) -> Result<(), scsi::Busy<'a, Self>> {
        submission::queue_command(hba, host, cmd)
    }

    fn unit_found(hba: &Hba<'_>, lun: u64) {
        hba.blocks.forget(lun);
    }

    fn poll(hba: &Hba<'_>, host: &scsi::Host<Self>) {
        completion::poll(hba, host);
    }

    fn host_reset(hba: &Hba<'_>, host: &scsi::Host<Self>) -> Result {
        hba.restart(host)
    }

    fn accept_commands(hba: &Hba<'_>, _host: &scsi::Host<Self>) {
        hba.accept_commands();
    }

    fn wants_reset(hba: &Hba<'_>) -> bool {
        hba.naming.is_wanted()
    }
}

impl scsi::pci::Driver for AppleRaid {
    type IdInfo = ();
    type Found<'bound> = KBox<Found<'bound>>;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;

    fn probe<'bound>(pdev: &'bound pci::Device<Core<'_>>) -> Result<(Limits, Self::Found<'bound>)> {
        let bar = pdev.iomap_region_sized::<{ regs::END }>(0, c"apple_raid")?;
        let capabilities = Capabilities::discover(&bar, || pdev.set_master());
        let tags = capabilities.tags().inspect_err(|_| {
            dev_err!(
                pdev,
                "the card says that it takes {:#x} SCSI commands of {:#x}{}: not supported\n",
                capabilities.scsi_commands,
                capabilities.commands,
                if capabilities.are_swapped() {
                    ", with the bytes the wrong way round"
                } else {
                    ""
                }
            );
        })?;
        let found = Found {
            bar,
            capabilities,
            regions: Regions::new(pdev.as_ref(), tags)?,
            bounce: Pool::new(pdev.as_ref(), CardModel::LEAST_MARGIN)?,
            trial: KBox::new(learn::Memory::new(pdev.as_ref(), tags)?, GFP_KERNEL)?,
        };
        Ok((limits(tags), KBox::new(found, GFP_KERNEL)?))
    }

    fn init<'bound>(
        pdev: &'bound pci::Device<Bound>,
        found: Self::Found<'bound>,
    ) -> impl PinInit<Hba<'bound>, Error> {
        Hba::new(pdev, found)
    }

    fn data_mask(hba: &Hba<'_>) -> DmaMask {
        hba.data_mask()
    }

    fn start(hba: &Hba<'_>, host: &scsi::Host<Self>) -> Result {
        hba.start(host)
    }

    fn quiesce<'a>(
        hba: &'a Hba<'_>,
        host: &scsi::Host<Self>,
        finished: scsi::Finished,
    ) -> scsi::DmaStopped<'a> {
        hba.quiesce(host, finished)
    }

    fn stop(hba: &Hba<'_>, host: &scsi::Host<Self>) {
        hba.stop(host);
    }

    fn interrupt(hba: &Hba<'_>, host: &scsi::Host<Self>) -> IrqReturn {
        completion::interrupt(hba, host)
    }
}

module_pci_driver! {
    type: scsi::pci::Adapter<AppleRaid>,
    name: "apple_raid",
    authors: ["The apple-raid developers"],
    description: "Apple RAID Card",
    license: "GPL",
    params: {
        verbose_checks: bool {
            default: false,
            description: "Log what each check of the card has found",
        },
    },
}
