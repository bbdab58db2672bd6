// SPDX-License-Identifier: GPL-2.0

//! Logical units that come, go or change while the host is in use.
//!
//! A target tells of them by the sense data of whichever command comes first. The midlayer logs
//! that and sends a uevent, and leaves it to others to act. Here, [`Command::heed`] asks for a
//! rescan, from the interrupt in which the command ends:
//!
//! ```text
//!   heed --> a second later, in a work item: for each unit   is it gone? remove it
//!                                                            else ask for its capacity
//!                                            then            REPORT LUNS, add what is new
//! ```
//!
//! - What is told within that second, by all units, leads to one rescan; what is told during a
//!   rescan, by its own commands too, to one more. A target that never stops telling gets a rescan
//!   a second.
//! - A unit goes only if it says itself that it is not there, or if another one answers in its
//!   place. One that does not answer stays, as does one that REPORT LUNS forgot: to take a disk
//!   away that is there is worse than to keep one that is not.
//! - While the host is quiesced, the commands of a rescan wait with all others. The work queue
//!   stands still while the system sleeps.
//! - The work item is disabled before the host is removed: [`Rescan::end`].

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
    device,
    prelude::*,
    static_lock_class,
    sync::rcu,
    time::{
        msecs_to_jiffies,
        Msecs, //
    },
    types::Opaque, //
};

use super::{
    sense::News,
    Command,
    Host,
    Operations,
    Sense, //
};

/// From the news to the rescan, in milliseconds.
const PAUSE: Msecs = 1000;

/// How long a unit may take to answer, in milliseconds.
const TIMEOUT: Msecs = 30_000;

/// How often the midlayer tries again, unit attention conditions included.
const RETRIES: i32 = 5;

const INQUIRY: u8 = bindings::INQUIRY as u8;

/// Length of the INQUIRY data that are looked at.
const INQUIRY_LEN: u8 = 36;

/// VPD page "device identification" (SPC-4, 7.8.6).
const IDENTIFICATION: u8 = 0x83;

/// Most that is compared of that page, in bytes.
const BUFFER_LEN: usize = 512;

impl<T: Operations> Command<'_, T> {
    /// Has all units of the host looked at anew, soon, if this is what the sense data mean with
    /// which the command is about to end. May be called in any context.
    pub fn heed(&self, sense: &Sense) {
        let heeded = match sense.news() {
            Some(News::Changed) => true,
            // Whoever looks for units gets this where there are none.
            Some(News::NotThere) => self.is_of_known_unit(),
            None => false,
        };
        if heeded {
            self.host().request_rescan();
        }
    }

    /// Whether the command's unit was there when it was looked for.
    fn is_of_known_unit(&self) -> bool {
        // SAFETY: By the type invariant the command is valid, and so is its device.
        unsafe { is_known((*self.as_raw()).device) }
    }
}

/// Whether a unit was seen to be there, and is not just being looked for.
///
/// # Safety
///
/// `sdev` must be valid.
unsafe fn is_known(sdev: *const bindings::scsi_device) -> bool {
    // SAFETY: By the safety requirement. The field is changed by others at any time.
    let state = unsafe { (&raw const (*sdev).sdev_state).read_volatile() };
    state != bindings::scsi_device_state_SDEV_CREATED
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

    /// Cancels a rescan, or waits for it if it has begun; there are no more after this.
    pub(super) fn end(&self) {
        // SAFETY: `work` was initialised; called in process context, by `Owner::remove`.
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
        self.reset_if_wanted();
        let Ok(mut buffer) = KBox::new([0; BUFFER_LEN], GFP_KERNEL) else {
            // The next one that is told of the change tries again.
            return;
        };
        self.each_unit(|unit| {
            if !unit.is_known() {
                // Somebody else is looking for it.
            } else if unit.is_gone(&mut buffer) {
                dev_info!(unit.device(), "the logical unit is gone\n");
                unit.remove();
            } else {
                unit.rescan();
            }
        });
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
    }

    /// Lets the driver learn what it needs to know to look for units.
    fn reset_if_wanted(&self) {
        // SAFETY: By the type invariant. The host is not removed before `end` was called, and that
        // waits.
        let (host, data) = unsafe {
            let host = Host::<T>::from_raw(self.shost);
            (host, host.data())
        };
        if T::HAS_WANTS_RESET && T::wants_reset(data) {
            // If that fails there is nothing that could be asked.
            let _ = host.reset();
        }
    }

    /// Calls `each` with all units of the host. They may be removed.
    fn each_unit(&self, mut each: impl FnMut(&Unit<'_>)) {
        let mut sdev = null_mut();
        loop {
            // SAFETY: By the type invariant the host is valid. `sdev` is what the last call
            // returned, with a reference that this call gives up.
            sdev = unsafe { bindings::__scsi_iterate_devices(self.shost, sdev) };
            let Some(sdev) = NonNull::new(sdev) else {
                return;
            };
            // INVARIANT: We hold a reference until the next call.
            each(&Unit(sdev, PhantomData));
        }
    }
}

/// A logical unit that the midlayer knows.
///
/// # Invariants
///
/// Points to a `struct scsi_device` of which somebody holds a reference for `'a`.
struct Unit<'a>(NonNull<bindings::scsi_device>, PhantomData<&'a ()>);

impl Unit<'_> {
    fn as_raw(&self) -> *mut bindings::scsi_device {
        self.0.as_ptr()
    }

    fn device(&self) -> &device::Device {
        // SAFETY: By the type invariant; `device::Device` is a transparent wrapper.
        unsafe { &*(&raw const (*self.as_raw()).sdev_gendev).cast() }
    }

    fn is_known(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { is_known(self.as_raw()) }
    }

    /// Whether the unit is not there any more, or is not the one that was found at this place.
    fn is_gone(&self, buffer: &mut [u8; BUFFER_LEN]) -> bool {
        match self.inquire(buffer) {
            Answer::Data(now) => Some(now) != self.kind() || self.is_another(buffer),
            Answer::NotThere => true,
            Answer::Unclear => false,
        }
    }

    /// What [`Answer::Data`] was when the unit was found.
    fn kind(&self) -> Option<u8> {
        // SAFETY: By the type invariant. A unit that is known has INQUIRY data, of 36 bytes or
        // more, which stay as they are.
        unsafe { (*self.as_raw()).inquiry.as_ref() }.copied()
    }

    fn inquire(&self, buffer: &mut [u8; BUFFER_LEN]) -> Answer {
        let cdb = [INQUIRY, 0, 0, 0, INQUIRY_LEN, 0];
        let mut sense = bindings::scsi_sense_hdr::default();
        let args = bindings::scsi_exec_args {
            sshdr: &mut sense,
            ..pin_init::zeroed()
        };
        // SAFETY: By the type invariant the device is valid. The CDB is as long as its operation
        // code says, the buffer is long enough, and `args` outlives the call.
        let result = unsafe {
            bindings::scsi_execute_cmd(
                self.as_raw(),
                cdb.as_ptr(),
                bindings::req_op_REQ_OP_DRV_IN,
                buffer.as_mut_ptr().cast(),
                INQUIRY_LEN.into(),
                // CAST: A number of jiffies that fits; see `TIMEOUT`.
                msecs_to_jiffies(TIMEOUT) as i32,
                RETRIES,
                &args,
            )
        };
        if result == 0 {
            return Answer::Data(buffer[0]);
        }
        let valid = result > 0 && sense.response_code & 0x70 == 0x70;
        match News::of(sense.sense_key, sense.asc, sense.ascq) {
            Some(News::NotThere) if valid => Answer::NotThere,
            _ => Answer::Unclear,
        }
    }

    /// Whether the unit has another name than when it was found. Not if either is not known.
    fn is_another(&self, buffer: &mut [u8; BUFFER_LEN]) -> bool {
        // SAFETY: By the type invariant the device is valid, and the buffer has that length.
        let result = unsafe {
            bindings::scsi_get_vpd_page(
                self.as_raw(),
                IDENTIFICATION,
                buffer.as_mut_ptr(),
                // CAST: See the constant.
                BUFFER_LEN as i32,
            )
        };
        if result != 0 {
            return false;
        }
        let _rcu = rcu::read_lock();
        // SAFETY: By the type invariant the device is valid. The page is not freed as long as the
        // RCU read lock is held, and has `len` bytes.
        let before = unsafe {
            let page = core::ptr::read_volatile(&raw const (*self.as_raw()).vpd_pg83);
            if page.is_null() {
                return false;
            }
            let len = usize::try_from((*page).len).unwrap_or(0);
            core::slice::from_raw_parts((&raw const (*page).data).cast::<u8>(), len)
        };
        buffer.iter().zip(before).any(|(now, before)| now != before)
    }

    fn remove(&self) {
        // SAFETY: By the type invariant. The scan mutex is not held.
        unsafe { bindings::scsi_remove_device(self.as_raw()) };
    }

    /// Has the disk driver ask for the capacity again.
    fn rescan(&self) {
        // A unit that is not running is left alone.
        //
        // SAFETY: By the type invariant.
        unsafe { bindings::scsi_rescan_device(self.as_raw()) };
    }
}

/// What a unit says of itself.
enum Answer {
    /// Peripheral qualifier and device type.
    Data(u8),
    /// There is no such unit.
    NotThere,
    /// Nothing, or nothing of use.
    Unclear,
}
