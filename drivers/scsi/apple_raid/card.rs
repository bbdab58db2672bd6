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
//!
//! Neither has a ring while the card is not in use.

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
    regions::{
        self,
        Regions, //
    },
    regs::Bar0,
    rescan::Unclear,
    scsi::{
        Dma,
        Finished, //
    },
    selftest,
    states::State,
    submit::Gate,
    tasks::Tasks,
    unit::Names,
    Host, //
};
use kernel::{
    device::Bound,
    new_spinlock_irq,
    pci,
    prelude::*,
    sync::{
        atomic::Atomic,
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
    pub(crate) names: Names,
    pub(crate) unclear: Unclear,
    pub(crate) tasks: Tasks,
    /// What the card said that it is when it was started.
    pub(crate) identity: SetOnce<Identity>,
    /// Commands that were refused.
    pub(crate) refused: Atomic<u64>,
    /// Whether lists want bit 0 of byte 1: see `selftest.rs`.
    pub(crate) lists_are_marked: Atomic<bool>,
    #[pin]
    pub(crate) gate: Apart<SpinLockIrq<Gate>>,
    #[pin]
    pub(crate) consumer: Apart<SpinLockIrq<Option<CompletionRing>>>,
}

/// Something with cache lines of its own: who submits commands and who completes them do not slow
/// one another down.
#[repr(align(64))]
#[pin_data]
pub(crate) struct Apart<T> {
    #[pin]
    inner: T,
}

impl<T> Apart<T> {
    fn new(inner: impl PinInit<T>) -> impl PinInit<Self> {
        pin_init!(Self { inner <- inner })
    }
}

impl<T> core::ops::Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
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
            names: Names::new(),
            unclear: Unclear::new(),
            tasks: Tasks::new(),
            identity: SetOnce::new(),
            refused: Atomic::new(0),
            lists_are_marked: Atomic::new(false),
            gate <- Apart::new(new_spinlock_irq!(Gate::Shut)),
            consumer <- Apart::new(new_spinlock_irq!(None)),
        }? Error)
    }

    /// Brings the card up and tries it, before there is a host.
    pub(crate) fn start(&self, dma: &mut Dma<'_>) -> Result {
        let tried = self.bring_up(dma);
        let tried = tried.and_then(|talk| selftest::run(self, talk));
        let talk = tried.inspect_err(|_| bringup::close_interrupts(&self.bar))?;
        let identity = Identity::read(&self.bar);
        dev_info!(
            self.pdev,
            "{}, firmware {:#010x}: ready for {} commands\n",
            identity.product_name(),
            identity.firmware_version,
            regions::COMMANDS
        );
        self.identity.populate(identity);
        self.open(talk);
        Ok(())
    }

    /// Begins a conversation with the card.
    pub(crate) fn bring_up(&self, dma: &mut Dma<'_>) -> Result<Conversation> {
        bringup::bring_up(self.pdev, &self.bar, &self.regions, || dma.start())
    }

    /// Begins to use a card that is up.
    pub(crate) fn open(&self, talk: Conversation) {
        *self.consumer.lock() = Some(talk.complete);
        *self.gate.lock() = Gate::Open(talk.submit);
        bringup::open_interrupts(&self.bar);
    }

    /// Ends the use of the card: nothing is submitted, and nobody looks at the rings, until it is
    /// brought up again.
    pub(crate) fn close(&self, host: &Host, finished: Finished) {
        *self.gate.lock() = Gate::Shut;
        // What has ended, has ended, unless its data may be lost; what comes later may lack data.
        if finished == Finished::Trusted {
            complete::complete_ended(self, host);
        }
        *self.consumer.lock() = None;
    }

    /// Looks at the state of the controller, which may have changed: holds commands back, lets them
    /// go, or gives the card up. For any context.
    pub(crate) fn look_at_state(&self, host: &Host) {
        let mut gate = self.gate.lock();
        if matches!(*gate, Gate::Shut) {
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

    /// The card is lost: all commands end, now and until it is restarted. For any context.
    pub(crate) fn give_up(&self, host: &Host, state: State) {
        if matches!(
            core::mem::replace(&mut *self.gate.lock(), Gate::Shut),
            Gate::Shut
        ) {
            // Who brings the card up finds out.
            return;
        }
        *self.consumer.lock() = None;
        let why = state
            .is_lost()
            .unwrap_or("the card is not enabled any more");
        dev_err!(self.pdev, "{why}: its disks are lost\n");
        host.device_lost();
    }
}
