// SPDX-License-Identifier: GPL-2.0

//! Logical units that come, go or change while the host is in use.
//!
//! A target tells of them by the sense data of whichever command comes first. The midlayer logs
//! that and sends a uevent, and leaves it to others to act. Here, [`Command::note_sense`] asks for
//! a rescan, from the interrupt in which the command ends:
//!
//! ```text
//!   note_sense --> a second later, in a work item: for each unit   ask it what it is
//!                                                            is it gone? remove it
//!                                                            else ask for its names and capacity
//!                                                            is it another one? remove it
//!                                            then            REPORT LUNS, add what is new
//! ```
//!
//! - What is told within that second, by all units, leads to one rescan; what is told during a
//!   rescan, by its own commands too, to one more. A target that never stops telling gets a rescan
//!   a second.
//! - A unit goes only if it says itself that it is not there, or if another one answers in its
//!   place: see [`unit`](super::unit). One that does not answer, or not in a way that can be
//!   trusted, is left alone, and there are a few rescans more. It stays, as does one that REPORT
//!   LUNS forgot: to take a disk away that is there is worse than to keep one that is not.
//! - A user can have a unit looked at too (`rescan` and `state` in sysfs), and the midlayer then
//!   replaces the names that it has. If a unit was replaced before that, and no news of it came
//!   before, nobody can tell any more.
//! - While the host is quiesced, the commands of a rescan wait with all others. The work queue
//!   stands still while the system sleeps.
//! - The work item is disabled before the host is removed: [`Rescan::end`]. That waits for one unit
//!   at most, or for a scan for new ones; their commands have the timeouts of those who send them.
//! - A rescan holds references to the driver's module. To unload it may fail meanwhile, as if it
//!   were in use, and works a moment later.

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    },
};
use kernel::{
    container_of,
    prelude::*,
    static_lock_class,
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
    time::{
        msecs_to_jiffies,
        Msecs, //
    },
    types::Opaque, //
};

use super::{
    sense::SenseEvent,
    unit::{
        Unit,
        Verdict, //
    },
    Command,
    Operations, //
};

/// From the news to the rescan, in milliseconds.
const PAUSE: Msecs = 1000;

/// How many rescans there are at most, one after the other, while a unit does not say what it is.
const ATTEMPTS: u32 = 4;

impl<T: Operations> Command<'_, T> {
    /// Has all units of the host looked at anew, soon, if this is what the sense data mean with
    /// which the command is about to end. May be called in any context.
    pub fn note_sense(&self, sense: &[u8]) {
        let is_news = match SenseEvent::of_sense(sense) {
            Some(SenseEvent::Changed) => true,
            // Whoever looks for units gets this where there are none.
            Some(SenseEvent::NotThere) => self.unit().is_known(),
            None => false,
        };
        if is_news {
            // The midlayer may fetch the names anew as soon as it has the sense data.
            self.unit().remember();
            self.host().request_rescan();
        }
    }

    fn unit(&self) -> Unit<'_, T> {
        // SAFETY: By the type invariant the command is valid, and is one of a host of `T`. Its
        // device is not freed before it has ended.
        unsafe { Unit::from_raw(NonNull::new_unchecked((*self.as_raw()).device)) }
    }
}

/// The work item of a host.
///
/// # Invariants
///
/// `shost` is the host of a `T`, in whose private data this is; once a rescan was asked for, it was
/// added.
#[pin_data]
pub(super) struct Rescan<T> {
    #[pin]
    work: Opaque<bindings::delayed_work>,
    shost: *mut bindings::Scsi_Host,
    /// The host is about to be removed.
    ending: Atomic<bool>,
    /// Rescans that left something unclear, up to now and without a break. The work item's.
    unclear: Atomic<u32>,
    _driver: PhantomData<T>,
}

impl<T: Operations> Rescan<T> {
    /// # Safety
    ///
    /// What is returned must be put into the private data of `shost`, a host of `T`.
    /// [`Rescan::request`] must not be called before `shost` was added, and [`Rescan::end`] must be
    /// called before this is gone if it was.
    pub(super) unsafe fn new(shost: *mut bindings::Scsi_Host) -> impl PinInit<Self> {
        // INVARIANT: By the safety requirements.
        pin_init!(Self {
            work <- Opaque::ffi_init(|work: *mut bindings::delayed_work| {
                let key = static_lock_class!();
                let timer_key = static_lock_class!();
                // SAFETY: `work` points to memory for a `struct delayed_work` that is not moved
                // any more. `run` is for the work items of a `Rescan`. The timer's function is the
                // one for a timer in a `struct delayed_work`.
                unsafe {
                    bindings::init_work_with_key(
                        &raw mut (*work).work,
                        Some(Self::run),
                        false,
                        c"scsi_rescan".as_char_ptr(),
                        key.as_ptr(),
                    );
                    bindings::timer_init_key(
                        &raw mut (*work).timer,
                        Some(bindings::delayed_work_timer_fn),
                        bindings::TIMER_IRQSAFE,
                        c"scsi_rescan_timer".as_char_ptr(),
                        timer_key.as_ptr(),
                    );
                }
            }),
            shost,
            ending: Atomic::new(false),
            unclear: Atomic::new(0),
            _driver: PhantomData,
        })
    }

    /// Asks for a rescan, unless one is about to begin, or the host about to be removed.
    pub(super) fn request(&self) {
        // SAFETY: `work` was initialised, and the work queue is always there. That the work item
        // does not outlive this is in the requirements of `new`.
        unsafe {
            bindings::queue_delayed_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as i32,
                bindings::system_freezable_wq,
                self.work.get(),
                msecs_to_jiffies(PAUSE),
            );
        }
    }

    /// Cancels a rescan; if it has begun, waits for it to be done with the unit that it is at.
    /// There are no more after this.
    pub(super) fn end(&self) {
        self.ending.store(true, Relaxed);
        // SAFETY: `work` was initialised; called in process context, when the host is removed or
        // shut down.
        unsafe { bindings::disable_delayed_work_sync(self.work.get()) };
    }

    /// # Safety
    ///
    /// Called by the work queue only, with the work item of a `Rescan`.
    unsafe extern "C" fn run(work: *mut bindings::work_struct) {
        // SAFETY: By the safety requirement, this is where the work item lies; `end` waits for this
        // function.
        let this = unsafe {
            let work = container_of!(work, bindings::delayed_work, work);
            &*container_of!(Opaque::cast_from(work), Self, work)
        };
        this.rescan_if_loaded();
    }

    /// Rescans, unless the driver's module is being unloaded: then the midlayer finds no unit that
    /// it knows (`scsi_device_get` fails), and would add them all for a second time.
    fn rescan_if_loaded(&self) {
        // SAFETY: By the type invariant the host is valid. Its template is in the driver's module,
        // which removes the host before it goes, and so waits in `end`.
        let module = unsafe { (*(*self.shost).hostt).module };
        // SAFETY: As before; null stands for the kernel itself.
        if unsafe { bindings::try_module_get(module) } {
            self.rescan();
            // SAFETY: There is the reference that was just taken.
            unsafe { bindings::module_put(module) };
        }
    }

    fn rescan(&self) {
        let mut unclear = false;
        self.each_unit(|unit| {
            if self.is_ending() || !unit.is_running() {
                // Nobody wants to know any more; or it is offline, or just being looked for.
                return;
            }
            match unit.look() {
                Verdict::Same => {}
                Verdict::Unclear => unclear = true,
                Verdict::Gone => {
                    dev_info!(unit.device(), "the logical unit is gone\n");
                    unit.remove();
                }
            }
        });
        if self.is_ending() {
            return;
        }
        // SAFETY: By the type invariant the host is valid, and was added. It has one target.
        unsafe {
            bindings::scsi_scan_target(
                &raw mut (*self.shost).shost_gendev,
                0,
                0,
                // CAST: A macro of C; all ones.
                bindings::SCAN_WILD_CARD as u64,
                bindings::scsi_scan_mode_SCSI_SCAN_RESCAN,
            );
        }
        self.again_if(unclear);
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    /// Asks for another rescan if this one left something unclear, but not for ever.
    fn again_if(&self, unclear: bool) {
        let before = self.unclear.load(Relaxed);
        let again = unclear && before + 1 < ATTEMPTS;
        self.unclear
            .store(if again { before + 1 } else { 0 }, Relaxed);
        if again {
            self.request();
        }
    }

    /// Calls `each` with all units of the host. They may be removed.
    fn each_unit(&self, mut each: impl FnMut(&Unit<'_, T>)) {
        let mut sdev = null_mut();
        loop {
            // SAFETY: By the type invariant the host is valid. `sdev` is what the last call
            // returned, with a reference that this call gives up.
            sdev = unsafe { bindings::__scsi_iterate_devices(self.shost, sdev) };
            let Some(sdev) = NonNull::new(sdev) else {
                return;
            };
            // SAFETY: We hold a reference until the next call. The host is one of `T`.
            each(&unsafe { Unit::from_raw(sdev) });
        }
    }
}
