// SPDX-License-Identifier: GPL-2.0

//! The host template of a driver: the C callbacks behind [`Operations`]. Those of error handling
//! are in `recover.rs`.

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::from_result,
    ffi::c_int,
    module::this_module,
    prelude::*,
    sync::rcu, //
};

use super::{
    attributes::HostAttributes,
    device::QueueLimits,
    queues::QueueMap,
    state::Access,
    Command,
    Device,
    Host,
    HostByte,
    Operations,
    Outcome, //
};

/// The host template of a driver.
pub(super) struct Template<T: Operations>(PhantomData<T>);

/// `Some` for a callback that the driver has.
macro_rules! optional {
    ($has:expr, $callback:expr) => {
        if $has {
            Some($callback)
        } else {
            None
        }
    };
}

impl<T: Operations> Template<T> {
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
        init_cmd_priv: Some(Self::init_cmd_priv),
        queuecommand: Some(Self::queue_command),
        commit_rqs: optional!(T::HAS_COMMIT_RQS, Self::commit_rqs),
        map_queues: optional!(T::HAS_MAP_QUEUES, Self::map_queues),
        sdev_init: optional!(T::HAS_SDEV_INIT, Self::sdev_init),
        sdev_configure: optional!(T::HAS_SDEV_CONFIGURE, Self::sdev_configure),
        sdev_destroy: optional!(T::HAS_SDEV_DESTROY, Self::sdev_destroy),
        eh_timed_out: Some(Self::timed_out),
        eh_abort_handler: optional!(T::HAS_EH_ABORT, Self::abort),
        eh_device_reset_handler: optional!(T::HAS_EH_DEVICE_RESET, Self::device_reset),
        eh_target_reset_handler: optional!(T::HAS_EH_TARGET_RESET, Self::target_reset),
        // Without one of the driver it ends the commands that the midlayer gives up.
        eh_host_reset_handler: Some(Self::host_reset),
        change_queue_depth: Some(bindings::scsi_change_queue_depth),
        // C code does not write to the groups: the field lacks a `const`.
        shost_groups: HostAttributes::<T>::GROUPS.cast_mut(),
        _bitfield_1: bindings::__BindgenBitfieldUnit::new(Self::FLAGS),
        ..pin_init::zeroed()
    };

    /// The bit fields of the template, whose generated setters are not `const`:
    /// `tag_alloc_policy_rr` (bit 0), `track_queue_depth` (bit 1) and `skip_settle_delay` (bit 5),
    /// since `eh_host_reset` returns when the device is ready. [`Template::check`] compares with
    /// the generated getters.
    const FLAGS: [u8; 2] = {
        let flags = T::TAG_ALLOC_POLICY_RR as u8 | (T::TRACK_QUEUE_DEPTH as u8) << 1 | 1 << 5;
        if cfg!(target_endian = "big") {
            [flags.reverse_bits(), 0]
        } else {
            [flags, 0]
        }
    };

    /// Whether [`Template::FLAGS`] mean what they are meant to mean.
    pub(super) fn check() -> Result {
        let template = Self::get();
        let as_meant = template.tag_alloc_policy_rr() == T::TAG_ALLOC_POLICY_RR
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

    pub(super) const fn get() -> &'static bindings::scsi_host_template {
        &Self::TEMPLATE
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a command of a host of `T` that was just allocated.
    unsafe extern "C" fn init_cmd_priv(
        _shost: *mut bindings::Scsi_Host,
        cmd: *mut bindings::scsi_cmnd,
    ) -> c_int {
        // SAFETY: By the safety requirement.
        unsafe { Command::<T>::init_area(NonNull::new_unchecked(cmd)) };
        0
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a host of `T` and a command of it that belongs to the
    /// driver from now on.
    unsafe extern "C" fn queue_command(
        shost: *mut bindings::Scsi_Host,
        raw: *mut bindings::scsi_cmnd,
    ) -> bindings::scsi_qc_status {
        // SAFETY: The midlayer passes a host made with this template.
        let host = unsafe { Host::<T>::from_raw(shost) };
        // SAFETY: The midlayer passes a valid command, which is the driver's until it is done.
        let cmd = unsafe { NonNull::new_unchecked(raw) };
        // SAFETY: As above.
        if unsafe { Self::is_too_early(host, cmd) || !Command::<T>::forget_past(cmd) } {
            return bindings::scsi_qc_status::SCSI_MLQUEUE_HOST_BUSY;
        }
        // SAFETY: As above. Without `commit_rqs` nobody else would tell the device.
        let is_last = !T::HAS_COMMIT_RQS || unsafe { (*raw).flags } & SCMD_LAST != 0;
        // SAFETY: As above.
        let cmd = unsafe { Command::<T>::from_raw(cmd) };
        // The block layer holds it already, error handling does not: see `in_flight.rs`.
        let _rcu = rcu::read_lock();
        let queued = match host.access() {
            // SAFETY: Whoever takes the access away waits for a grace period before the
            // registration goes.
            Access::Running => T::queue_command(unsafe { host.data() }, host, cmd, is_last),
            Access::Adding | Access::Resetting | Access::Quiesced => Err(cmd.busy()),
            Access::None | Access::Lost => {
                cmd.complete(Outcome::host(HostByte::NoConnect));
                Ok(())
            }
        };
        match queued {
            Ok(()) => bindings::scsi_qc_status(0),
            Err(busy) => busy.into_status(),
        }
    }

    /// Whether error handling sends a command too early. If a command without data succeeds, error
    /// handling takes the unit for ready, and ends all its other commands without asking for them.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of `host`, which is being queued.
    pub(super) unsafe fn is_too_early(host: &Host<T>, cmd: NonNull<bindings::scsi_cmnd>) -> bool {
        // SAFETY: By the safety requirement.
        unsafe {
            if !Command::<T>::is_of_error_handling(cmd) {
                return false;
            }
            // It uses the place of an old command, which somebody may be completing.
            Host::<T>::settle();
            let cmd = cmd.as_ptr();
            (*cmd).sc_data_direction == bindings::dma_data_direction::DMA_NONE
                && host.is_anything_left(|it| it.unit == (*cmd).device)
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a host of `T`, after commands were queued.
    unsafe extern "C" fn commit_rqs(shost: *mut bindings::Scsi_Host, queue: u16) {
        // SAFETY: The midlayer passes a host made with this template.
        let host = unsafe { Host::<T>::from_raw(shost) };
        let _rcu = rcu::read_lock();
        if host.access() == Access::Running {
            // SAFETY: As in `queue_command`.
            T::commit_rqs(unsafe { host.data() }, host, queue);
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a host of `T` that is being added.
    unsafe extern "C" fn map_queues(shost: *mut bindings::Scsi_Host) {
        // SAFETY: The midlayer passes a host made with this template, whose registration is being
        // made. The maps are its own.
        unsafe {
            let map = QueueMap::of_host(shost);
            map.spread();
            T::map_queues(Host::<T>::from_raw(shost).data(), map);
        }
    }

    /// # Safety
    ///
    /// Called by the midlayer only, when it looks for units, with a device of a host of `T` that no
    /// command was sent to.
    unsafe extern "C" fn sdev_init(sdev: *mut bindings::scsi_device) -> c_int {
        // SAFETY: The midlayer passes a valid device of a host made with this template. It looks
        // for units of a host that is not being removed, and removal waits until it is done
        // (`scan_mutex`).
        let (data, device) = unsafe { Self::unit(sdev) };
        from_result(|| T::sdev_init(data, device).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a device of a host of `T`, and the limits of its queue.
    unsafe extern "C" fn sdev_configure(
        sdev: *mut bindings::scsi_device,
        limits: *mut bindings::queue_limits,
    ) -> c_int {
        // SAFETY: As in `sdev_init`.
        let (data, device) = unsafe { Self::unit(sdev) };
        // SAFETY: By the safety requirement; nobody else uses the limits meanwhile.
        let limits = unsafe { QueueLimits::from_raw(limits) };
        from_result(|| T::sdev_configure(data, device, limits).map(|()| 0))
    }

    /// # Safety
    ///
    /// Called by the midlayer only, with a device of a host of `T` that is being removed.
    unsafe extern "C" fn sdev_destroy(sdev: *mut bindings::scsi_device) {
        // SAFETY: The midlayer passes a valid device of a host made with this template. A host is
        // not removed before its units are.
        let (data, device) = unsafe { Self::unit(sdev) };
        T::sdev_destroy(data, device);
    }

    /// # Safety
    ///
    /// `sdev` must be a valid device of a host of `T`, whose registration is there, for `'a`.
    pub(super) unsafe fn unit<'a>(
        sdev: *mut bindings::scsi_device,
    ) -> (&'a T::Data<'a>, &'a Device<T>) {
        // SAFETY: By the safety requirement.
        unsafe {
            let host = Host::<T>::from_raw((*sdev).host);
            (host.data(), Device::from_raw(sdev))
        }
    }
}

// CAST: One bit.
const SCMD_LAST: c_int = bindings::SCMD_LAST as c_int;
