// SPDX-License-Identifier: GPL-2.0

//! What a low-level driver implements.

use kernel::{
    build_error,
    error::VTABLE_DEFAULT_ERROR,
    prelude::*,
    str::CStr, //
};

use super::{
    Busy,
    Command,
    Host, //
};

/// The callbacks of a SCSI low-level driver.
#[vtable]
pub trait Operations: Sized + 'static {
    /// What the driver keeps for each host. It lives from before the host is added until after
    /// it was removed.
    type Data<'bound>: Send + Sync + 'bound;

    /// What the driver keeps with each command in flight. Passed to [`Command::start`], and
    /// given back when the command is taken out of the table.
    type CommandData: Send + 'static;

    /// The driver's name, in sysfs and in the log.
    const NAME: &'static CStr;

    /// Carries out a command, or gives it back.
    ///
    /// Called in atomic context, possibly from several CPUs at once. The command must be
    /// completed, started, or given back as [`Busy`]: the midlayer then tries again later.
    fn queue_command<'a>(
        data: &Self::Data<'_>,
        host: &'a Host<Self>,
        cmd: Command<'a, Self>,
    ) -> Result<(), Busy<'a, Self>>;

    /// A logical unit was found, or may have been: what the driver knows of an earlier one with
    /// this number is out of date.
    ///
    /// Called in process context, before the first command to it, and when no command to an earlier
    /// one is left.
    fn unit_found(data: &Self::Data<'_>, lun: u64) {
        let _ = (data, lun);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Looks for commands that are done but whose interrupt was lost, and completes them.
    ///
    /// Called in atomic context when a command has timed out, before it is given up. May run at
    /// the same time as the interrupt handler.
    fn poll(data: &Self::Data<'_>, host: &Host<Self>);

    /// Restarts the host adapter after a command was lost, or after the device was quiesced and may
    /// have been reset, or without power.
    ///
    /// The implementation stops the device's DMA, ends the commands in flight by
    /// [`Host::surrender`], and starts the device again. Commands may be queued meanwhile, and
    /// afterwards: they are given back as [`Busy`] until [`Operations::accept_commands`] is called,
    /// which may take a while. An error means that the device did not come back, and that the
    /// driver starts no command any more: the midlayer then takes logical units offline.
    ///
    /// Called in process context, and never twice at a time for a host.
    fn host_reset(data: &Self::Data<'_>, host: &Host<Self>) -> Result;

    /// Whether the driver wants to be reset before logical units are looked for again: there is
    /// something that it can find out only with the device for itself.
    ///
    /// Called in process context. See also [`Host::request_rescan`].
    fn wants_reset(data: &Self::Data<'_>) -> bool {
        let _ = data;
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Lets commands in again after an [`Operations::host_reset`] that worked.
    fn accept_commands(data: &Self::Data<'_>, host: &Host<Self>);
}
