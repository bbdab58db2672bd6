// SPDX-License-Identifier: GPL-2.0

//! From a command of the midlayer to a slot of the card.

use crate::{
    bounce::Lease,
    hba::{
        Gate,
        Hba, //
    },
    scsi::{
        self,
        Busy,
        Command,
        Direction,
        HostByte,
        Mapped,
        Outcome,
        Sense,
        SenseKey, //
    },
    transfer::{
        self,
        Buffer,
        Plan,
        Refusal,
        Way, //
    },
    wire::{
        self,
        Entry,
        CDB_LEN, //
    },
    AppleRaid, //
};
use kernel::prelude::*;

type Host = scsi::Host<AppleRaid>;

/// What became of a command: it is taken care of, or the midlayer has to try again.
type Queued<'a> = Result<(), Busy<'a, AppleRaid>>;

/// How the data of a command in flight travels: what has to be done when it arrives.
pub(crate) enum Journey {
    /// Nothing: there is no data, or it goes straight between the card and the caller's buffer.
    Straight {
        /// Bytes moved.
        len: u32,
    },
    /// Through a bounce buffer.
    Bounce(Way, Lease),
}

impl Journey {
    /// Bytes of a buffer of `data_len` that are not moved.
    pub(crate) fn residual(&self, data_len: u32) -> u32 {
        data_len.saturating_sub(match self {
            Self::Straight { len } => *len,
            Self::Bounce(_, lease) => lease.len(),
        })
    }
}

/// What a slot says of a command: for which unit it is, and what to do.
struct Order {
    lun: [u8; 4],
    cdb: [u8; CDB_LEN],
}

/// Carries out a command, refuses it, or gives it back.
pub(crate) fn queue_command<'a>(
    hba: &Hba<'_>,
    host: &'a Host,
    cmd: Command<'a, AppleRaid>,
) -> Queued<'a> {
    let Some(lun) = hba.naming.name(cmd.lun()) else {
        unnamed(hba, host, cmd);
        return Ok(());
    };
    let Some(cdb) = padded(cmd.cdb()) else {
        refuse(hba, host, cmd, Refusal::UnknownCommand);
        return Ok(());
    };
    let order = Order { lun, cdb };
    match transfer::plan(&order.cdb, buffer_of(&cmd), hba.blocks.get(cmd.lun())) {
        Ok(Plan::NoData) => submit(hba, cmd, &order, Entry::ZERO, Journey::Straight { len: 0 }),
        Ok(Plan::Direct(way)) => direct(hba, host, cmd, &order, way),
        Ok(Plan::Bounce(way, len)) => bounce(hba, cmd, &order, way, len),
        Err(refusal) => {
            refuse(hba, host, cmd, refusal);
            Ok(())
        }
    }
}

/// A CDB as the slot holds it.
fn padded(cdb: &[u8]) -> Option<[u8; CDB_LEN]> {
    let mut padded = [0; CDB_LEN];
    padded.get_mut(..cdb.len())?.copy_from_slice(cdb);
    Some(padded)
}

fn buffer_of(cmd: &Command<'_, AppleRaid>) -> Buffer {
    match (cmd.direction(), cmd.data_len()) {
        (Direction::None, _) | (_, 0) => Buffer::None,
        (Direction::In, len) => Buffer::In(len),
        (Direction::Out, len) => Buffer::Out(len),
        (Direction::Both, len) => Buffer::Either(len),
    }
}

/// Ends a command that the card must not see.
fn refuse(hba: &Hba<'_>, host: &Host, cmd: Command<'_, AppleRaid>, refusal: Refusal) {
    if host.may_complain() {
        dev_info!(
            hba.pdev,
            "LUN {}: refused CDB {:02x?} with a buffer of {} bytes: {}\n",
            cmd.lun(),
            cmd.cdb(),
            cmd.data_len(),
            refusal.reason()
        );
    }
    cmd.complete_with_sense(match refusal {
        // INVALID COMMAND OPERATION CODE
        Refusal::UnknownCommand => Sense::new(SenseKey::IllegalRequest, 0x20, 0),
        // INVALID FIELD IN CDB
        _ => Sense::new(SenseKey::IllegalRequest, 0x24, 0),
    });
}

/// Ends a command for a logical unit that the card cannot be told of yet, and has that found out.
fn unnamed(hba: &Hba<'_>, host: &Host, cmd: Command<'_, AppleRaid>) {
    let soon = cmd.lun() < crate::MAX_LUN && !hba.is_dead() && hba.naming.want();
    if soon {
        host.request_rescan();
    }
    if host.may_complain() {
        dev_info!(
            hba.pdev,
            "LUN {}: how the card names it is not known{}\n",
            cmd.lun(),
            if soon { " yet" } else { "" }
        );
    }
    cmd.complete(Outcome::host(HostByte::NoConnect));
}

/// The data goes straight between the card and the caller's buffer.
fn direct<'a>(
    hba: &Hba<'_>,
    host: &'a Host,
    cmd: Command<'a, AppleRaid>,
    order: &Order,
    way: Way,
) -> Queued<'a> {
    let mapped = cmd.map()?;
    let len = mapped.command().data_len();
    let segments = mapped.segments().map(|s| (s.address, s.len));
    match transfer::route(way, len, segments) {
        Ok(Plan::Bounce(way, len)) => return bounce(hba, mapped.unmap(), order, way, len),
        Ok(Plan::Direct(_) | Plan::NoData) => {}
        Err(refusal) => {
            refuse(hba, host, mapped.unmap(), refusal);
            return Ok(());
        }
    }
    let journey = Journey::Straight { len };
    match descriptor(hba, &mapped) {
        Ok(descriptor) => submit(hba, mapped, order, descriptor, journey),
        Err(_) => {
            // The limits of the host exclude this.
            if host.may_complain() {
                dev_err!(
                    hba.pdev,
                    "a transfer does not fit into a scatter-gather list\n"
                );
            }
            mapped.unmap().complete(Outcome::host(HostByte::Error));
            Ok(())
        }
    }
}

/// The data descriptor of a mapped buffer: one segment in place, several in a list.
fn descriptor(hba: &Hba<'_>, mapped: &Mapped<'_, AppleRaid>) -> Result<Entry> {
    let mut segments = mapped.segments();
    if segments.len() == 1 {
        if let Some(segment) = segments.next() {
            return Entry::new(segment.address, segment.len).ok_or(EINVAL);
        }
    }
    let entries = segments.map(|s| Entry::new(s.address, s.len));
    hba.regions
        .write_list(mapped.command().tag().as_u16(), entries)
}

/// The data goes through a bounce buffer.
fn bounce<'a>(
    hba: &Hba<'_>,
    cmd: Command<'a, AppleRaid>,
    order: &Order,
    way: Way,
    len: u32,
) -> Queued<'a> {
    let Some(lease) = hba.bounce.lease(len) else {
        return Err(cmd.busy());
    };
    let prepared = match way {
        Way::In => hba.bounce.clear(&lease),
        Way::Out => hba.bounce.fill(&lease, &cmd),
    };
    let descriptor = prepared
        .and_then(|()| hba.bounce.address(&lease))
        .and_then(|address| Entry::new(address, len).ok_or(EINVAL));
    let journey = Journey::Bounce(way, lease);
    match descriptor {
        Ok(descriptor) => submit(hba, cmd, order, descriptor, journey),
        Err(_) => {
            hba.discard(journey);
            cmd.complete(Outcome::host(HostByte::Error));
            Ok(())
        }
    }
}

/// A command that can be started, whether its buffer is mapped or not.
pub(crate) trait Start<'a>: Sized {
    fn command(&self) -> &Command<'a, AppleRaid>;
    fn start(self, journey: Journey);
    fn into_command(self) -> Command<'a, AppleRaid>;
}

impl<'a> Start<'a> for Command<'a, AppleRaid> {
    fn command(&self) -> &Command<'a, AppleRaid> {
        self
    }

    fn start(self, journey: Journey) {
        Command::start(self, journey)
    }

    fn into_command(self) -> Command<'a, AppleRaid> {
        self
    }
}

impl<'a> Start<'a> for Mapped<'a, AppleRaid> {
    fn command(&self) -> &Command<'a, AppleRaid> {
        Mapped::command(self)
    }

    fn start(self, journey: Journey) {
        Mapped::start(self, journey)
    }

    fn into_command(self) -> Command<'a, AppleRaid> {
        self.unmap()
    }
}

/// Writes the slot and rings the doorbell. From then on the table of commands in flight has the
/// command.
fn submit<'a>(
    hba: &Hba<'_>,
    cmd: impl Start<'a>,
    order: &Order,
    descriptor: Entry,
    journey: Journey,
) -> Queued<'a> {
    let tag = cmd.command().tag().as_u16();
    let slot = wire::slot(tag, order.lun, &order.cdb, descriptor);
    let written = hba.regions.write_slot(tag, slot);

    let mut gate = hba.gate.lock();
    match (&mut *gate, written) {
        (Gate::Open(doorbell), Ok(())) => {
            cmd.start(journey);
            // The mailbox was checked at bring-up. If the write fails all the same, the command
            // is in the table, and its timeout finds it.
            let _ = doorbell.ring(&hba.bar, tag);
            Ok(())
        }
        (Gate::Shut | Gate::Ready(_), Ok(())) => {
            drop(gate);
            hba.discard(journey);
            Err(cmd.into_command().busy())
        }
        _ => {
            drop(gate);
            hba.discard(journey);
            let outcome = Outcome::host(HostByte::NoConnect);
            cmd.into_command().complete(outcome);
            Ok(())
        }
    }
}
