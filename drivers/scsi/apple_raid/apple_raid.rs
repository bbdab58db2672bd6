// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! The card is a PowerPC that runs Linux, and offers its RAID volumes to the host as emulated SCSI
//! logical units. Its maker has documented nothing: `Documentation/scsi/apple_raid_hw.rst` says
//! what is known and how surely, and the driver is written so that what is not known for sure
//! cannot cost data.
//!
//! ```text
//!   probe       the memory that card and host share            regions, bounce
//!   start       the handshake, and the checks before trust     bringup, selftest, trial
//!   submission  queue -> transfer, cdb -> lists -> submit      -> wire, regs
//!   completion  complete -> finish -> residual                 <- wire, regs
//!   errors      recover -> tasks
//! ```
//!
//! [`card`] holds the parts together. What counts blocks needs [`blocks`]; what sysfs shows is in
//! [`identity`].

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
mod card;
mod cdb;
mod complete;
mod finish;
mod identity;
#[cfg(CONFIG_SCSI_APPLE_RAID_KUNIT_TEST)]
mod kunit;
mod lists;
mod queue;
mod recover;
mod regions;
mod regs;
mod residual;
mod selftest;
mod states;
mod submit;
mod tasks;
mod transfer;
mod trial;
mod wire;

use crate::{
    bounce::Pool,
    card::Card,
    queue::Journey,
    regions::{
        Regions,
        COMMANDS, //
    },
    scsi::{
        HostAttributes,
        Limits,
        Victim, //
    }, //
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

/// The SCSI host of a card.
pub(crate) type Host = scsi::Host<AppleRaid>;

/// What a card needs; its memory has to lie below 4 GiB.
pub(crate) struct Found<'bound> {
    bar: regs::Bar0<'bound>,
    regions: Regions,
    bounce: Pool,
}

/// The card's window on host memory is 64 GiB long (P, K).
const DMA_MASK: DmaMask = DmaMask::new::<36>();

/// One more than the highest logical unit number (K).
pub(crate) const MAX_LUN: u64 = 64;

const LIMITS: Limits = Limits {
    can_queue: COMMANDS,
    cmd_per_lun: COMMANDS,
    // One more than macOS's (K): 1 MiB that begins within a page. With the tail they fit a tag's
    // list.
    sg_tablesize: 257,
    max_segment_size: wire::MAX_ENTRY_LEN,
    // 1 MiB, as macOS (K).
    max_sectors: 2048,
    dma_alignment: wire::UNIT - 1,
    dma_mask: DMA_MASK,
    max_lun: MAX_LUN,
    max_cdb_len: wire::CDB_LEN as u16,
    no_write_same: true,
};

#[vtable]
impl scsi::Operations for AppleRaid {
    type Data<'bound> = Card<'bound>;
    type CommandData = Journey;

    const NAME: &'static CStr = c"apple_raid";
    const HOST_ATTRIBUTES: HostAttributes<Self> = identity::ATTRIBUTES;
    const TRACK_QUEUE_DEPTH: bool = true;

    fn queue_command<'a>(
        card: &Card<'_>,
        host: &'a Host,
        cmd: scsi::Command<'a, Self>,
        is_last: bool,
    ) -> Result<(), scsi::Busy<'a, Self>> {
        queue::queue_command(card, host, cmd, is_last)
    }

    fn commit_rqs(card: &Card<'_>, _host: &Host) {
        queue::commit(card);
    }

    fn sdev_init(card: &Card<'_>, lun: u64) {
        card.blocks.forget(lun);
    }

    fn eh_timed_out(card: &Card<'_>, host: &Host) {
        card.eh_timed_out(host);
    }

    fn eh_abort(card: &Card<'_>, host: &Host, victim: Victim<'_, Self>) -> Result {
        card.eh_abort(host, victim)
    }

    fn eh_device_reset(card: &Card<'_>, host: &Host, lun: u64) -> Result {
        card.eh_device_reset(host, lun)
    }

    fn eh_host_reset(card: &Card<'_>, host: &Host) -> Result {
        card.eh_host_reset(host)
    }

    fn accept_commands(card: &Card<'_>, host: &Host) {
        card.accept_commands(host);
    }
}

impl scsi::pci::Driver for AppleRaid {
    type IdInfo = ();
    type Found<'bound> = KBox<Found<'bound>>;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;

    fn probe<'bound>(pdev: &'bound pci::Device<Core<'_>>) -> Result<(Limits, Self::Found<'bound>)> {
        let found = Found {
            bar: pdev.iomap_region_sized::<{ regs::END }>(0, c"apple_raid")?,
            regions: Regions::new(pdev.as_ref())?,
            bounce: Pool::new(pdev.as_ref())?,
        };
        Ok((LIMITS, KBox::new(found, GFP_KERNEL)?))
    }

    fn init<'bound>(
        pdev: &'bound pci::Device<Bound>,
        found: Self::Found<'bound>,
    ) -> impl PinInit<Card<'bound>, Error> {
        Card::new(pdev, KBox::into_inner(found))
    }

    fn data_mask(_card: &Card<'_>) -> DmaMask {
        DMA_MASK
    }

    fn start(card: &Card<'_>, host: &Host) -> Result {
        card.start(host)
    }

    fn quiesce<'a>(
        card: &'a Card<'_>,
        host: &Host,
        finished: scsi::Finished,
    ) -> scsi::DmaStopped<'a> {
        card.quiesce(host, finished)
    }

    fn stop(card: &Card<'_>, host: &Host) {
        card.stop(host);
    }

    fn interrupt(card: &Card<'_>, host: &Host) -> IrqReturn {
        complete::look(card, host);
        IrqReturn::Handled
    }
}

module_pci_driver! {
    type: scsi::pci::Adapter<AppleRaid>,
    name: "apple_raid",
    authors: ["The apple-raid developers"],
    description: "Apple RAID Card",
    license: "GPL",
}
