// SPDX-License-Identifier: GPL-2.0

//! The C callbacks behind [`Operations`]; those of error handling are in `recover.rs`.

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
    attributes::HostAttributes,
    Command,
    Host,
    Operations, //
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
        commit_rqs: if T::HAS_COMMIT_RQS {
            Some(Self::commit_rqs)
        } else {
            None
        },
        sdev_init: if T::HAS_SDEV_INIT {
            Some(Self::sdev_init)
        } else {
            None
        },
        eh_timed_out: Some(Self::timed_out),
        eh_abort_handler: Some(Self::abort),
        eh_device_reset_handler: if T::HAS_EH_DEVICE_RESET {
            Some(Self::device_reset)
        } else {
            None
        },
        eh_host_reset_handler: Some(Self::host_reset),
        change_queue_depth: Some(bindings::scsi_change_queue_depth),
        // C code does not write to the groups: the field lacks a `const`.
        shost_groups: HostAttributes::<T>::GROUPS.cast_mut(),
        _bitfield_1: bindings::__BindgenBitfieldUnit::new(Self::FLAGS),
        ..pin_init::zeroed()
    };

    /// The bit fields of the template, whose generated setters are not `const`:
    ///
    /// - `tag_alloc_policy_rr` (bit 0): a tag is not used again before all others were, so that a
    ///   late answer to an old command is unlikely to meet a new one;
    /// - `track_queue_depth` (bit 1): if the driver says so;
    /// - `skip_settle_delay` (bit 5): `eh_host_reset` returns when the device is ready.
    ///
    /// [`Callbacks::check`] compares with the generated getters.
    const FLAGS: [u8; 2] = {
        let flags = 1 << 0 | (T::TRACK_QUEUE_DEPTH as u8) << 1 | 1 << 5;
        if cfg!(target_endian = "big") {
            [flags.reverse_bits(), 0]
        } else {
            [flags, 0]
        }
    };

    /// Whether [`Callbacks::FLAGS`] mean what they are meant to mean.
    pub(super) fn check() -> Result {
        let template = Self::template();
        let as_meant = template.tag_alloc_policy_rr()
            && template.track_queue_depth() == T::TRACK_QUEUE_DEPTH.into()
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
        let (cmd, flags) = unsafe { (NonNull::new_unchecked(cmd), (*cmd).flags) };
        // Without `commit_rqs` nobody else would tell the device.
        let is_last = !T::HAS_COMMIT_RQS || flags & bindings::SCMD_LAST as c_int != 0;
        // SAFETY: As above.
        let cmd = unsafe { Command::from_raw(cmd) };
        // SAFETY: The midlayer does not call into a host that was removed, which happens before
        // the device is unbound.
        let data = unsafe { host.data() };
        // The block layer holds it already, error handling does not: see `InFlight`.
        let _rcu = rcu::read_lock();
        match T::queue_command(data, host, cmd, is_last) {
            Ok(()) => bindings::scsi_qc_status(0),
            Err(busy) => busy.into_status(),
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a host of `T`, after commands were queued.
    unsafe extern "C" fn commit_rqs(shost: *mut bindings::Scsi_Host, _queue: u16) {
        // SAFETY: The midlayer passes a host made with this template.
        let host = unsafe { Host::<T>::from_raw(shost) };
        // SAFETY: As in `queue_command`.
        let data = unsafe { host.data() };
        let _rcu = rcu::read_lock();
        T::commit_rqs(data, host);
    }

    /// # Safety
    ///
    /// Called by the midlayer only, when it looks for units, with a device of a host of `T` that no
    /// command was sent to.
    unsafe extern "C" fn sdev_init(sdev: *mut bindings::scsi_device) -> c_int {
        // SAFETY: The midlayer passes a valid device of a host made with this template.
        let (host, lun) = unsafe { (Host::<T>::from_raw((*sdev).host), (*sdev).lun) };
        // SAFETY: The midlayer looks for units of a host that is not being removed, and removal
        // waits until it is done (`scan_mutex`).
        T::sdev_init(unsafe { host.data() }, lun);
        0
    }
}
