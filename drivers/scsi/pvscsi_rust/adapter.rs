// SPDX-License-Identifier: GPL-2.0

//! One adapter: its registers, its memory, and whether it is in use.
//!
//! Two locks are taken with interrupts disabled, never one inside the other: `requests` for each
//! command, and `completions` for each interrupt. Neither has a ring while the device is not in
//! use. The registers for commands need no lock: who writes to them are the callbacks of error
//! handling, and those that start and stop the device, and the midlayer's side sees to it that
//! there is one at a time.

use crate::{
    complete,
    regs::{
        self,
        Bar,
        Command, //
    },
    rings::{
        Completions,
        Kick,
        Requests,
        Rings, //
    },
    scsi::{
        Dma,
        Finished,
        Tag, //
    },
    wire,
    Host, //
};
use kernel::{
    device::Bound,
    io::Io,
    new_spinlock_irq, pci,
    prelude::*,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        SpinLockIrq, //
    },
};

#[pin_data]
pub(crate) struct Adapter<'bound> {
    pub(crate) pdev: &'bound pci::Device<Bound>,
    bar: Bar<'bound>,
    pub(crate) rings: Rings,
    #[pin]
    pub(crate) requests: SpinLockIrq<Option<Requests>>,
    #[pin]
    pub(crate) completions: SpinLockIrq<Option<Completions>>,
    /// Index of the next message.
    pub(crate) messages: Atomic<u32>,
}

impl<'bound> Adapter<'bound> {
    pub(crate) fn new(
        pdev: &'bound pci::Device<Bound>,
        bar: Bar<'bound>,
        rings: Rings,
    ) -> impl PinInit<Self, Error> + 'bound {
        try_pin_init!(Self {
            pdev,
            bar,
            rings,
            requests <- new_spinlock_irq!(None),
            completions <- new_spinlock_irq!(None),
            messages: Atomic::new(0),
        }? Error)
    }

    /// Begins to use a device that may be in use by somebody else, an earlier kernel.
    pub(crate) fn start(&self, dma: &mut Dma<'_>) -> Result {
        self.reset();
        dma.start();
        self.open()
    }

    /// Begins to use a device that was reset and may do DMA.
    pub(crate) fn open(&self) -> Result {
        let (requests, completions) = self.rings.set_up(&self.bar).inspect_err(|_| {
            dev_err!(self.pdev, "the device does not take the rings\n");
        })?;
        self.messages.store(0, Relaxed);
        *self.completions.lock() = Some(completions);
        *self.requests.lock() = Some(requests);
        let both = regs::INTR_MASK::zeroed()
            .with_const_completions::<1>()
            .with_const_messages::<1>();
        self.bar.write_reg(both);
        Ok(())
    }

    /// Ends the use of the device: it forgets the rings, and all commands, until it is opened
    /// again. Those that have ended are completed. After an error on the bus neither is done: the
    /// device may not be accessible, and is reset later.
    pub(crate) fn close(&self, host: &Host, finished: Finished) {
        *self.requests.lock() = None;
        if finished == Finished::Trusted {
            self.reset();
            // QEMU says of each of the others that it was lost in a reset.
            complete::look(self, host);
        }
        *self.completions.lock() = None;
    }

    fn reset(&self) {
        self.bar.write_reg(regs::INTR_MASK::zeroed());
        // The header does not say that there is an answer. If the device is gone, that is seen when
        // it is opened.
        let _ = Command::AdapterReset.begin(&self.bar).end();
    }

    /// Has the device abort a command. That it has is seen when the command ends.
    pub(crate) fn abort(&self, tag: Tag, target: u32) -> Result {
        // It has to know the command before.
        self.kick();
        Command::AbortCmd
            .begin(&self.bar)
            .wide(complete::context(tag).into())
            .word(target)
            .word(0)
            .end()
    }

    /// Has the device reset a logical unit. The commands that it loses thereby end.
    pub(crate) fn reset_device(&self, target: u32, lun: u8) -> Result {
        self.kick();
        Command::ResetDevice
            .begin(&self.bar)
            .word(target)
            .wide(u64::from_le_bytes(wire::lun_bytes(lun)))
            .end()
    }

    /// Tells the device of the requests in the ring.
    pub(crate) fn kick(&self) {
        let mut requests = self.requests.lock();
        let kick = Option::as_mut(&mut requests).and_then(|ring| ring.take_kick());
        drop(requests);
        match kick {
            Some(Kick::Rw) => self.bar.write_reg(regs::KICK_RW_IO::zeroed()),
            Some(Kick::NonRw) => self.bar.write_reg(regs::KICK_NON_RW_IO::zeroed()),
            None => {}
        }
    }
}
