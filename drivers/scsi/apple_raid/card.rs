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
//!
//! The lives of a card, from `start` to `stop`, are in `recover.rs`.

use crate::{
    blocks::BlockLengths,
    bounce::Pool,
    complete::CompletionRing,
    identity::Identity,
    queue::Journey,
    regions::Regions,
    regs::Bar0,
    scsi::{
        pci::BusMaster,
        DmaStopped,
        HostByte, //
    },
    states::State,
    submit::Gate,
    tasks::Tasks,
    wire::Slot,
    Found,
    Host, //
};
use kernel::{
    device::Bound,
    new_mutex,
    new_spinlock_irq,
    pci,
    prelude::*,
    sync::{
        atomic::Atomic,
        Mutex,
        SpinLockIrq, //
    },
    time::Delta, //
};

/// How long the controller may take until it is enabled again.
const HOLD_LIMIT: Delta = Delta::from_secs(120);

/// A card.
#[pin_data]
pub(crate) struct Card<'bound> {
    pub(crate) pdev: &'bound pci::Device<Bound>,
    pub(crate) bar: Bar0<'bound>,
    pub(crate) regions: Regions,
    pub(crate) bounce: Pool,
    pub(crate) blocks: BlockLengths,
    pub(crate) tasks: Tasks,
    /// What the card says that it is.
    #[pin]
    pub(crate) identity: Mutex<Identity>,
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
    /// A card that is not in use yet.
    pub(crate) fn new(
        pdev: &'bound pci::Device<Bound>,
        found: Found<'bound>,
    ) -> impl PinInit<Self, Error> + 'bound {
        try_pin_init!(Self {
            pdev,
            bar: found.bar,
            regions: found.regions,
            bounce: found.bounce,
            blocks: BlockLengths::new(),
            tasks: Tasks::new(),
            identity <- new_mutex!(Identity::default()),
            refused: Atomic::new(0),
            lists_are_marked: Atomic::new(false),
            gate <- new_spinlock_irq!(Gate::Shut),
            consumer <- new_spinlock_irq!(None),
            bus_master: BusMaster::new(pdev),
        }? Error)
    }

    /// Gives back what a journey holds.
    pub(crate) fn discard(&self, journey: Journey) {
        if let Journey::Bounce(_, _, lease) = journey {
            self.bounce.give_back(lease);
        }
    }

    /// Ends all commands in flight, whose memory the card cannot reach any more.
    pub(crate) fn end_all(
        &self,
        host: &Host,
        stopped: &DmaStopped<'_>,
        host_byte: HostByte,
    ) -> Result {
        host.complete_all(stopped, host_byte, |journey| self.discard(journey))
    }

    /// Writes the slot of a task management request, and shows it to the card.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the card takes no requests now.
    pub(crate) fn submit_task(&self, tag: u16, slot: Slot) -> Result {
        self.regions.write_slot(tag, slot)?;
        let mut gate = self.gate.lock();
        let ring = gate.ring().ok_or(EBUSY)?;
        ring.push(&self.bar, tag)?;
        ring.show(&self.bar);
        Ok(())
    }

    /// Looks at the state of the controller, which may have changed: holds commands back, lets them
    /// go, or gives the card up. For any context.
    pub(crate) fn look_at_state(&self, host: &Host) {
        let state = State::read(self.pdev);
        if state.is_lost().is_some() {
            return self.give_up(host, state);
        }
        let (changed, then) = {
            let mut gate = self.gate.lock();
            if state.is_enabled() {
                let changed = gate.enable();
                // Some may have been put in but not shown when commands were held back.
                if let (true, Some(ring)) = (changed, gate.ring()) {
                    ring.show(&self.bar);
                }
                (changed, "go on")
            } else {
                (gate.hold(), "wait")
            }
        };
        if changed && host.should_log() {
            let name = state.name();
            dev_info!(self.pdev, "the controller is {name}; commands {then}\n");
        }
    }

    /// Looks whether commands that wait for the controller need not wait any more. For any context.
    pub(crate) fn end_hold(&self, host: &Host) {
        let Gate::Held(_, since) = *self.gate.lock() else {
            return;
        };
        self.look_at_state(host);
        let is_held = matches!(*self.gate.lock(), Gate::Held(..));
        if is_held && since.elapsed() > HOLD_LIMIT {
            self.give_up(host, State::read(self.pdev));
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
        let _ = self.end_all(host, &self.bus_master.stop(), HostByte::NoConnect);
    }
}
