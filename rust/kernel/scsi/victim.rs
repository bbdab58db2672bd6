// SPDX-License-Identifier: GPL-2.0

//! A command in flight that error handling wants back from the device.

use crate::bindings;
use core::ptr::NonNull;
use kernel::sync::rcu;

use super::{
    Device,
    Host,
    HostByte,
    Operations,
    Outcome,
    Tag, //
};

/// A command in flight that error handling wants back from the device. It is named only: the
/// command stays in flight, and may complete at any moment.
pub struct Victim<'a, T: Operations> {
    host: &'a Host<T>,
    cmd: NonNull<bindings::scsi_cmnd>,
    tag: Tag,
    unit: &'a Device<T>,
}

impl<'a, T: Operations> Victim<'a, T> {
    pub(super) fn new(
        host: &'a Host<T>,
        cmd: NonNull<bindings::scsi_cmnd>,
        tag: Tag,
        unit: &'a Device<T>,
    ) -> Self {
        Self {
            host,
            cmd,
            tag,
            unit,
        }
    }

    /// The command's tag.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The logical unit that the command is for.
    pub fn device(&self) -> &'a Device<T> {
        self.unit
    }

    /// Whether the command is still in flight. It may complete right after this said so.
    pub fn is_in_flight(&self) -> bool {
        let _rcu = rcu::read_lock();
        let found = self.host.with_command(self.tag, |cmd| {
            // SAFETY: `with_command` passes a command of this host.
            cmd == self.cmd && unsafe { Host::<T>::is_in_flight(cmd, self.tag) }
        });
        found.unwrap_or(false)
    }

    /// Takes the command and undoes its DMA mapping. Returns what the driver kept with it; `None`
    /// if it has completed meanwhile.
    ///
    /// To be called when the device has said that it is done with the command, or does no DMA.
    ///
    /// The command ends here, with `DID_RESET`, if a reset that a user asked for (`sg_reset`)
    /// strikes it. One that has timed out is tried again, or ended, by error handling.
    pub fn take_back(self) -> Option<T::CommandData> {
        let _rcu = rcu::read_lock();
        let (cmd, data) = self.host.with_command(self.tag, |cmd| {
            if cmd != self.cmd {
                return None;
            }
            // SAFETY: `with_command` passes a command of this host. The RCU read lock is held until
            // the token is gone.
            unsafe { Host::<T>::take_this(cmd, self.tag) }
        })??;
        // Does nothing if error handling has the command: then `scsi_timeout()` has marked it as
        // complete. If it is one of its own it is told, and does not listen any more.
        cmd.complete(Outcome::host(HostByte::Reset));
        Some(data)
    }
}
