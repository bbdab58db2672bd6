// SPDX-License-Identifier: GPL-2.0

//! One card: its registers, its memory, and whether it is in use.
//!
//! What protects what: the registers and regions are shared by nature, and each tag's part of a
//! region belongs to whoever owns the tag's command. Two locks are taken with interrupts disabled,
//! never one inside the other:
//!
//! - `gate`, once for each command: makes a pair of the two writes that put a tag into the ring and
//!   show it, and decides whether commands can be submitted at all;
//! - `consumer`, once for each interrupt: one processor takes an entry of the completion ring.
//!   There is no ring while nobody may look at the card.

use crate::{
    blocks::BlockLengths,
    bringup::{
        self,
        Conversation, //
    },
    complete::{
        self,
        CompletionRing, //
    },
    identity::Identity,
    regions::Regions,
    regs::Bar0,
    scsi::{
        pci::BusMaster,
        DmaStopped,
        Finished,
        HostByte, //
    },
    states::State,
    submit::Gate,
    tasks::Tasks,
    Host, //
};
use kernel::{
    device::Bound,
    new_spinlock_irq,
    pci,
    prelude::*,
    sync::{
        atomic::Atomic,
        rcu,
        SetOnce,
        SpinLockIrq, //
    },
    time::Delta, //
};

/// How long the controller may take until it is enabled again.
const HOLD_LIMIT: Delta = Delta::from_secs(120);

#[pin_data]
pub(crate) struct Card<'bound> {
    pub(crate) pdev: &'bound pci::Device<Bound>,
    pub(crate) bar: Bar0<'bound>,
    pub(crate) regions: Regions,
    pub(crate) blocks: BlockLengths,
    pub(crate) tasks: Tasks,
    /// What the card said that it is when it was started.
    pub(crate) identity: SetOnce<Identity>,
    /// Commands that were refused.
    pub(crate) refused: Atomic<u64>,
    /// Whether lists want bit 0 of byte 1: see `selftest.rs`.
    pub(crate) lists_are_marked: Atomic<bool>,
    #[pin]
    pub(crate) gate: SpinLockIrq<Gate>,
    #[pin]
    pub(crate) consumer: SpinLockIrq<Option<CompletionRing>>,
    pub(crate) bus_master: BusMaster<'bound>,
}

impl<'bound> Card<'bound> {
    pub(crate) fn new(
        pdev: &'bound pci::Device<Bound>,
        bar: Bar0<'bound>,
        regions: Regions,
    ) -> impl PinInit<Self, Error> + 'bound {
        try_pin_init!(Self {
            pdev,
            bar,
            regions,
            blocks: BlockLengths::new(),
            tasks: Tasks::new(),
            identity: SetOnce::new(),
            refused: Atomic::new(0),
            lists_are_marked: Atomic::new(false),
            gate <- new_spinlock_irq!(Gate::Shut),
            consumer <- new_spinlock_irq!(None),
            bus_master: BusMaster::new(pdev),
        }? Error)
    }

    /// Begins a conversation with the card, which does no DMA yet.
    pub(crate) fn bring_up(&self, stopped: DmaStopped<'_>) -> Result<Conversation> {
        bringup::bring_up(self.pdev, &self.bar, &self.regions, || {
            self.bus_master.start(stopped)
        })
    }

    /// Begins to use a card that is up. Commands wait still.
    pub(crate) fn open(&self, talk: Conversation) {
        *self.consumer.lock() = Some(talk.complete);
        *self.gate.lock() = Gate::Ready(talk.submit);
        bringup::open_interrupts(&self.bar);
    }

    /// Keeps the card from doing DMA; commands wait until it is restarted.
    pub(crate) fn quiesce(&self, host: &Host, finished: Finished) -> DmaStopped<'_> {
        *self.gate.lock() = Gate::Shut;
        // What has ended, has ended, unless its data may be lost; what comes later may lack data.
        if finished == Finished::Trusted {
            complete::complete_ended(self, host);
        }
        self.quiet()
    }

    /// Keeps everybody from looking at the card, and the card from doing DMA.
    pub(crate) fn quiet(&self) -> DmaStopped<'_> {
        *self.consumer.lock() = None;
        // Who has taken entries before is done with them after this.
        rcu::synchronize_rcu();
        self.bus_master.stop()
    }

    /// Looks at the state of the controller, which may have changed: holds commands back, lets them
    /// go, or gives the card up. For any context.
    pub(crate) fn look_at_state(&self, host: &Host) {
        let mut gate = self.gate.lock();
        if matches!(*gate, Gate::Shut | Gate::Dead) {
            return;
        }
        // Under the lock, so that nobody acts later on what was read earlier.
        let state = State::read(self.pdev);
        let mut is_lost = state.is_lost().is_some();
        let change = gate.follow(state.is_enabled());
        match &mut *gate {
            // Some may have been put in but not shown when commands were held back.
            Gate::Open(ring) => ring.show(&self.bar),
            Gate::Held(_, since) => is_lost |= since.elapsed() > HOLD_LIMIT,
            _ => {}
        }
        drop(gate);
        match change {
            _ if is_lost => self.give_up(host, state),
            Some(commands) if host.should_log() => {
                let name = state.name();
                dev_info!(self.pdev, "the controller is {name}; commands {commands}\n");
            }
            _ => {}
        }
    }

    /// The card is lost: all commands end, now and from now on. For any context.
    pub(crate) fn give_up(&self, host: &Host, state: State) {
        {
            let mut gate = self.gate.lock();
            // Who brings the card up finds out, and DMA may be on only for that.
            if matches!(*gate, Gate::Shut | Gate::Dead) {
                return;
            }
            *gate = Gate::Dead;
        }
        *self.consumer.lock() = None;
        let why = state
            .is_lost()
            .unwrap_or("the card is not enabled any more");
        dev_err!(self.pdev, "{why}: its disks are lost\n");
        // No proof of DMA is refused but before the host was added: there are no commands then.
        let _ = host.complete_all(&self.bus_master.stop(), HostByte::NoConnect, drop);
    }
}
