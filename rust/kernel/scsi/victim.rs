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

/// Who ends a command that was taken back.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    /// The midlayer, when `eh_abort` has returned: it asked for this very command.
    Midlayer,
    /// We do. A reset that a user asked for (`sg_reset`) strikes commands that have not timed out,
    /// and nobody else ends those. For one that has timed out it does no harm: see
    /// [`Victim::take_back`].
    Us,
}

/// A command in flight that error handling wants back from the device. It is named only: the
/// command stays in flight, and may complete at any moment.
pub struct Victim<'a, T: Operations> {
    host: &'a Host<T>,
    cmd: NonNull<bindings::scsi_cmnd>,
    tag: Tag,
    unit: &'a Device<T>,
    owner: Owner,
}

impl<'a, T: Operations> Victim<'a, T> {
    pub(super) fn new(
        host: &'a Host<T>,
        cmd: NonNull<bindings::scsi_cmnd>,
        tag: Tag,
        unit: &'a Device<T>,
        owner: Owner,
    ) -> Self {
        Self {
            host,
            cmd,
            tag,
            unit,
            owner,
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
    /// In `eh_abort` that is all: the midlayer tries the command again, or ends it, when the
    /// callback has returned. In `eh_device_reset` the command ends here, with `DID_RESET`.
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
        match self.owner {
            Owner::Midlayer => {
                // It is the midlayer's since it has timed out.
                let _ = cmd.into_raw();
            }
            // Error handling may own this one as well: then `scsi_timeout()` has set
            // SCMD_STATE_COMPLETE before, so that `scsi_done()` does nothing, or it is one of its
            // own commands, which `scsi_eh_done()` tells it of.
            Owner::Us => cmd.complete(Outcome::host(HostByte::Reset)),
        }
        Some(data)
    }
}
