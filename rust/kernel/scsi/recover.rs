// SPDX-License-Identifier: GPL-2.0

//! The C callbacks of error handling behind [`Operations`].
//!
//! The table of commands in flight decides, not the driver's word: the midlayer is told that a
//! command is over only when the table does not hold it any more, and nobody has it in his hands.

use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    ffi::c_int,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu, //
    },
};

use super::{
    callbacks::Callbacks,
    victim::Owner,
    Command,
    Host,
    InFlight,
    Operations,
    Tag,
    Victim, //
};

fn disposition(is_over: bool) -> c_int {
    let disposition = if is_over {
        bindings::scsi_disposition_SUCCESS
    } else {
        bindings::scsi_disposition_FAILED
    };
    disposition as c_int
}

impl<T: Operations> Callbacks<T> {
    /// The host and the tag of a command that error handling asks about.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`, with a request that has a tag.
    unsafe fn subject<'a>(cmd: *mut bindings::scsi_cmnd) -> (&'a Host<T>, Tag) {
        // SAFETY: By the safety requirement; a command has a device, and that has a host.
        unsafe {
            let host = Host::from_raw((*(*cmd).device).host);
            // CAST: Tags are below `can_queue`, which is a `u16`.
            (
                host,
                Tag((*bindings::blk_mq_rq_from_pdu(cmd.cast())).tag as u16),
            )
        }
    }

    /// Has the driver look for commands that are done, if its device can be accessed.
    fn look(host: &Host<T>) {
        // Quiescing waits for this.
        let _rcu = rcu::read_lock();
        if !host.is_quiesced() {
            // SAFETY: The midlayer does not ask about a command of a host that was removed.
            T::eh_timed_out(unsafe { host.data() }, host);
        }
    }

    /// Whether the midlayer was told that the command has ended, or error handling has it.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command.
    unsafe fn is_complete(cmd: *mut bindings::scsi_cmnd) -> bool {
        // SAFETY: By the safety requirement. C code accesses the field by atomic operations.
        let state = unsafe { Atomic::from_ptr(&raw mut (*cmd).state) }.load(Relaxed);
        state & (1 << bindings::SCMD_STATE_COMPLETE) != 0
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a command of a host of `T` that has timed out.
    pub(super) unsafe extern "C" fn timed_out(
        cmd: *mut bindings::scsi_cmnd,
    ) -> bindings::scsi_timeout_action {
        // SAFETY: The midlayer passes a command in flight.
        let (host, tag) = unsafe { Self::subject(cmd) };
        let in_flight = || host.in_flight().holds(cmd, tag);
        if in_flight() {
            Self::look(host);
        }
        if in_flight() {
            return if host.is_quiesced() {
                // The restart ends it.
                bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER
            } else {
                bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED
            };
        }
        // SAFETY: By the safety requirement.
        if unsafe { Self::is_complete(cmd) } {
            return bindings::scsi_timeout_action::SCSI_EH_DONE;
        }
        // Being queued, or being completed, at this very moment. That is over when the timer ends
        // again; a command that still is nowhere then is lost.
        //
        // SAFETY: By the safety requirement. The midlayer has cleared the area, and nobody but this
        // function accesses the field.
        let waited = unsafe {
            let area = Command::<T>::area(NonNull::new_unchecked(cmd)).as_ptr();
            (*area).waited.xchg(true, Relaxed)
        };
        if waited {
            bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED
        } else {
            bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, in process context, with a command of a host of `T` that has
    /// timed out.
    pub(super) unsafe extern "C" fn abort(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: The midlayer passes a command that it does not end before this has returned.
        let (host, tag) = unsafe { Self::subject(cmd) };
        let in_flight = || host.in_flight().holds(cmd, tag);
        Self::look(host);
        // A token in somebody's hands is completed, or back in the table, after this.
        InFlight::<T>::drain();
        let abort = || {
            // SAFETY: The midlayer passes a valid command, whose device is valid too.
            let (cmd, lun) = unsafe { (NonNull::new_unchecked(cmd), (*(*cmd).device).lun) };
            let victim = Victim::new(host, cmd, tag, lun, Owner::Midlayer);
            // SAFETY: The host is not removed as long as it has a command.
            !victim.is_in_flight() || T::eh_abort(unsafe { host.data() }, host, victim).is_ok()
        };
        // Of a device that was shut down nothing is in flight.
        let believed = !T::HAS_EH_ABORT || !in_flight() || host.accessible(abort).unwrap_or(true);
        InFlight::<T>::drain();
        disposition(believed && !in_flight())
    }

    /// # Safety
    ///
    /// Called by the midlayer only, in process context, with a command whose device is one of a
    /// host of `T`. (The command of an ioctl has no tag.)
    pub(super) unsafe extern "C" fn device_reset(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: By the safety requirement.
        let (host, lun) = unsafe {
            let sdev = (*cmd).device;
            (Host::<T>::from_raw((*sdev).host), (*sdev).lun)
        };
        let reset = || {
            // The midlayer lets no commands in, and who came in before is in the table after this.
            InFlight::<T>::drain();
            // SAFETY: The host is not removed meanwhile: see `accessible`.
            let result = T::eh_device_reset(unsafe { host.data() }, host, lun);
            InFlight::<T>::drain();
            result.is_ok() && host.in_flight_of(lun).next().is_none()
        };
        disposition(host.accessible(reset).unwrap_or(false))
    }

    /// # Safety
    ///
    /// As for [`Callbacks::device_reset`].
    pub(super) unsafe extern "C" fn host_reset(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: By the safety requirement.
        let host = unsafe { Host::<T>::from_raw((*(*cmd).device).host) };
        disposition(host.reset().is_ok())
    }
}
