// SPDX-License-Identifier: GPL-2.0

//! Driver for the Apple RAID Card (Xserve and Mac Pro, 2006 to 2009).
//!
//! The card is a PowerPC that runs Linux, and offers its RAID volumes to the host as emulated SCSI
//! logical units. Its maker has documented nothing: `Documentation/scsi/apple_raid_hw.rst` says
//! what is known and how surely, and the driver is written so that what is not known for sure
//! cannot cost data.
//!
//! ```text
//!   life        probe, start, quiesce, stop                    here; card, regions
//!   bring-up    the handshake, and the checks before trust     bringup, selftest, trial
//!   submission  queue -> transfer, cdb -> lists -> submit      -> wire, regs
//!   completion  complete -> finish -> residual                 <- wire, regs
//!   errors      host -> tasks
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
mod residual;
mod selftest;
mod states;
mod submit;
mod tasks;
mod transfer;
mod trial;
mod wire;

use card::Card;
use kernel::{
    device::Core,
    dma::DmaMask,
    irq::IrqReturn,
    prelude::*, //
};

kernel::pci_device_table!(
    PCI_TABLE,
    <AppleRaid as scsi::pci::Driver>::IdInfo,
    [(pci::DeviceId::from_id(pci::Vendor::APPLE, 0x008a), ())]
);

pub(crate) struct AppleRaid;

/// The SCSI host of a card.
pub(crate) type Host = scsi::Host<AppleRaid>;

/// A command in the driver's hands.
pub(crate) type Cmd<'a> = scsi::Command<'a, AppleRaid>;

/// One more than the highest logical unit number (K).
pub(crate) const MAX_LUN: u64 = 64;

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
    // The card's window on host memory is 64 GiB long (P, K).
    dma_mask: DmaMask::new::<36>(),
    max_lun: MAX_LUN,
    max_cdb_len: wire::CDB_LEN as u16,
    no_write_same: true,
};

impl scsi::pci::Driver for AppleRaid {
    type IdInfo = ();

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;

    /// Finds the registers of a card, and allocates its memory, which has to lie below 4 GiB.
    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
    ) -> Result<(scsi::Limits, impl PinInit<Card<'bound>, Error>)> {
        let bar = pdev.iomap_region_sized::<{ regs::END }>(0, c"apple_raid")?;
        let regions = regions::Regions::new(pdev.as_ref())?;
        Ok((LIMITS, Card::new(pdev, bar, regions)))
    }

    /// Brings the card up and tries it.
    fn start(card: &Card<'_>, host: &Host) -> Result {
        let tried = card
            .bring_up(card.bus_master.stop())
            .and_then(|talk| selftest::run(card, talk));
        let talk = tried.inspect_err(|_| Self::stop(card, host))?;
        let identity = identity::Identity::read(&card.bar);
        dev_info!(
            card.pdev,
            "{}, firmware {:#010x}: ready for {} commands\n",
            identity.product_name(),
            identity.firmware_version,
            regions::COMMANDS
        );
        card.identity.populate(identity);
        card.open(talk);
        <Self as scsi::Operations>::accept_commands(card, host);
        Ok(())
    }

    fn quiesce<'a>(
        card: &'a Card<'_>,
        host: &Host,
        finished: scsi::Finished,
    ) -> scsi::DmaStopped<'a> {
        card.quiesce(host, finished)
    }

    /// Stops the card for good: no command is submitted, and no DMA is done, after this.
    fn stop(card: &Card<'_>, host: &Host) {
        let before = core::mem::replace(&mut *card.gate.lock(), submit::Gate::Dead);
        // While the gate is shut the registers may not be accessible.
        if !matches!(before, submit::Gate::Shut) {
            bringup::close_interrupts(&card.bar);
        }
        // No proof of DMA is refused but before the host was added: there are no commands then.
        let _ = host.complete_all(&card.quiet(), scsi::HostByte::NoConnect, drop);
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
