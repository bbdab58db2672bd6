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
    Device,
    Dma,
    Finished,
    Host,
    HostAttributes,
    QueueLimits,
    QueueMap,
    Victim, //
};

/// The callbacks of a SCSI low-level driver, named as in `struct scsi_host_template`.
///
/// What is called in atomic context may run on several CPUs at once, under the RCU read lock.
#[vtable]
pub trait Operations: Sized + 'static {
    /// What the driver keeps for each host: see [`Registration`](super::Registration).
    type Data<'bound>: Send + Sync + 'bound;

    /// What the driver keeps with each command in flight. Passed to [`Command::start`], and
    /// returned when the command is taken.
    type CommandData: Send + 'static;

    /// The driver's name, in sysfs and in the log.
    const NAME: &'static CStr;

    /// Attributes of the host in sysfs.
    const HOST_ATTRIBUTES: HostAttributes<Self> = HostAttributes::NONE;

    /// Whether TASK SET FULL lowers the queue depth of a logical unit, for a while.
    const TRACK_QUEUE_DEPTH: bool = false;

    /// Whether a tag is not used again before all others were, so that a late answer to an old
    /// command is unlikely to meet a new one.
    const TAG_ALLOC_POLICY_RR: bool = false;

    /// Carries out a command, or returns it as busy.
    ///
    /// The command must be completed, started, or returned as [`Busy`]: the midlayer then tries
    /// again later.
    ///
    /// Unless it `is_last`, another one follows at once, or [`Operations::commit_rqs`]: until then
    /// the device need not be told of it. A driver without that callback has only last commands.
    ///
    /// Called in atomic context, and not while the device is being reset, quiesced or lost.
    fn queue_command<'a>(
        data: &Self::Data<'_>,
        host: &'a Host<Self>,
        cmd: Command<'a, Self>,
        is_last: bool,
    ) -> Result<(), Busy<'a, Self>>;

    /// Tells the device of the commands that were queued to a hardware queue: the last one was not
    /// marked as such. Called as [`Operations::queue_command`].
    fn commit_rqs(data: &Self::Data<'_>, host: &Host<Self>, hw_queue: u16) {
        let _ = (data, host, hw_queue);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Says which processors use which hardware queue. Called in process context, when the host is
    /// added.
    fn map_queues(data: &Self::Data<'_>, map: &mut QueueMap) {
        let _ = (data, map);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A logical unit was found, or may have been: what the driver knows of an earlier one with
    /// this address is out of date.
    ///
    /// Called in process context, before the first command to it, and when no command to an earlier
    /// one is left.
    ///
    /// # Errors
    ///
    /// There is no such unit. `ENXIO` is taken for an answer, others are logged.
    fn sdev_init(data: &Self::Data<'_>, device: &Device<Self>) -> Result {
        let _ = (data, device);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The midlayer knows what a unit is, and is about to add it: the driver may limit its queue.
    /// Called in process context.
    ///
    /// # Errors
    ///
    /// The unit is not added.
    fn sdev_configure(
        data: &Self::Data<'_>,
        device: &Device<Self>,
        limits: &mut QueueLimits,
    ) -> Result {
        let _ = (data, device, limits);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A unit is removed; no command to it is left. Called in process context.
    fn sdev_destroy(data: &Self::Data<'_>, device: &Device<Self>) {
        let _ = (data, device);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Looks for commands that are done but whose interrupt was lost, and completes them.
    ///
    /// Called in atomic context when a command has timed out, before it is given to error handling,
    /// and in the context of that, before it is aborted. May run at the same time as the interrupt
    /// handler.
    fn eh_timed_out(data: &Self::Data<'_>, host: &Host<Self>) {
        let _ = (data, host);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Aborts a command that has timed out.
    ///
    /// The implementation has the device abort it. If the device says that it will not touch it any
    /// more, it is taken back by [`Victim::take_back`]; it may also complete meanwhile. Other
    /// commands go on.
    ///
    /// Called in process context, and, as the resets, never twice at a time for a host, and not
    /// while the device is quiesced.
    ///
    /// # Errors
    ///
    /// The command is still in flight, or this is not known. Nor is `Ok` believed while it is in
    /// flight. The midlayer then stops the host, and goes on with the resets.
    fn eh_abort(data: &Self::Data<'_>, host: &Host<Self>, victim: Victim<'_, Self>) -> Result {
        let _ = (data, host, victim);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Resets a logical unit.
    ///
    /// The implementation resets it, and takes back what the device had in mind for it:
    /// [`Host::in_flight_of`]. No new commands are queued meanwhile, but for commands to other
    /// units that were let in before. Error handling asks for it, or a user (`sg_reset`).
    ///
    /// Called as [`Operations::eh_abort`].
    ///
    /// # Errors
    ///
    /// The unit was not reset. Nor is `Ok` believed while one of its commands is in flight.
    fn eh_device_reset(data: &Self::Data<'_>, host: &Host<Self>, device: &Device<Self>) -> Result {
        let _ = (data, host, device);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Resets the target that a logical unit is of. As [`Operations::eh_device_reset`], for all
    /// units of the target; and of those with this id on other channels, which the midlayer takes
    /// for the same.
    ///
    /// # Errors
    ///
    /// The target was not reset. Nor is `Ok` believed while a command to one of them is in flight.
    fn eh_target_reset(data: &Self::Data<'_>, host: &Host<Self>, device: &Device<Self>) -> Result {
        let _ = (data, host, device);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Restarts the host adapter after a command was lost, or after the device was quiesced and may
    /// have been reset, or without power.
    ///
    /// The implementation stops the device's DMA, ends the commands in flight by
    /// [`Host::complete_all`], and starts the device and its DMA again. Commands wait, and
    /// interrupts are handled.
    ///
    /// Called in process context, and never twice at a time for a host. A driver without it has a
    /// device that is lost when it comes to that.
    ///
    /// # Errors
    ///
    /// The device did not come back. It is lost, until the next reset: its DMA is stopped, and
    /// commands end at once. The same holds if commands are in flight when this returns `Ok`.
    fn eh_host_reset(data: &Self::Data<'_>, host: &Host<Self>, dma: &mut Dma<'_>) -> Result {
        let _ = (data, host, dma);
        Err(EOPNOTSUPP)
    }

    /// Makes the device quiet until [`Operations::eh_host_reset`]: its DMA is stopped when this
    /// returns.
    ///
    /// Commands that the device has finished may be completed now if it can be trusted that they
    /// are. The others stay in flight. Interrupts are not handled any more. After an error on the
    /// bus the device may not be accessible: then `finished` is [`Finished::Doubtful`].
    ///
    /// Called in process context. May be called again before the reset.
    fn quiesce(data: &Self::Data<'_>, host: &Host<Self>, finished: Finished) {
        let _ = (data, host, finished);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Stops the device, for good or until the next [`Operations::eh_host_reset`]: it raises no
    /// interrupts any more. When this returns its DMA is stopped, and all commands end. Not called
    /// for a device that cannot be accessed.
    ///
    /// Called in process context.
    fn stop(data: &Self::Data<'_>, host: &Host<Self>) {
        let _ = (data, host);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Does what was put off by [`Host::queue_work`]. Called in process context, once at a time.
    /// The removal of the host waits for it: one that takes long looks at [`Host::is_ending`].
    fn work(data: &Self::Data<'_>, host: &Host<Self>) {
        let _ = (data, host);
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}
