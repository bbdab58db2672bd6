// SPDX-License-Identifier: GPL-2.0

//! A fake host on a faux device, known to the midlayer, with one logical unit.

use super::{
    super::{
        host::Owner,
        Command,
        Host,
        Limits, //
    },
    ask::Ask,
    fake::Fake,
    request::{
        Data,
        Request, //
    },
    state::{
        Cargo,
        State, //
    },
};
use crate::bindings;
use core::ptr::{
    null_mut,
    NonNull, //
};
use kernel::{
    device,
    dma::DmaMask,
    error::from_err_ptr,
    faux,
    page::PAGE_SIZE,
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu, //
    },
    time::{
        delay::fsleep,
        Delta,
        Instant,
        Monotonic, //
    },
};

/// What the fake host can do. Eight tags are used again soon; segments are single pages, so that
/// buffers have several.
pub(super) const LIMITS: Limits = Limits {
    can_queue: 8,
    cmd_per_lun: 8,
    sg_tablesize: 17,
    max_segment_size: PAGE_SIZE as u32,
    max_sectors: 16 * (PAGE_SIZE as u32 / 512),
    dma_alignment: 3,
    dma_mask: DmaMask::new::<64>(),
    max_lun: 1,
    max_cdb_len: 16,
    no_write_same: false,
};

/// Waits until `condition` holds; false if it does not within half a minute.
pub(super) fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let start: Instant<Monotonic> = Instant::now();
    while !condition() {
        if start.elapsed() > Delta::from_secs(30) {
            return false;
        }
        fsleep(Delta::from_millis(1));
    }
    true
}

/// The host, from when it is added until it is removed.
pub(super) struct Bench {
    /// We own a reference.
    unit: NonNull<bindings::scsi_device>,
    owner: Owner<'static, Fake>,
    removed: bool,
    _faux: faux::Registration,
}

impl Bench {
    pub(super) fn new() -> Result<Self> {
        // A test that failed leaves its device behind.
        static COUNT: Atomic<u32> = Atomic::new(0);
        let name = CString::try_from_fmt(fmt!("scsi_kunit.{}", COUNT.fetch_add(1, Relaxed)))?;
        let faux = faux::Registration::new(&name, None)?;
        let dev: &device::Device<device::Bound> = faux.as_ref().as_ref();
        // SAFETY: The device is valid, and nobody else uses it for DMA. A faux device has no mask
        // of its own.
        unsafe {
            let dev = dev.as_raw();
            (*dev).coherent_dma_mask = LIMITS.dma_mask.value();
            (*dev).dma_mask = &raw mut (*dev).coherent_dma_mask;
        }
        let owner = Owner::new(&LIMITS, State::new(dev))?;
        // SAFETY: Removed below, or by `drop`.
        unsafe { owner.add(dev)? };
        owner.scan();
        let shost = core::ptr::from_ref(owner.host()).cast_mut().cast();
        // SAFETY: The host is valid and was added. This finds the unit that the scan found, or
        // finds it first, if scanning is asynchronous.
        let unit = from_err_ptr(unsafe { bindings::__scsi_add_device(shost, 0, 0, 0, null_mut()) });
        match unit.and_then(|unit| NonNull::new(unit).ok_or(ENODEV)) {
            Ok(unit) => Ok(Self {
                unit,
                owner,
                removed: false,
                _faux: faux,
            }),
            Err(error) => {
                owner.remove();
                Err(error)
            }
        }
    }

    pub(super) fn host(&self) -> &Host<Fake> {
        self.owner.host()
    }

    pub(super) fn state(&self) -> &State {
        // SAFETY: The data of a fake host has no lifetime; it lives as long as `owner`.
        unsafe { self.host().data::<'_, 'static>() }
    }

    pub(super) fn unit(&self) -> NonNull<bindings::scsi_device> {
        self.unit
    }

    /// Whether the midlayer has given the unit up.
    pub(super) fn is_offline(&self) -> bool {
        // SAFETY: We own a reference to the unit.
        unsafe { (*self.unit.as_ptr()).sdev_state == bindings::scsi_device_state_SDEV_OFFLINE }
    }

    /// A request, not sent yet.
    pub(super) fn request(&self, ask: impl Into<Ask>, data: Data) -> Result<Request<'_>> {
        Request::new(self, &ask.into().to_cdb(), data)
    }

    /// Commands in the table.
    pub(super) fn in_flight(&self) -> usize {
        self.host().in_flight().tags().count()
    }

    /// Waits until so many commands are in the table.
    pub(super) fn starts(&self, count: usize) -> bool {
        eventually(|| self.in_flight() == count)
    }

    /// Takes the first command out of the table, and does something with it. Nothing that can
    /// sleep or fail a test: this is as in an interrupt.
    pub(super) fn take<R>(&self, each: impl FnOnce(Command<'_, Fake>, &Cargo) -> R) -> Option<R> {
        let rcu = rcu::read_lock();
        let tag = self.host().in_flight().tags().next()?;
        let (cmd, cargo) = self.host().in_flight().take(tag, &rcu)?;
        Some(each(cmd, &cargo))
    }

    /// Whether nothing is left of any command.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight() == 0 && self.state().cargo() == 0
    }

    /// Takes the host away from the midlayer. No requests can be made any more.
    pub(super) fn remove(&mut self) {
        if !self.removed {
            self.removed = true;
            // SAFETY: We own a reference.
            unsafe { bindings::scsi_device_put(self.unit.as_ptr()) };
            self.owner.remove();
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.remove();
    }
}
