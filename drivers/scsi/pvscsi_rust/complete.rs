// SPDX-License-Identifier: GPL-2.0

//! From an interrupt to the commands that have ended.
//!
//! Interrupts are messages, and so need not be acknowledged. The device writes a completion, then
//! its index, then it interrupts; so what comes after the index was read interrupts anew.
//!
//! An index beyond the ring is nothing new, and a context that is none of a command in flight is
//! passed over, each with a line in the log. Commands of which nothing is heard time out.

use crate::{
    adapter::Adapter,
    queue::is_rw,
    rings::COMMANDS,
    scsi::{
        HostByte,
        Outcome,
        Status,
        Tag,
        Taken, //
    },
    wire::Completion,
    Host,
    Pvscsi, //
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// The context of a request: 0 is not allowed.
pub(crate) fn context(tag: Tag) -> u32 {
    u32::from(tag.as_u16()) + 1
}

/// The tag of a command that could be in flight.
fn tag(context: u64) -> Option<Tag> {
    let tag = u16::try_from(context.checked_sub(1)?).ok()?;
    (tag < COMMANDS).then(|| tag.into())
}

/// Completes the commands that have ended: in an interrupt, or because one may be lost. Returns
/// whether there were any.
pub(crate) fn look(adapter: &Adapter<'_>, host: &Host) -> bool {
    let rcu = rcu::read_lock();
    let count = match &*adapter.completions.lock() {
        Some(ring) => ring.count(&adapter.rings),
        None => return false,
    };
    let count = count.unwrap_or_else(|index| {
        if host.should_log() {
            dev_err!(
                adapter.pdev,
                "completion index {index:#x} is none of the ring\n"
            );
        }
        0
    });
    let mut is_any = false;
    // Another processor may take some of them, but none twice.
    for _ in 0..count {
        let Some(completion) = take(adapter) else {
            break;
        };
        is_any = true;
        let found = tag(completion.context).and_then(|tag| host.take(tag, &rcu));
        if let Some((cmd, ())) = found {
            finish(adapter, host, cmd, completion);
        } else if host.should_log() {
            let context = completion.context;
            dev_err!(
                adapter.pdev,
                "context {context:#x} is none of a command in flight\n"
            );
        }
    }
    is_any
}

/// Takes the next completion, if there is one.
fn take(adapter: &Adapter<'_>) -> Option<Completion> {
    let mut ring = adapter.completions.lock();
    let ring = Option::as_mut(&mut ring)?;
    match ring.count(&adapter.rings) {
        Ok(1..) => ring.take(&adapter.rings).ok(),
        _ => None,
    }
}

/// What became of a request: statuses of the host adapter, as the header names them.
mod btstat {
    pub(super) const SUCCESS: u16 = 0x00;
    pub(super) const LINKED_COMMAND_COMPLETED: u16 = 0x0a;
    pub(super) const LINKED_COMMAND_COMPLETED_WITH_FLAG: u16 = 0x0b;
    pub(super) const DATA_UNDERRUN: u16 = 0x0c;
    pub(super) const SELTIMEO: u16 = 0x11;
    pub(super) const DATARUN: u16 = 0x12;
    pub(super) const SENTRST: u16 = 0x22;
    pub(super) const RECVRST: u16 = 0x23;
    pub(super) const BUSRESET: u16 = 0x25;
    pub(super) const ABORTQUEUE: u16 = 0x26;
    pub(super) const SCSIPARITY: u16 = 0x34;
}

/// Ends a command.
fn finish(adapter: &Adapter<'_>, host: &Host, cmd: Taken<'_, Pvscsi>, said: Completion) {
    use btstat::*;

    let host_byte = match said.host_status {
        SUCCESS | LINKED_COMMAND_COMPLETED | LINKED_COMMAND_COMPLETED_WITH_FLAG => {
            return answered(adapter, host, cmd, said, false)
        }
        DATA_UNDERRUN | DATARUN => return answered(adapter, host, cmd, said, true),
        SELTIMEO => HostByte::BadTarget,
        SENTRST | RECVRST | BUSRESET => HostByte::Reset,
        // Nobody waits for one that was aborted because it had timed out.
        ABORTQUEUE => HostByte::SoftError,
        SCSIPARITY => HostByte::Parity,
        // The others say that something is wrong with the request, the device, or the bus.
        _ => HostByte::Error,
    };
    cmd.complete(Outcome::host(host_byte));
}

/// Ends a command that the unit has answered. If the transfer `is_short` it was not of the length
/// that was asked for.
fn answered(
    adapter: &Adapter<'_>,
    host: &Host,
    cmd: Taken<'_, Pvscsi>,
    said: Completion,
    is_short: bool,
) {
    let status = u8::try_from(said.scsi_status).map_or(Status(u8::MAX), Status);
    let moved = u32::try_from(said.data_len).unwrap_or(u32::MAX);
    if !status.is_known() || moved > cmd.data_len() {
        if host.should_log() {
            let tag = cmd.tag().as_u16();
            dev_err!(
                adapter.pdev,
                "tag {tag}: status {status:?} for {moved} bytes\n"
            );
        }
        return cmd.complete(Outcome::host(HostByte::Error));
    }
    let left = cmd.data_len() - moved;
    let outcome = Outcome::status(status);
    match status {
        Status::CHECK_CONDITION => {
            let sense = adapter.rings.sense(cmd.tag()).unwrap_or([0; _]);
            let sense = sense.get(..said.sense_len as usize).unwrap_or(&sense);
            let is_told = is_short || moved > 0;
            cmd.complete_with(sense, if is_told { left } else { 0 });
        }
        // Blocks that were not transferred must not pass for such.
        Status::GOOD if is_short && is_rw(cmd.cdb()) => {
            cmd.complete(Outcome::host(HostByte::Error).with_residual(left));
        }
        // How much it was is not always told; then zeros follow the answer, see `queue.rs`.
        Status::GOOD if moved == 0 => cmd.complete(outcome),
        _ => cmd.complete(outcome.with_residual(left)),
    }
}
