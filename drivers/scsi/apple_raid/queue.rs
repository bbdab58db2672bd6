// SPDX-License-Identifier: GPL-2.0

//! From a command of the midlayer to a slot of the card.
//!
//! ```text
//!   plan      what the CDB moves, and how that travels; or the command is refused
//!   describe  the buffer is mapped, the list written; or the command goes back as busy
//!   submit    the slot is written, the tag put into the ring, and shown to the card
//! ```
//!
//! The midlayer says whether more commands follow at once. The ring is shown to the card only when
//! none does, or by [`commit`].

use crate::{
    card::Card,
    cdb::Way,
    scsi,
    submit::Gate,
    transfer::{
        self,
        Refusal,
        Transfer,
        OWN_LEN, //
    },
    wire::{
        self,
        Descriptor,
        Slot,
        CDB_LEN, //
    },
    AppleRaid,
    Cmd,
    Host,
    MAX_LUN, //
};
use kernel::{
    prelude::*,
    sync::atomic::ordering::Relaxed, //
};

/// `Ok` if the command is in the ring. Otherwise it has ended, or the midlayer has to try again.
type Queued<'a> = Result<(), Option<scsi::Busy<'a, AppleRaid>>>;

/// Carries out a command, refuses it, or gives it back.
pub(crate) fn queue_command<'a>(
    card: &Card<'_>,
    host: &Host,
    cmd: Cmd<'a>,
    is_last: bool,
) -> Result<(), scsi::Busy<'a, AppleRaid>> {
    let Err(unsent) = queue(card, cmd, is_last) else {
        return Ok(());
    };
    if is_last {
        commit(card);
    }
    unsent.map_or(Ok(()), |busy| {
        // It may wait for the controller, whose interrupt may be lost.
        card.look_at_state(host);
        Err(busy)
    })
}

/// Shows the card what was put into the ring.
pub(crate) fn commit(card: &Card<'_>) {
    if let Some(ring) = card.gate.lock().ring() {
        ring.show(&card.bar);
    }
}

fn queue<'a>(card: &Card<'_>, cmd: Cmd<'a>, is_last: bool) -> Queued<'a> {
    if cmd.lun() >= MAX_LUN {
        // The midlayer lets one more through, if the card reports it.
        return fail(cmd, scsi::HostByte::NoConnect);
    }
    let Some(cdb) = wire::padded(cmd.cdb()) else {
        return refuse(card, cmd, Refusal::UnknownCommand);
    };
    let offered = match cmd.direction() {
        scsi::Direction::In => Some(Way::In),
        scsi::Direction::Out => Some(Way::Out),
        scsi::Direction::None => None,
    };
    match transfer::plan(&cdb, offered, cmd.data_len(), card.blocks.get(cmd.lun())) {
        Ok(None) => submit(card, cmd.into(), &cdb, Descriptor::None, None, is_last),
        Ok(Some(transfer)) => describe(card, cmd, &cdb, transfer, is_last),
        Err(refusal) => refuse(card, cmd, refusal),
    }
}

/// Ends a command that the card must not see. Anybody who may send commands can provoke this.
fn refuse<'a>(card: &Card<'_>, cmd: Cmd<'a>, refusal: Refusal) -> Queued<'a> {
    card.refused.fetch_add(1, Relaxed);
    dev_dbg!(
        card.pdev,
        "LUN {}: refused CDB {:02x?} with a buffer of {} bytes: {refusal:?}\n",
        cmd.lun(),
        cmd.cdb(),
        cmd.data_len()
    );
    cmd.complete_with_sense(match refusal {
        // INVALID COMMAND OPERATION CODE
        Refusal::UnknownCommand => scsi::Sense::new(scsi::SenseKey::IllegalRequest, 0x20, 0),
        // INVALID FIELD IN CDB
        _ => scsi::Sense::new(scsi::SenseKey::IllegalRequest, 0x24, 0),
    });
    Err(None)
}

/// Ends a command that cannot be carried out.
fn fail<'a>(cmd: Cmd<'a>, host_byte: scsi::HostByte) -> Queued<'a> {
    cmd.complete(scsi::Outcome::host(host_byte));
    Err(None)
}

/// Makes the data ready for the card.
fn describe<'a>(
    card: &Card<'_>,
    cmd: Cmd<'a>,
    cdb: &[u8; CDB_LEN],
    transfer: Transfer,
    is_last: bool,
) -> Queued<'a> {
    let tag = cmd.tag().as_u16();
    if transfer.own > 0 {
        // For data-in zeros, so that no data of an earlier command can be read when the card
        // transfers less.
        let mut own = [0; OWN_LEN];
        if let (Way::Out, Some(last)) = (transfer.way, own.get_mut(..transfer.own as usize)) {
            cmd.copy_from_data(transfer.straight as usize, last);
        }
        // Each tag has its own.
        let _ = card.regions.write_own(tag, own);
    }
    let mapped = match transfer.straight {
        0 => Ok(cmd.into()),
        _ => cmd.map(),
    };
    let mapped = match mapped {
        Ok(mapped) => mapped,
        Err(scsi::MapError::TryAgain(busy)) => return Err(Some(busy)),
        Err(scsi::MapError::Impossible(cmd)) => return fail(cmd, scsi::HostByte::Error),
    };
    let segments = mapped.segments().map(|s| (s.address, s.len));
    let marked = card.lists_are_marked.load(Relaxed);
    match card.regions.describe(tag, &transfer, segments, marked) {
        Some(descriptor) => submit(card, mapped, cdb, descriptor, Some(transfer), is_last),
        None => refuse(card, mapped.unmap(), Refusal::Unaligned),
    }
}

/// Writes the slot, and puts the tag into the ring. From then on the table of commands in flight
/// has the command.
fn submit<'a>(
    card: &Card<'_>,
    cmd: scsi::Mapped<'a, AppleRaid>,
    cdb: &[u8; CDB_LEN],
    data: Descriptor,
    transfer: Option<Transfer>,
    is_last: bool,
) -> Queued<'a> {
    let (tag, lun) = (cmd.command().tag().as_u16(), cmd.command().lun());
    // CAST: Below `MAX_LUN`, or it would not have come here.
    let slot = Slot::command(tag, lun as u16, cdb, data);
    let written = card.regions.write_slot(tag, slot);

    let mut gate = card.gate.lock();
    match &mut *gate {
        Gate::Open(ring) if written.is_ok() => {
            cmd.start(transfer);
            // That the ring is in the BAR was checked at bring-up. If this fails all the same,
            // the command is in the table, and its timeout finds it.
            let _ = ring.push(&card.bar, tag);
            if is_last {
                ring.show(&card.bar);
            }
            return Ok(());
        }
        _ => {}
    }
    drop(gate);
    if written.is_ok() {
        Err(Some(cmd.unmap().busy()))
    } else {
        fail(cmd.unmap(), scsi::HostByte::Error)
    }
}
