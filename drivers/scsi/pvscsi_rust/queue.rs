// SPDX-License-Identifier: GPL-2.0

//! From a command of the midlayer to a request in the ring.

use crate::{
    adapter::Adapter,
    complete::context,
    rings::{
        Kick,
        SENSE_LEN, //
    },
    scsi::{
        self,
        Direction,
        HostByte,
        MapError,
        Outcome, //
    },
    wire::{
        flag,
        Request,
        REQUEST_LEN, //
    },
    Cmd,
    Pvscsi, //
};
use kernel::prelude::*;

/// Puts a command into the ring, or ends it, or hands it back. The device is not told of it yet.
pub(crate) fn queue<'a>(adapter: &Adapter<'_>, cmd: Cmd<'a>) -> Result<(), scsi::Busy<'a, Pvscsi>> {
    let kick = if is_rw(cmd.cdb()) {
        Kick::Rw
    } else {
        Kick::NonRw
    };
    if kick == Kick::NonRw && cmd.direction() == Direction::In {
        // The device need not say how long an answer is. What follows it is zeros then, and nothing
        // of what the buffer held before.
        let mut data = cmd.data();
        data.fill(data.left());
    }
    let mapped = match cmd.map() {
        Ok(mapped) => mapped,
        Err(MapError::TryAgain(busy)) => return Err(busy),
        Err(MapError::Impossible(cmd)) => {
            cmd.complete(Outcome::host(HostByte::Error));
            return Ok(());
        }
    };
    let Ok(request) = describe(adapter, &mapped) else {
        mapped.unmap().complete(Outcome::host(HostByte::Error));
        return Ok(());
    };
    let mut requests = adapter.requests.lock();
    if let Some(ring) = &mut *requests {
        mapped.start(());
        // The ring has all places. If this fails all the same, the command's timeout finds it.
        let _ = ring.push(&adapter.rings, request, kick);
        return Ok(());
    }
    drop(requests);
    Err(mapped.unmap().busy())
}

/// The request for a command.
fn describe(adapter: &Adapter<'_>, mapped: &scsi::Mapped<'_, Pvscsi>) -> Result<[u8; REQUEST_LEN]> {
    let cmd = mapped.command();
    let (data, is_list) = adapter.rings.describe(cmd.tag(), mapped.segments())?;
    let way = match cmd.direction() {
        Direction::None => flag::NO_DATA,
        Direction::In => flag::TO_HOST,
        Direction::Out => flag::TO_DEVICE,
    };
    let request = Request {
        context: context(cmd.tag()),
        flags: way | if is_list { flag::WITH_LIST } else { 0 },
        data,
        data_len: cmd.data_len(),
        sense: adapter.rings.sense_address(cmd.tag())?,
        sense_len: SENSE_LEN as u32,
        cdb: cmd.cdb(),
        target: u8::try_from(cmd.device().id())?,
        lun: u8::try_from(cmd.lun())?,
    };
    Ok(request.to_bytes())
}

/// Whether a command reads or writes blocks (SBC-3): READ and WRITE of 6, 10, 12 and 16 bytes.
pub(crate) fn is_rw(cdb: &[u8]) -> bool {
    matches!(
        cdb,
        [0x08 | 0x0a | 0x28 | 0x2a | 0xa8 | 0xaa | 0x88 | 0x8a, ..]
    )
}
