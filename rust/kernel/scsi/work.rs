// SPDX-License-Identifier: GPL-2.0

//! What a driver has done later, in process context.
//!
//! There are two work items for each host: one for the driver, which calls [`Operations::work`],
//! and one that gives up a device which is lost. Both can be asked for in any context, and do
//! nothing unless the host is registered: none begins before the host was added, and all are over
//! when it is removed.

use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    container_of,
    prelude::*,
    static_lock_class,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu, //
    },
    time::{
        msecs_to_jiffies,
        Msecs, //
    },
    types::Opaque, //
};

use super::{
    Host,
    Operations, //
};

/// The work items of a host.
///
/// # Invariants
///
/// `shost` is the host of a `T`, in whose private data this is.
#[pin_data]
pub(super) struct Works<T> {
    #[pin]
    work: Opaque<bindings::delayed_work>,
    #[pin]
    give_up: Opaque<bindings::work_struct>,
    shost: *mut bindings::Scsi_Host,
    /// The driver's work is not queued any more, or not yet.
    is_over: Atomic<bool>,
    /// The device is not given up any more, or not yet.
    is_gone: Atomic<bool>,
    /// The device was lost after its last reset began.
    pub(super) is_lost: Atomic<bool>,
    _driver: PhantomData<T>,
}

impl<T: Operations> Host<T> {
    /// Has [`Operations::work`] called in `delay` milliseconds, unless that is to happen anyway.
    /// May be called in any context.
    pub fn queue_work(&self, delay: Msecs) {
        let works = &self.private().works;
        let _rcu = rcu::read_lock();
        if !T::HAS_WORK || works.is_over.load(Relaxed) {
            return;
        }
        // SAFETY: The work item was initialised, and the work queue is always there: it stands
        // still while the system sleeps. `end` cancels what was queued.
        unsafe {
            bindings::queue_delayed_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as i32,
                bindings::system_freezable_wq,
                works.work.get(),
                msecs_to_jiffies(delay),
            );
        }
    }

    /// The device is lost: has it stopped ([`Operations::stop`]) and all commands ended, now and
    /// until a reset of the host brings it back. May be called in any context; it happens soon.
    pub fn device_lost(&self) {
        let works = &self.private().works;
        let _rcu = rcu::read_lock();
        if !works.is_gone.load(Relaxed) {
            works.is_lost.store(true, Relaxed);
            // SAFETY: As in `queue_work`. Nobody waits for disk I/O in this work item.
            unsafe {
                bindings::queue_work_on(
                    bindings::wq_misc_consts_WORK_CPU_UNBOUND as i32,
                    bindings::system_dfl_wq,
                    works.give_up.get(),
                );
            }
        }
    }

    /// Whether the work of the driver should come to an end: the host is about to be removed.
    pub fn is_ending(&self) -> bool {
        self.private().works.is_over.load(Relaxed)
    }
}

impl<T: Operations> Works<T> {
    /// # Safety
    ///
    /// What is returned must be put into the private data of `shost`, a host of `T`.
    pub(super) unsafe fn new(shost: *mut bindings::Scsi_Host) -> impl PinInit<Self> {
        // INVARIANT: By the safety requirement.
        pin_init!(Self {
            work <- Opaque::ffi_init(|work: *mut bindings::delayed_work| {
                let key = static_lock_class!();
                let timer_key = static_lock_class!();
                // SAFETY: `work` points to memory for a `struct delayed_work` that is not moved
                // any more. `run` is for the work items of a `Works`. The timer's function is the
                // one for a timer in a `struct delayed_work`.
                unsafe {
                    bindings::init_work_with_key(
                        &raw mut (*work).work,
                        Some(Self::run),
                        false,
                        c"scsi_host_work".as_char_ptr(),
                        key.as_ptr(),
                    );
                    bindings::timer_init_key(
                        &raw mut (*work).timer,
                        Some(bindings::delayed_work_timer_fn),
                        bindings::TIMER_IRQSAFE,
                        c"scsi_host_work_timer".as_char_ptr(),
                        timer_key.as_ptr(),
                    );
                }
            }),
            give_up <- Opaque::ffi_init(|work: *mut bindings::work_struct| {
                let key = static_lock_class!();
                // SAFETY: As above, with `run_give_up`.
                unsafe {
                    bindings::init_work_with_key(
                        work,
                        Some(Self::run_give_up),
                        false,
                        c"scsi_host_give_up".as_char_ptr(),
                        key.as_ptr(),
                    );
                }
            }),
            shost,
            is_over: Atomic::new(true),
            is_gone: Atomic::new(true),
            is_lost: Atomic::new(false),
            _driver: PhantomData,
        })
    }

    /// Lets work items be queued. Called once, when the host was added.
    pub(super) fn begin(&self) {
        self.is_over.store(false, Relaxed);
        self.is_gone.store(false, Relaxed);
    }

    /// Cancels the driver's work if it is queued, and waits for it if it has begun. It does not
    /// begin after this.
    pub(super) fn end(&self) {
        self.is_over.store(true, Relaxed);
        // SAFETY: Called in process context. Who has not seen the flag has queued the work after
        // this.
        unsafe {
            bindings::synchronize_rcu();
            bindings::cancel_delayed_work_sync(self.work.get());
        }
    }

    /// As [`Works::end`], of what gives up the device.
    pub(super) fn end_give_up(&self) {
        self.is_gone.store(true, Relaxed);
        // SAFETY: As in `end`.
        unsafe {
            bindings::synchronize_rcu();
            bindings::cancel_work_sync(self.give_up.get());
        }
    }

    /// # Safety
    ///
    /// Called by the work queue only, with the `work` of a `Works`.
    unsafe extern "C" fn run(work: *mut bindings::work_struct) {
        // SAFETY: By the safety requirement, this is where the work item lies; `end` waits for this
        // function.
        let this = unsafe {
            let work = container_of!(work, bindings::delayed_work, work);
            &*container_of!(Opaque::cast_from(work), Self, work)
        };
        // SAFETY: By the type invariant this is a host of `T`.
        let module = unsafe { Host::<T>::from_raw(this.shost) }.module();
        // When the module is being unloaded, the midlayer finds no unit that it knows
        // (`scsi_device_get` fails), and would add all that it looks for a second time.
        //
        // SAFETY: As before; null stands for the kernel itself.
        if unsafe { bindings::try_module_get(module) } {
            // SAFETY: By the type invariant the host is valid, and one of `T`. There is its
            // registration, since `end` waits for this function.
            unsafe {
                let host = Host::<T>::from_raw(this.shost);
                if T::HAS_WORK {
                    T::work(host.data(), host);
                }
            }
            // SAFETY: There is the reference that was just taken.
            unsafe { bindings::module_put(module) };
        }
    }

    /// # Safety
    ///
    /// Called by the work queue only, with the `give_up` of a `Works`.
    unsafe extern "C" fn run_give_up(work: *mut bindings::work_struct) {
        // SAFETY: As in `run`.
        unsafe {
            let this = &*container_of!(Opaque::cast_from(work), Self, give_up);
            Host::<T>::from_raw(this.shost).give_up();
        }
    }
}
