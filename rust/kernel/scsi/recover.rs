// SPDX-License-Identifier: GPL-2.0

//! The C callbacks of error handling behind [`Operations`].
//!
//! What is in flight decides, not the driver's word: the midlayer is told that a command is over
//! only when it is not in flight any more, and no token of it exists.

use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    error::Result,
    ffi::c_int,
    sync::atomic::ordering::Relaxed, //
};

use super::{
    area::{
        IDLE,
        WAITED, //
    },
    in_flight::Look,
    state::Access,
    template::Template,
    Command,
    Device,
    Host,
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

impl<T: Operations> Template<T> {
    /// The host and the tag of a command that error handling asks about.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`, with a request.
    unsafe fn subject<'a>(cmd: NonNull<bindings::scsi_cmnd>) -> (&'a Host<T>, Tag) {
        // SAFETY: By the safety requirement; a command has a device, and that has a host.
        unsafe {
            let shost = (*(*cmd.as_ptr()).device).host;
            let rq = bindings::blk_mq_rq_from_pdu(cmd.as_ptr().cast());
            let tag = Tag::of_request(rq, (*shost).host_tagset() != 0);
            (Host::from_raw(shost), tag)
        }
    }

    /// Has the driver look for commands that are done, if its device can be accessed.
    fn look(host: &Host<T>) {
        if T::HAS_EH_TIMED_OUT {
            host.with_device(|data| T::eh_timed_out(data, host));
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a command of a host of `T` that has timed out.
    pub(super) unsafe extern "C" fn timed_out(
        cmd: *mut bindings::scsi_cmnd,
    ) -> bindings::scsi_timeout_action {
        // SAFETY: The midlayer passes a command that is not freed before this has returned.
        let (cmd, word, (host, tag)) = unsafe {
            let cmd = NonNull::new_unchecked(cmd);
            (cmd, Command::<T>::word(cmd), Self::subject(cmd))
        };
        // SAFETY: As above.
        let in_flight = || unsafe { Host::<T>::is_in_flight(cmd, tag) };
        if host.is_disconnected() {
            host.device_lost();
        } else if in_flight() {
            Self::look(host);
        }
        if in_flight() {
            return match host.access() {
                Access::Running => bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED,
                // The restart, or who stops the device, ends it.
                _ => bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER,
            };
        }
        // SAFETY: As above.
        if unsafe { Command::<T>::is_complete(cmd) } {
            return bindings::scsi_timeout_action::SCSI_EH_DONE;
        }
        // Being queued, or being completed, at this very moment. That is over when the timer ends
        // again; a command that still is nowhere then is lost.
        match word.cmpxchg(IDLE, WAITED, Relaxed) {
            Err(WAITED) => bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED,
            _ => bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER,
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, in process context, with a command of a host of `T` that has
    /// timed out.
    pub(super) unsafe extern "C" fn abort(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: The midlayer passes a command that it does not end before this has returned.
        let (cmd, (host, tag)) = unsafe {
            let cmd = NonNull::new_unchecked(cmd);
            (cmd, Self::subject(cmd))
        };
        // SAFETY: As above.
        let in_flight = || unsafe { Host::<T>::is_in_flight(cmd, tag) };
        Self::look(host);
        // A token in somebody's hands is completed, or in flight again, after this.
        Host::<T>::settle();
        let abort = || {
            // SAFETY: As above; the host is not removed as long as it has a command.
            let (data, unit) = unsafe { Self::unit((*cmd.as_ptr()).device) };
            let victim = Victim::new(host, cmd, tag, unit);
            !victim.is_in_flight() || T::eh_abort(data, host, victim).is_ok()
        };
        // Of a device that is lost nothing is in flight.
        let believed = !in_flight() || host.accessible(abort).unwrap_or(true);
        let is_over = believed && !in_flight();
        // Who took it before that has completed it after this.
        Host::<T>::settle();
        // What the driver has lost, the device may still know.
        //
        // SAFETY: As above.
        let is_mapped = unsafe { Command::<T>::mapped(cmd) }.load(Relaxed) > 0;
        disposition(is_over && !is_mapped)
    }

    /// # Safety
    ///
    /// Called by the midlayer only, in process context, with a command whose device is one of a
    /// host of `T`. (The command of an ioctl has no tag.)
    pub(super) unsafe extern "C" fn device_reset(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: By the safety requirement.
        unsafe { Self::reset_units(cmd, T::eh_device_reset, |it, unit| it.unit == unit.as_raw()) }
    }

    /// # Safety
    ///
    /// As for [`Template::device_reset`].
    pub(super) unsafe extern "C" fn target_reset(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // The midlayer takes it for a reset of the targets with this id on all channels.
        //
        // SAFETY: By the safety requirement.
        unsafe { Self::reset_units(cmd, T::eh_target_reset, |it, unit| it.id == unit.id()) }
    }

    /// Resets a device, with all commands that this strikes.
    ///
    /// # Safety
    ///
    /// As for [`Template::device_reset`].
    unsafe fn reset_units(
        cmd: *mut bindings::scsi_cmnd,
        reset: fn(&T::Data<'_>, &Host<T>, &Device<T>) -> Result,
        is_struck: fn(&Look, &Device<T>) -> bool,
    ) -> c_int {
        // SAFETY: By the safety requirement.
        let (host, unit) = unsafe {
            let sdev = (*cmd).device;
            (Host::<T>::from_raw((*sdev).host), Device::from_raw(sdev))
        };
        let reset = || {
            // The midlayer lets no commands in, and who came in before is in flight after this.
            Host::<T>::settle();
            // SAFETY: The host is not removed meanwhile: see `accessible`.
            let result = reset(unsafe { host.data() }, host, unit);
            result.is_ok() && !host.is_anything_left(|it| is_struck(it, unit))
        };
        disposition(host.accessible(reset).unwrap_or(false))
    }

    /// # Safety
    ///
    /// As for [`Template::device_reset`].
    pub(super) unsafe extern "C" fn host_reset(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: By the safety requirement.
        let (host, submitter) =
            unsafe { (Host::<T>::from_raw((*(*cmd).device).host), (*cmd).submitter) };
        // Without one of the driver it is for error handling only: it costs the device.
        if !T::HAS_EH_HOST_RESET
            && submitter == bindings::scsi_cmnd_submitter_SUBMITTED_BY_SCSI_RESET_IOCTL
        {
            return disposition(false);
        }
        disposition(host.reset().is_ok())
    }
}
