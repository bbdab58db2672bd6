// SPDX-License-Identifier: GPL-2.0

//! The C callbacks behind [`Operations`].

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    ffi::c_int,
    module::this_module,
    prelude::*,
    sync::rcu, //
};

use super::{
    Command,
    Host,
    InFlight,
    Operations,
    Tag, //
};

/// The host template of a driver.
pub(super) struct Callbacks<T: Operations>(PhantomData<T>);

impl<T: Operations> Callbacks<T> {
    #[allow(
        clippy::disallowed_methods,
        reason = "`as_char_ptr` cannot be called in a constant"
    )]
    const TEMPLATE: bindings::scsi_host_template = bindings::scsi_host_template {
        module: this_module::<T::OwnerModule>().as_ptr(),
        name: T::NAME.as_ptr().cast(),
        proc_name: T::NAME.as_ptr().cast(),
        cmd_size: Command::<'static, T>::PRIVATE_SIZE as u32,
        this_id: -1,
        queuecommand: Some(Self::queue_command),
        sdev_init: if T::HAS_UNIT_FOUND {
            Some(Self::unit_found)
        } else {
            None
        },
        eh_timed_out: Some(Self::timed_out),
        eh_abort_handler: Some(Self::abort),
        eh_host_reset_handler: Some(Self::host_reset),
        change_queue_depth: Some(bindings::scsi_change_queue_depth),
        _bitfield_1: bindings::__BindgenBitfieldUnit::new(Self::FLAGS),
        ..pin_init::zeroed()
    };

    /// The bit fields of the template, whose generated setters are not `const`:
    ///
    /// - `tag_alloc_policy_rr` (bit 0): a tag is not used again before all others were, so that a
    ///   late answer to an old command is unlikely to meet a new one;
    /// - `skip_settle_delay` (bit 5): `host_reset` returns when the device is ready.
    ///
    /// [`Callbacks::check`] compares with the generated getters.
    const FLAGS: [u8; 2] = if cfg!(target_endian = "big") {
        [1 << 7 | 1 << 2, 0]
    } else {
        [1 << 0 | 1 << 5, 0]
    };

    /// Whether [`Callbacks::FLAGS`] mean what they are meant to mean.
    pub(super) fn check() -> Result {
        let template = Self::template();
        let as_meant = template.tag_alloc_policy_rr()
            && template.skip_settle_delay() == 1
            && template.no_write_same() == 0
            && template.queuecommand_may_block() == 0;
        if as_meant {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    pub(super) const fn template() -> &'static bindings::scsi_host_template {
        &Self::TEMPLATE
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a host of `T` and a command of it that belongs to the
    /// driver from now on.
    unsafe extern "C" fn queue_command(
        shost: *mut bindings::Scsi_Host,
        cmd: *mut bindings::scsi_cmnd,
    ) -> bindings::scsi_qc_status {
        // SAFETY: The midlayer passes a host made with this template.
        let host = unsafe { Host::<T>::from_raw(shost) };
        // SAFETY: The midlayer passes a valid command, which is the driver's until it is done.
        let cmd = unsafe { Command::from_raw(NonNull::new_unchecked(cmd)) };
        // SAFETY: The midlayer does not call into a host that was removed, which happens before
        // the device is unbound.
        let data = unsafe { host.data() };
        // The block layer holds it already, error handling does not: see `InFlight`.
        let _rcu = rcu::read_lock();
        match T::queue_command(data, host, cmd) {
            Ok(()) => bindings::scsi_qc_status(0),
            Err(busy) => busy.into_status(),
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, when it looks for units, with a device of a host of `T` that no
    /// command was sent to.
    unsafe extern "C" fn unit_found(sdev: *mut bindings::scsi_device) -> c_int {
        // SAFETY: The midlayer passes a valid device of a host made with this template.
        let (host, lun) = unsafe { (Host::<T>::from_raw((*sdev).host), (*sdev).lun) };
        // SAFETY: The midlayer looks for units of a host that is not being removed, and removal
        // waits until it is done (`scan_mutex`).
        T::unit_found(unsafe { host.data() }, lun);
        0
    }

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
    fn poll(host: &Host<T>) {
        // Quiescing waits for this.
        let _rcu = rcu::read_lock();
        if !host.is_quiesced() {
            // SAFETY: As in `queue_command`.
            T::poll(unsafe { host.data() }, host);
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a command of a host of `T` that has timed out.
    unsafe extern "C" fn timed_out(cmd: *mut bindings::scsi_cmnd) -> bindings::scsi_timeout_action {
        // SAFETY: The midlayer passes a command in flight.
        let (host, tag) = unsafe { Self::subject(cmd) };
        if !host.in_flight().holds(cmd, tag) {
            // Being queued, or being completed, at this very moment: not lost.
            return bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER;
        }
        if host.is_quiesced() {
            // The restart ends it.
            return bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER;
        }
        Self::poll(host);
        if host.in_flight().holds(cmd, tag) {
            bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED
        } else {
            bindings::scsi_timeout_action::SCSI_EH_DONE
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, in process context, with a command of a host of `T` that has
    /// timed out.
    unsafe extern "C" fn abort(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: The midlayer passes a command in flight.
        let (host, tag) = unsafe { Self::subject(cmd) };
        Self::poll(host);
        // A token in somebody's hands is completed, or back in the table, after this.
        InFlight::<T>::drain();
        if host.in_flight().holds(cmd, tag) {
            bindings::scsi_disposition_FAILED as c_int
        } else {
            bindings::scsi_disposition_SUCCESS as c_int
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, in process context, with a command whose device is one of a
    /// host of `T`. (The command of an ioctl has no tag.)
    unsafe extern "C" fn host_reset(cmd: *mut bindings::scsi_cmnd) -> c_int {
        // SAFETY: By the safety requirement.
        let host = unsafe { Host::<T>::from_raw((*(*cmd).device).host) };
        match host.reset() {
            Ok(()) => bindings::scsi_disposition_SUCCESS as c_int,
            Err(_) => bindings::scsi_disposition_FAILED as c_int,
        }
    }
}
