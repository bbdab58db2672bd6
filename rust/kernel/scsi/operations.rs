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
    Host,
    HostAttributes,
    Victim, //
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

    /// Attributes of the host in sysfs.
    const HOST_ATTRIBUTES: HostAttributes<Self> = HostAttributes::NONE;

    /// Whether TASK SET FULL lowers the queue depth of a logical unit, for a while.
    const TRACK_QUEUE_DEPTH: bool = false;

    /// Carries out a command, or gives it back.
    ///
    /// Called in atomic context, possibly from several CPUs at once. The command must be
    /// completed, started, or given back as [`Busy`]: the midlayer then tries again later.
    ///
    /// Unless it `is_last`, another one follows at once, or [`Operations::commit_rqs`]: until then
    /// the device need not be told of it. A driver without that callback has only last commands.
    fn queue_command<'a>(
        data: &Self::Data<'_>,
        host: &'a Host<Self>,
        cmd: Command<'a, Self>,
        is_last: bool,
    ) -> Result<(), Busy<'a, Self>>;

    /// Tells the device of the commands that were queued: the last one was not marked as such.
    ///
    /// Called in atomic context, possibly from several CPUs at once.
    fn commit_rqs(data: &Self::Data<'_>, host: &Host<Self>) {
        let _ = (data, host);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A logical unit was found, or may have been: what the driver knows of an earlier one with
    /// this number is out of date.
    ///
    /// Called in process context, before the first command to it, and when no command to an earlier
    /// one is left.
    fn sdev_init(data: &Self::Data<'_>, lun: u64) {
        let _ = (data, lun);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Looks for commands that are done but whose interrupt was lost, and completes them.
    ///
    /// Called in atomic context when a command has timed out, before it is given to error handling,
    /// and in the context of that, before it is aborted. May run at the same time as the interrupt
    /// handler.
    fn eh_timed_out(data: &Self::Data<'_>, host: &Host<Self>);

    /// Aborts a command that has timed out.
    ///
    /// The implementation has the device abort it. If the device says that it will not touch it any
    /// more, it is taken back by [`Victim::take_back`]; it may also complete meanwhile. Other
    /// commands go on.
    ///
    /// Called in process context, and, as the other resets, never twice at a time for a host, and
    /// not while the device is quiesced.
    ///
    /// # Errors
    ///
    /// The command is still in flight, or this is not known. Nor is `Ok` believed while the table
    /// holds the command. The midlayer then stops the host, and goes on with the resets.
    fn eh_abort(data: &Self::Data<'_>, host: &Host<Self>, victim: Victim<'_, Self>) -> Result {
        let _ = (data, host, victim);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Resets a logical unit.
    ///
    /// The implementation resets it, and takes back what the device had in mind for it:
    /// [`Host::in_flight_of`]. No new commands are queued meanwhile, but for commands to other
    /// units that were let in before.
    ///
    /// Called in process context, and, as the other resets, never twice at a time for a host, and
    /// not while the device is quiesced. Error handling asks for it, or a user (`sg_reset`).
    ///
    /// # Errors
    ///
    /// The unit was not reset. Nor is `Ok` believed while one of its commands is in flight.
    fn eh_device_reset(data: &Self::Data<'_>, host: &Host<Self>, lun: u64) -> Result {
        let _ = (data, host, lun);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Restarts the host adapter after a command was lost, or after the device was quiesced and may
    /// have been reset, or without power.
    ///
    /// The implementation stops the device's DMA, ends the commands in flight by
    /// [`Host::complete_all`], and starts the device again. Commands may be queued meanwhile, and
    /// afterwards: they are given back as [`Busy`] until [`Operations::accept_commands`] is called,
    /// which may take a while. What is left in the table when this returns is ended with an error.
    ///
    /// Called in process context, and never twice at a time for a host.
    ///
    /// # Errors
    ///
    /// The device did not come back, and the driver starts no command any more: the midlayer then
    /// takes logical units offline.
    fn eh_host_reset(data: &Self::Data<'_>, host: &Host<Self>) -> Result;

    /// Lets commands in again after an [`Operations::eh_host_reset`] that worked.
    fn accept_commands(data: &Self::Data<'_>, host: &Host<Self>);
}
