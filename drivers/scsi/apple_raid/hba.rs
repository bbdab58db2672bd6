// SPDX-License-Identifier: GPL-2.0

//! One card: its registers, its memory, and the way to submit commands.
//!
//! What protects what: the registers and regions are shared by nature, and each tag's part of a
//! region belongs to whoever owns the tag's command. Two locks, both taken with interrupts
//! disabled:
//!
//! - `gate`, once for each command: makes a pair of the two writes that submit it, and decides
//!   whether commands can be submitted at all. The block layer submits from soft interrupts too.
//! - `completing`, once for each interrupt: from the look at a response to the end of the command
//!   nobody else may look, or the response of an old command could be taken for that of a new one
//!   with its tag. Its value says whether anybody may: not during a restart, when data may have
//!   been lost while bus mastering was off.

use crate::{
    blocks::{
        self,
        BlockLengths, //
    },
    bounce::Pool,
    bringup::{
        self,
        Capabilities,
        Doorbell, //
    },
    completion,
    debugfs,
    learn,
    model::CardModel,
    naming::Naming,
    regions::Regions,
    regs::Bar0,
    scsi::{
        self,
        pci::BusMaster,
        Command,
        DmaStopped,
        Finished, //
    },
    submission::Journey,
    transfer::Way,
    wire,
    AppleRaid,
    Found, //
};
use kernel::{
    device::Bound,
    dma::DmaMask,
    io::poll::read_poll_timeout,
    new_mutex,
    new_spinlock_irq,
    pci,
    prelude::*,
    sync::{
        Arc,
        Mutex,
        SpinLockIrq, //
    }, //
};

/// Whether commands can be submitted.
pub(crate) enum Gate {
    /// The card is not ready yet, or is being restarted: commands wait in the midlayer.
    Shut,
    /// The card is ready, but commands still wait.
    Ready(Doorbell),
    /// The card is ready.
    Open(Doorbell),
    /// The card did not come back: there is nothing to wait for.
    Dead,
}

/// A card.
#[pin_data]
pub(crate) struct Hba<'bound> {
    pub(crate) pdev: &'bound pci::Device<Bound>,
    pub(crate) bar: Bar0<'bound>,
    /// What the card was found to be.
    model: CardModel,
    pub(crate) naming: Arc<Naming>,
    /// Of the last trial, as long as the card may have it in mind; and of the next, as long as it
    /// is not known how the card names logical units. It is not allocated in a restart, when memory
    /// may depend on this card's disks.
    #[pin]
    trial: Mutex<Option<KBox<learn::Memory>>>,
    pub(crate) regions: Regions,
    pub(crate) bounce: Pool,
    pub(crate) blocks: BlockLengths,
    #[pin]
    pub(crate) gate: SpinLockIrq<Gate>,
    #[pin]
    pub(crate) completing: SpinLockIrq<bool>,
    capabilities: Capabilities,
    bus_master: BusMaster<'bound>,
    _shown: Option<debugfs::Shown>,
}

impl<'bound> Hba<'bound> {
    /// Finds out what the card is, in a conversation of its own that ends before this returns, and
    /// allocates what such a card needs.
    pub(crate) fn new(
        pdev: &'bound pci::Device<Bound>,
        mut found: KBox<Found<'bound>>,
    ) -> impl PinInit<Self, Error> + 'bound {
        pin_init::pin_init_scope(move || {
            let bus_master = BusMaster::new(pdev);
            let Found { bar, trial, .. } = &mut *found;
            let (model, naming) = learn::learn(pdev, bar, trial, &bus_master)?;
            found.regions.set_model(model);
            let Found {
                bar,
                capabilities,
                regions,
                bounce,
                trial,
            } = KBox::into_inner(found);
            let naming = Arc::new(naming, GFP_KERNEL)?;
            // Without it there is no less to be had of the card.
            let shown = debugfs::show(pdev.as_ref(), model, naming.clone()).ok();
            let bounce = bounce.for_card(pdev.as_ref(), &model)?;
            let blocks = BlockLengths::new(crate::MAX_LUN)?;
            Ok(try_pin_init!(Self {
                pdev,
                bar,
                model,
                naming,
                trial <- new_mutex!(Some(trial)),
                regions,
                bounce,
                blocks,
                gate <- new_spinlock_irq!(Gate::Shut),
                completing <- new_spinlock_irq!(true),
                capabilities,
                bus_master,
                _shown: shown,
            }? Error))
        })
    }

    /// Addresses of data: above 4 GiB only if the card was seen to reach them.
    pub(crate) fn data_mask(&self) -> DmaMask {
        if self.model.address_bits.is_seen() {
            crate::DMA_MASK
        } else {
            DmaMask::new::<32>()
        }
    }

    /// Brings the card up.
    pub(crate) fn start(&self, host: &scsi::Host<AppleRaid>) -> Result {
        let stopped = self.bus_master.stop();
        let ready = self.bring_up(stopped);
        match ready.and_then(|doorbell| self.first_command(doorbell)) {
            Ok(doorbell) => {
                self.forget_trial();
                self.set_gate(Gate::Open(doorbell));
                // What an earlier driver left pending would keep the card from interrupting.
                completion::acknowledge(self, host);
                dev_info!(
                    self.pdev,
                    "Apple RAID Card, board revision {}: ready for {} commands\n",
                    self.pdev.revision_id(),
                    self.regions.tags()
                );
                Ok(())
            }
            Err(error) => {
                self.stop(host);
                Err(error)
            }
        }
    }

    /// Looks whether the card takes commands from, and answers to, the memory that it was told of
    /// now, and not that of the trial: by one command, before there are others.
    fn first_command(&self, mut doorbell: Doorbell) -> Result<Doorbell> {
        let slot = wire::slot(0, [0; 4], &[0; wire::CDB_LEN], wire::Entry::ZERO);
        self.regions.write_slot(0, slot)?;
        doorbell.ring(&self.bar, 0)?;
        read_poll_timeout(
            || self.regions.response(0),
            Option::is_some,
            learn::PAUSE,
            learn::ANSWER_TIMEOUT,
        )
        .map_err(|_| {
            dev_err!(
                self.pdev,
                "the card does not answer in the memory that it was told of last\n"
            );
            ENODEV
        })?;
        Ok(doorbell)
    }

    fn bring_up(&self, stopped: DmaStopped<'_>) -> Result<Doorbell> {
        let (layout, doorbell) = (self.regions.layout(), self.model.doorbell.value);
        bringup::bring_up(self.pdev, &self.bar, &layout, doorbell, || {
            self.bus_master.start(stopped)
        })
    }

    /// Stops the card for good: no command is submitted, and no DMA is done, after this.
    pub(crate) fn stop(&self, host: &scsi::Host<AppleRaid>) {
        self.set_gate(Gate::Dead);
        let stopped = self.bus_master.stop();
        // No proof of DMA is refused but before the host was added: there are no commands then.
        let _ = host.surrender(&stopped, |journey| self.discard(journey));
    }

    /// Keeps the card from doing DMA; commands wait until it is restarted. The card's registers
    /// are not touched.
    pub(crate) fn quiesce(
        &self,
        host: &scsi::Host<AppleRaid>,
        finished: Finished,
    ) -> DmaStopped<'_> {
        self.set_gate(Gate::Shut);
        // What is done, is done, unless its data may be lost; what comes later may lack data.
        if finished == Finished::Trusted {
            completion::complete_finished(self, host);
        }
        self.allow_completing(false);
        self.bus_master.stop()
    }

    /// Restarts the card by the handshake. Commands wait until they are let in.
    ///
    /// The buffers of the commands in flight are handed back only when the handshake has ended,
    /// well or not, and only while the card can do no DMA: it might remember them until then.
    pub(crate) fn restart(&self, host: &scsi::Host<AppleRaid>) -> Result {
        dev_warn!(self.pdev, "restarting the card\n");
        let restarted = self
            .same_card(self.quiesce(host, Finished::Trusted))
            .and_then(|stopped| self.bring_up(self.learn_naming(stopped)));

        let stopped = self.bus_master.stop();
        let surrendered = host.surrender(&stopped, |journey| self.discard(journey));
        self.allow_completing(true);
        match surrendered.and(restarted) {
            Ok(doorbell) => {
                self.forget_trial();
                self.bus_master.start(stopped);
                self.set_gate(Gate::Ready(doorbell));
                completion::acknowledge(self, host);
                dev_info!(self.pdev, "the card is back\n");
                Ok(())
            }
            Err(error) => {
                self.set_gate(Gate::Dead);
                dev_err!(
                    self.pdev,
                    "the card did not come back: its disks are lost\n"
                );
                Err(error)
            }
        }
    }

    /// Lets commands in after a restart.
    pub(crate) fn accept_commands(&self) {
        let mut gate = self.gate.lock();
        *gate = match core::mem::replace(&mut *gate, Gate::Shut) {
            Gate::Ready(doorbell) => Gate::Open(doorbell),
            other => other,
        };
    }

    /// Whether the card still offers what the driver's memory was allocated for. If its firmware
    /// has just started anew, this waits for it.
    fn same_card<'a>(&'a self, stopped: DmaStopped<'a>) -> Result<DmaStopped<'a>> {
        let mut stopped = Some(stopped);
        let found = Capabilities::discover(&self.bar, || {
            if let Some(stopped) = stopped.take() {
                self.bus_master.start(stopped);
            }
        });
        if found == self.capabilities {
            return Ok(stopped.unwrap_or_else(|| self.bus_master.stop()));
        }
        dev_err!(
            self.pdev,
            "the card has changed, or is gone: it offers {:#x}/{:#x} commands now\n",
            found.scsi_commands,
            found.commands
        );
        Err(ENODEV)
    }

    /// Finds out how the card names logical units, if somebody wants to know: in a conversation of
    /// its own, as at probe, that has ended when this returns.
    fn learn_naming<'a>(&'a self, stopped: DmaStopped<'a>) -> DmaStopped<'a> {
        let mut trial = self.trial.lock();
        let Some(memory) = (*trial).as_mut().filter(|_| self.naming.is_wanted()) else {
            return stopped;
        };
        let found = learn::learn_naming(
            self.pdev,
            &self.bar,
            memory,
            &self.bus_master,
            stopped,
            self.model,
        );
        self.naming.tried(found);
        self.bus_master.stop()
    }

    /// Another conversation has begun: the card does not have the last trial in mind any more.
    fn forget_trial(&self) {
        if self.naming.is_settled() {
            *self.trial.lock() = None;
        }
    }

    fn allow_completing(&self, allowed: bool) {
        *self.completing.lock() = allowed;
    }

    fn set_gate(&self, gate: Gate) {
        *self.gate.lock() = gate;
    }

    /// Whether the card did not come back.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(*self.gate.lock(), Gate::Dead)
    }

    /// Takes note of the length of a unit's blocks, which the data of a command may tell.
    pub(crate) fn note_block_length(&self, cmd: &Command<'_, AppleRaid>, journey: &Journey) {
        let Journey::Bounce(Way::In, lease) = journey else {
            return;
        };
        let Some(at) = blocks::length_in_answer(cmd.cdb()) else {
            return;
        };
        if let Ok(length) = self.bounce.word_at(lease, at) {
            self.blocks.set(cmd.lun(), length);
        }
    }

    /// The data of a command has arrived: completes its journey.
    pub(crate) fn arrive(&self, cmd: &Command<'_, AppleRaid>, journey: Journey) -> Result {
        let arrived = match &journey {
            Journey::Bounce(Way::In, lease) => self.bounce.drain(lease, cmd),
            _ => Ok(()),
        };
        self.discard(journey);
        arrived
    }

    /// Gives back what a journey holds.
    pub(crate) fn discard(&self, journey: Journey) {
        match journey {
            Journey::Bounce(_, lease) => self.bounce.give_back(lease),
            Journey::Straight { .. } => {}
        }
    }
}
