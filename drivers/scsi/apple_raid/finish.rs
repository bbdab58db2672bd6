// SPDX-License-Identifier: GPL-2.0

//! The end of a command: where its data goes, what it has moved, and how the midlayer is told.

use crate::{
    card::Card,
    cdb,
    rescan,
    residual,
    scsi::{
        HostByte,
        Outcome,
        Status, //
    },
    transfer::Transfer,
    wire::{
        Body,
        Response, //
    },
    Cmd,
    Host,
    Taken, //
};
use kernel::prelude::*;

/// Completes a command as the card's response says. Returns whether it has succeeded.
pub(crate) fn finish(
    card: &Card<'_>,
    host: &Host,
    cmd: Taken<'_>,
    transfer: Option<Transfer>,
    response: Response,
) -> bool {
    let (tag, data_len) = (cmd.tag().as_u16(), cmd.data_len());
    let to_move = transfer.map_or(0, |transfer| transfer.len);
    let is_in = transfer.is_some_and(|transfer| transfer.way == cdb::Way::In);
    let status = Status(response.status);
    let (bytes, len) = match response.body {
        Body::None | Body::Garbled => Default::default(),
        Body::Data(len) | Body::Sense(len) => (card.regions.body(tag).unwrap_or_default(), len),
    };
    let said = bytes.get(..len).unwrap_or(&bytes);
    match response.body {
        Body::Sense(_) if matches!(status, Status::GOOD | Status::CHECK_CONDITION) && len > 0 => {
            let block_len = card.blocks.get(cmd.lun()).map(|len| len.get());
            let most = to_move.min(data_len);
            let moved = residual::moved_by_failed(cmd.cdb(), said, block_len, most);
            if moved > 0 {
                copy_own(card, &cmd, transfer);
            }
            rescan::note_sense(card, host, &cmd, said);
            cmd.complete_with(said, data_len - moved);
            false
        }
        // The caller's buffer may be shorter than what the CDB moves, and then gets what it has
        // room for.
        Body::Data(_) if status == Status::GOOD && is_in && len <= to_move as usize => {
            cmd.copy_to_data(0, said);
            note_block_len(card, &cmd, said);
            // CAST: At most `BODY_LEN`.
            good(cmd, len as u32)
        }
        Body::None | Body::Sense(_) if status == Status::GOOD => {
            copy_own(card, &cmd, transfer);
            good(cmd, to_move)
        }
        Body::None | Body::Sense(_) if status.is_known() => {
            // The midlayer ignores sense with such a status, but units may have changed.
            rescan::note_sense(card, host, &cmd, said);
            cmd.complete(Outcome::status(status).with_residual(data_len));
            false
        }
        _ => garbled(card, host, cmd),
    }
}

/// Ends a command whose response is not one.
fn garbled(card: &Card<'_>, host: &Host, cmd: Taken<'_>) -> bool {
    if host.should_log() {
        dev_err!(
            card.pdev,
            "tag {}: the response makes no sense; the command is failed\n",
            cmd.tag().as_u16()
        );
    }
    cmd.complete(Outcome::host(HostByte::Error));
    false
}

/// Ends a command that has succeeded and, as far as the card says, moved `len` bytes.
fn good(cmd: Taken<'_>, len: u32) -> bool {
    let mut moved = len.min(cmd.data_len());
    let answer = |at| {
        let mut byte = [0];
        (at < moved as usize && cmd.copy_from_data(at, &mut byte) == 1).then_some(byte[0])
    };
    if let Some(stated) = residual::stated_len(cmd.cdb(), answer) {
        moved = moved.min(stated);
        // What lies behind the answer is nothing that the unit said.
        let mut data = cmd.data();
        data.skip(moved as usize);
        data.fill(data.left());
    }
    let residual = cmd.data_len() - moved;
    cmd.complete(Outcome::status(Status::GOOD).with_residual(residual));
    true
}

/// Takes note of the length of a unit's blocks, which an answer may tell.
fn note_block_len(card: &Card<'_>, cmd: &Cmd<'_>, answer: &[u8]) {
    let place = cdb::block_length_in_answer(cmd.cdb());
    if let Some(word) = place.and_then(|at| answer.get(at..)?.first_chunk()) {
        card.blocks.set(cmd.lun(), u32::from_be_bytes(*word));
    }
}

/// Copies data-in that came through the tag's own memory into the caller's buffer.
fn copy_own(card: &Card<'_>, cmd: &Cmd<'_>, transfer: Option<Transfer>) {
    let Some(transfer) = transfer.filter(|it| it.way == cdb::Way::In && it.own > 0) else {
        return;
    };
    let own = card.regions.own(cmd.tag().as_u16()).unwrap_or_default();
    let own = own.get(..transfer.own as usize).unwrap_or_default();
    cmd.copy_to_data(transfer.straight as usize, own);
    note_block_len(card, cmd, own);
}
