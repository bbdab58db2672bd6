// SPDX-License-Identifier: GPL-2.0

//! One card: its registers, its memory, and the way to submit commands.
//!
//! What protects what: the registers and regions are shared by nature, and each tag's part of a
//! region belongs to whoever owns the tag's command. The one lock, `doorbell`, makes a pair of the
//! two writes that submit a command, and decides whether commands can be submitted at all. It is
//! taken with interrupts disabled, because the block layer submits from soft interrupts too; the
//! interrupt handler does not take it.

use crate::{
    bounce::Pool,
    bringup::{
        self,
        Capabilities,
        Doorbell, //
    },
    completion,
    model::CardModel,
    regions::Regions,
    regs::Bar0,
    scsi::{
        self,
        pci::BusMaster,
        Command,
        DmaStopped,
        InFlight, //
    },
    submission::Journey,
    AppleRaid, //
};
use kernel::{
    device::Bound,
    new_spinlock_irq,
    pci,
    prelude::*,
    sync::SpinLockIrq, //
};

/// A card.
#[pin_data]
pub(crate) struct Hba<'bound> {
    pub(crate) pdev: &'bound pci::Device<Bound>,
    pub(crate) bar: Bar0<'bound>,
    pub(crate) model: CardModel,
    pub(crate) regions: Regions,
    pub(crate) bounce: Pool,
    /// `None` while the card is not ready.
    #[pin]
    pub(crate) doorbell: SpinLockIrq<Option<Doorbell>>,
    capabilities: Capabilities,
    bus_master: BusMaster<'bound>,
}

impl<'bound> Hba<'bound> {
    /// Allocates what a card needs. The card is not touched.
    pub(crate) fn new(
        pdev: &'bound pci::Device<Bound>,
        bar: Bar0<'bound>,
        capabilities: Capabilities,
    ) -> impl PinInit<Self, Error> + 'bound {
        pin_init::pin_init_scope(move || {
            let model = CardModel::REFERENCE;
            let regions = Regions::new(pdev.as_ref(), model, capabilities.tags()?)?;
            let bounce = Pool::new(pdev.as_ref())?;
            Ok(try_pin_init!(Self {
                pdev,
                bar,
                model,
                regions,
                bounce,
                doorbell <- new_spinlock_irq!(None),
                capabilities,
                bus_master: BusMaster::new(pdev),
            }? Error))
        })
    }

    /// Brings the card up.
    pub(crate) fn start(&self) -> Result {
        self.bus_master.start();
        match bringup::bring_up(self.pdev, &self.bar, &self.regions) {
            Ok(doorbell) => {
                *self.doorbell.lock() = Some(doorbell);
                dev_info!(
                    self.pdev,
                    "Apple RAID Card ready: {} commands\n",
                    self.regions.tags()
                );
                Ok(())
            }
            Err(error) => {
                self.stop();
                Err(error)
            }
        }
    }

    /// Stops the card: no command is submitted, and no DMA is done, after this.
    pub(crate) fn stop(&self) -> DmaStopped<'_> {
        *self.doorbell.lock() = None;
        self.bus_master.stop()
    }

    /// Restarts the card by the handshake. Only when that has ended, well or not, are the buffers
    /// of the commands in flight handed back.
    pub(crate) fn restart(&self, host: &scsi::Host<AppleRaid>) -> Result {
        dev_warn!(self.pdev, "restarting the card\n");
        let stopped = self.stop();
        let found = Capabilities::read(&self.bar);
        if found != self.capabilities {
            dev_err!(
                self.pdev,
                "the card has changed, or is gone: it offers {:#x}/{:#x} commands now\n",
                found.scsi_commands,
                found.commands
            );
            self.surrender(host.in_flight(), &stopped);
            return Err(ENODEV);
        }
        self.bus_master.start();
        match bringup::bring_up(self.pdev, &self.bar, &self.regions) {
            Ok(doorbell) => {
                // The handshake made the card forget the commands that it had.
                self.surrender(host.in_flight(), &stopped);
                *self.doorbell.lock() = Some(doorbell);
                completion::acknowledge(self, host);
                dev_info!(self.pdev, "the card is back\n");
                Ok(())
            }
            Err(error) => {
                self.surrender(host.in_flight(), &self.stop());
                Err(error)
            }
        }
    }

    fn surrender(&self, in_flight: &InFlight<AppleRaid>, stopped: &DmaStopped<'_>) {
        in_flight.surrender(stopped, |journey| self.discard(journey));
    }

    /// The data of a command has arrived: completes its journey.
    pub(crate) fn arrive(&self, cmd: &Command<'_, AppleRaid>, journey: Journey) -> Result {
        let arrived = match &journey {
            Journey::BounceIn(lease, _) => self.bounce.drain(lease, cmd),
            _ => Ok(()),
        };
        self.discard(journey);
        arrived
    }

    /// Gives back what a journey holds.
    pub(crate) fn discard(&self, journey: Journey) {
        match journey {
            Journey::BounceIn(lease, _) | Journey::BounceOut(lease, _) => {
                self.bounce.give_back(lease)
            }
            Journey::Straight { .. } => {}
        }
    }
}
