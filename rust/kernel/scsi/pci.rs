// SPDX-License-Identifier: GPL-2.0

//! What a driver of a PCI host adapter needs beyond its host: interrupts, and the recovery from
//! errors on the bus.
//!
//! The driver implements `pci::Driver`, and calls what is here, and in `quiesce.rs`, from its
//! callbacks. The PCI core holds the lock of the device during each of them:
//!
//! ```text
//!   suspend     reset_prepare    error_detected    no DMA, no interrupt; commands wait
//!      |             |                 |
//!   (asleep)      (reset)        (bus is reset)    configuration and MSI are restored: by the PCI
//!      |             |                 |           core, or by `slot_reset`
//!      |             |            slot_reset       `Operations::eh_host_reset`, here or below
//!      |             |                 |
//!   resume      reset_done          resume         commands go on
//! ```
//!
//! If one happens during another, the last to end restarts the device. Resets of the midlayer wait
//! in between; a device that is not accessible is not asked for finished commands. What it seems to
//! have finished before an error is tried again: memory may not hold what it wrote.
//!
//! Between the callbacks of an error the lock is not held, so that the driver may be unbound, or
//! the system be shut down. An error of which the bus does not recover ends with a last
//! `error_detected`, of a permanent failure.

use crate::pci;
#[cfg(out_of_tree)]
use crate::pci::DeviceExt as _;
use kernel::{
    device::{
        Bound,
        Core, //
    },
    irq,
    prelude::*,
    sync::aref::ARef, //
};

use super::{
    managed::Managed,
    Host,
    Operations,
    Reason,
    Registration, //
};

/// An interrupt handler of a host: what `handle` returns for the driver's data, the host and the
/// number of the vector. It is not called while the device is not accessible.
pub type Handle<T> = fn(&<T as Operations>::Data<'_>, &Host<T>, usize) -> irq::IrqReturn;

/// The interrupts of a PCI device, with a handler for each.
///
/// To be requested before the host is registered, and dropped after that registration: as a later
/// field of the data of the device. If this is forgotten, the driver core drops it when the device
/// is unbound.
pub struct Interrupts<'bound, T: Operations>(Managed<'bound, Vectors<'bound, T>>);

/// The fields are dropped in this order.
struct Vectors<'bound, T: Operations> {
    _handlers: KVec<Pin<KBox<irq::Registration<'bound, Handler<T>>>>>,
    vectors: KBox<pci::IrqVectorRegistration<'bound>>,
}

struct Handler<T: Operations> {
    host: ARef<Host<T>>,
    handle: Handle<T>,
    vector: usize,
}

impl<T: Operations> irq::Handler for Handler<T> {
    fn handle(&self) -> irq::IrqReturn {
        let handled = self
            .host
            .with_device(|data| (self.handle)(data, &self.host, self.vector));
        handled.unwrap_or(irq::IrqReturn::None)
    }
}

impl<'bound, T: Operations> Interrupts<'bound, T> {
    /// Allocates as many vectors as there are, up to `most`, and requests them all.
    ///
    /// # Errors
    ///
    /// What the PCI core returns if there is none.
    pub fn request(
        pdev: &'bound pci::Device<Bound>,
        host: &Host<T>,
        most: u32,
        types: pci::IrqTypes,
        handle: Handle<T>,
    ) -> Result<Self> {
        let vectors = KBox::new(pdev.alloc_irq_vectors(1, most, types)?, GFP_KERNEL)?;
        let allocation: *const pci::IrqVectorRegistration<'bound> = &*vectors;
        // SAFETY: `vectors` is boxed, and is dropped after the handlers that borrow it: here since
        // it was made before them, and later by the order of the fields.
        let allocation: &'bound pci::IrqVectorRegistration<'bound> = unsafe { &*allocation };
        let mut handlers = KVec::with_capacity(allocation.len(), GFP_KERNEL)?;
        for vector in 0..allocation.len() {
            let handler = Handler {
                host: host.into(),
                handle,
                vector,
            };
            // SAFETY: `Managed` sees to it that the registration is dropped before the device is
            // unbound.
            let registration = unsafe {
                irq::Registration::new(
                    allocation.index(vector)?.into(),
                    irq::Flags::TRIGGER_NONE,
                    T::NAME,
                    Ok::<_, Error>(handler),
                )
            };
            handlers.push(KBox::pin_init(registration, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        let vectors = Vectors {
            _handlers: handlers,
            vectors,
        };
        Ok(Self(Managed::new(pdev.as_ref(), vectors)?))
    }

    /// How many vectors there are.
    pub fn count(&self) -> usize {
        self.0.vectors.len()
    }
}

impl<T: Operations> Registration<'_, T> {
    /// For the `error_detected` of the driver: what was lost is not known, even if the device can
    /// be accessed.
    pub fn error_detected(&self, state: pci::ChannelState) -> pci::ErsResult {
        match state {
            pci::ChannelState::Normal | pci::ChannelState::Frozen => {
                self.host().quiesce(Reason::BusError);
                pci::ErsResult::NeedReset
            }
            pci::ChannelState::PermanentFailure => {
                self.host().stop_for_good();
                pci::ErsResult::Disconnect
            }
        }
    }

    /// For the `slot_reset` of the driver, which has saved the device's state when it was probed.
    pub fn slot_reset(&self, pdev: &pci::Device<Core<'_>>) -> pci::ErsResult {
        pdev.restore_state();
        match self.host().bring_up(Reason::BusError) {
            Ok(()) => pci::ErsResult::Recovered,
            Err(_) => pci::ErsResult::Disconnect,
        }
    }
}
