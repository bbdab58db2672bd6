// SPDX-License-Identifier: GPL-2.0

//! A fake host on a faux device, known to the midlayer, with one logical unit.

use super::{
    super::{
        Device,
        Dma,
        Host,
        Limits,
        Operations,
        Registration,
        Taken, //
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
        aref::ARef,
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
    ..Limits::DEFAULT
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
pub(super) struct Bench<T: Operations = Fake> {
    /// We own a reference.
    unit: NonNull<bindings::scsi_device>,
    registration: Option<Registration<'static, T>>,
    host: ARef<Host<T>>,
    faux: faux::Registration,
}

/// A device for a host, with a name of its own.
pub(super) fn new_faux() -> Result<faux::Registration> {
    // A test that failed leaves its device behind.
    static COUNT: Atomic<u32> = Atomic::new(0);
    let name = CString::try_from_fmt(fmt!("scsi_kunit.{}", COUNT.fetch_add(1, Relaxed)))?;
    let faux = faux::Registration::new(&name, None)?;
    // SAFETY: The device is valid, and nobody else uses it for DMA. A faux device has no mask
    // of its own.
    unsafe {
        let dev: &device::Device<device::Bound> = faux.as_ref().as_ref();
        let dev = dev.as_raw();
        (*dev).coherent_dma_mask = DmaMask::new::<64>().value();
        (*dev).dma_mask = &raw mut (*dev).coherent_dma_mask;
    }
    Ok(faux)
}

/// Registers a host of a driver that keeps `data`. The device must not go before the registration.
pub(super) fn register<T, D>(
    host: &Host<T>,
    faux: &faux::Registration,
    data: D,
) -> Result<Registration<'static, T>>
where
    T: for<'b> Operations<Data<'b> = D>,
{
    let dev: *const faux::Device<device::Bound> = faux.as_ref();
    // SAFETY: By what is said above.
    let dev: &'static faux::Device<device::Bound> = unsafe { &*dev };
    let make = |_: &faux::Device<device::Bound>| KBox::pin_init(Ok::<_, Error>(data), GFP_KERNEL);
    Registration::new(host, dev, Dma::fake(dev.as_ref()), make, |_, _| Ok(()))
}

impl Bench {
    pub(super) fn new() -> Result<Self> {
        Self::with(State::new()?)
    }

    pub(super) fn state(&self) -> &State {
        // SAFETY: The data are there until the host is removed; tests ask before that.
        unsafe { self.host.data() }
    }

    /// A request, not sent yet.
    pub(super) fn request(&self, ask: impl Into<Ask>, data: Data) -> Result<Request<'_>> {
        Request::new(self, &ask.into().to_cdb(), data)
    }

    /// Takes the first command and removes it from flight, and does something with it. Nothing that
    /// can sleep or fail a test: this is as in an interrupt.
    pub(super) fn take<R>(&self, each: impl FnOnce(Taken<'_, Fake>, &Cargo) -> R) -> Option<R> {
        let rcu = rcu::read_lock();
        let tag = self.host().in_flight().next()?;
        let (cmd, cargo) = self.host().take(tag, &rcu)?;
        Some(each(cmd, &cargo))
    }

    /// Whether nothing is left of any command.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight() == 0 && self.state().cargo() == 0
    }
}

impl<T: Operations> Bench<T> {
    /// A host of a driver that keeps `data`.
    pub(super) fn with<D>(data: D) -> Result<Self>
    where
        T: for<'b> Operations<Data<'b> = D>,
    {
        let faux = new_faux()?;
        let host = Host::new(&LIMITS)?;
        let registration = register(&host, &faux, data)?;
        registration.scan();
        let shost = host.as_raw();
        // SAFETY: The host is valid and was added. This finds the unit that the scan found, or
        // finds it first, if scanning is asynchronous.
        let unit = from_err_ptr(unsafe { bindings::__scsi_add_device(shost, 0, 0, 0, null_mut()) });
        Ok(Self {
            unit: unit.and_then(|unit| NonNull::new(unit).ok_or(ENODEV))?,
            registration: Some(registration),
            host,
            faux,
        })
    }

    pub(super) fn host(&self) -> &Host<T> {
        &self.host
    }

    /// Another switch of the device, for a proof that it does no DMA: it never does any.
    pub(super) fn dma(&self) -> Dma<'_> {
        Dma::fake(self.faux.as_ref().as_ref())
    }

    pub(super) fn device(&self) -> &Device<T> {
        // SAFETY: We own a reference to the unit, which is one of the host.
        unsafe { Device::from_raw(self.unit.as_ptr()) }
    }

    pub(super) fn unit(&self) -> NonNull<bindings::scsi_device> {
        self.unit
    }

    /// Whether the midlayer has given the unit up.
    pub(super) fn is_offline(&self) -> bool {
        // SAFETY: We own a reference to the unit.
        unsafe { (*self.unit.as_ptr()).sdev_state == bindings::scsi_device_state_SDEV_OFFLINE }
    }

    /// Commands in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.host.in_flight().count()
    }

    /// Waits until so many commands are in flight.
    pub(super) fn starts(&self, count: usize) -> bool {
        eventually(|| self.in_flight() == count)
    }

    /// Takes the host away from the midlayer. No requests can be made any more.
    pub(super) fn remove(&mut self) {
        if let Some(registration) = self.registration.take() {
            // SAFETY: We own a reference.
            unsafe { bindings::scsi_device_put(self.unit.as_ptr()) };
            drop(registration);
        }
    }
}

impl<T: Operations> Drop for Bench<T> {
    fn drop(&mut self) {
        self.remove();
    }
}
