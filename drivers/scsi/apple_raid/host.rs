// SPDX-License-Identifier: GPL-2.0

//! What the midlayer asks of the host; most of it is error handling.
//!
//! Each step is taken when the one before did not help:
//!
//! ```text
//!   timed out       was only an interrupt lost?
//!   abort           abort task
//!   device reset    abort task for each command in flight to the unit, then logical unit reset
//!   host reset      the handshake
//! ```
//!
//! Whether the victims of a logical unit reset still turn up in the ring is not known (A). After a
//! good answer to abort task the card neither touches the victim's memory nor names its tag (K). So
//! the victims are aborted first, and a reset that leaves one is taken to have failed.
//!
//! What a handshake does to commands in flight is not known either (A). When it has ended, the card
//! gets a moment to be done with them. They end after that, and while the card can do no DMA; only
//! then are there new commands.

use crate::{
    bringup::{
        self,
        SETTLE, //
    },
    card::Card,
    complete,
    identity,
    queue,
    rescan,
    scsi,
    selftest,
    transfer::Transfer,
    wire::Function,
    AppleRaid,
    Device,
    Host, //
};
use kernel::{
    fmt,
    io::poll::read_poll_timeout,
    prelude::*,
    time, //
};

/// How long victims of a reset that are not aborted may take to turn up, and how often the driver
/// looks for them.
const TURN_UP: time::Delta = time::Delta::from_secs(1);
const PAUSE: time::Delta = time::Delta::from_millis(10);

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbortTask(victim) => write!(f, "abort of tag {victim}"),
            Self::LogicalUnitReset => f.write_str("reset"),
        }
    }
}

#[vtable]
impl scsi::Operations for AppleRaid {
    type Data<'bound> = Card<'bound>;
    /// How the data of a command in flight travels, if it has any.
    type CommandData = Option<Transfer>;

    const NAME: &'static CStr = c"apple_raid";
    const HOST_ATTRIBUTES: scsi::HostAttributes<Self> = identity::ATTRIBUTES;
    const TRACK_QUEUE_DEPTH: bool = true;
    const TAG_ALLOC_POLICY_RR: bool = true;

    fn queue_command<'a>(
        card: &Card<'_>,
        host: &'a Host,
        cmd: scsi::Command<'a, Self>,
        is_last: bool,
    ) -> Result<(), scsi::Busy<'a, Self>> {
        queue::queue_command(card, host, cmd, is_last)
    }

    fn commit_rqs(card: &Card<'_>, _host: &Host, _hw_queue: u16) {
        queue::commit(card);
    }

    fn sdev_init(card: &Card<'_>, device: &Device) -> Result {
        card.blocks.forget(device.lun());
        card.names.forget(device.lun());
        Ok(())
    }

    /// Looks for commands that have ended although no interrupt said so, and whether the card is
    /// there at all.
    fn eh_timed_out(card: &Card<'_>, host: &Host) {
        card.look_at_state(host);
        complete::look(card, host);
    }

    /// Has the card abort a command.
    fn eh_abort(card: &Card<'_>, host: &Host, victim: scsi::Victim<'_, Self>) -> Result {
        let function = Function::AbortTask(victim.tag().as_u16());
        match manage(card, host, victim.device().lun(), function) {
            Ok(()) => {
                victim.take_back();
                Ok(())
            }
            // It has ended meanwhile.
            Err(_) if !victim.is_in_flight() => Ok(()),
            error => error,
        }
    }

    /// Has the card reset a logical unit.
    fn eh_device_reset(card: &Card<'_>, host: &Host, device: &Device) -> Result {
        for victim in host.in_flight_of(device) {
            // One that is left is looked for below.
            let _ = Self::eh_abort(card, host, victim);
        }
        manage(card, host, device.lun(), Function::LogicalUnitReset)?;
        let is_left = || {
            complete::look(card, host);
            Ok(host.in_flight_of(device).next().is_some())
        };
        read_poll_timeout(is_left, |is_left| !is_left, PAUSE, TURN_UP).map(|_| ())
    }

    /// Restarts the card by the handshake.
    fn eh_host_reset(card: &Card<'_>, host: &Host, dma: &mut scsi::Dma<'_>) -> Result {
        dev_warn!(card.pdev, "restarting the card\n");
        card.close(host, scsi::Finished::Trusted);
        dma.stop();
        let up = card.bring_up(dma);

        if up.is_ok() && host.in_flight().next().is_some() {
            time::delay::fsleep(SETTLE);
        }
        host.complete_all(&dma.stop(), scsi::HostByte::Reset)?;
        card.tasks.forget();
        let restarted = up.and_then(|talk| {
            dma.start();
            selftest::try_restarted(card, talk)
        });
        match restarted {
            Ok(talk) => {
                card.open(talk);
                // It may have changed while nobody looked.
                card.look_at_state(host);
                dev_info!(card.pdev, "the card is back\n");
                Ok(())
            }
            Err(error) => {
                dev_err!(
                    card.pdev,
                    "the card did not come back: its disks are lost\n"
                );
                Err(error)
            }
        }
    }

    fn quiesce(card: &Card<'_>, host: &Host, finished: scsi::Finished) {
        card.close(host, finished);
    }

    fn stop(card: &Card<'_>, host: &Host) {
        card.close(host, scsi::Finished::Trusted);
        bringup::close_interrupts(&card.bar);
    }

    fn work(card: &Card<'_>, host: &Host) {
        rescan::rescan(card, host);
    }
}

/// Has the card carry out a task management function on a logical unit, and logs what became of
/// it.
fn manage(card: &Card<'_>, host: &Host, lun: u64, function: Function) -> Result {
    // CAST: Commands to a unit beyond `MAX_LUN` are not queued.
    let done = card.tasks.request(card, host, lun as u16, function);
    // There is one reset at a time, but there may be many commands to abort.
    if function == Function::LogicalUnitReset || host.should_log() {
        let word = match done {
            Ok(()) => "done",
            Err(EIO) => "rejected",
            Err(EBUSY) => "not asked for",
            Err(_) => "not answered",
        };
        dev_warn!(card.pdev, "LUN {lun}: {function}: {word}\n");
    }
    done
}
