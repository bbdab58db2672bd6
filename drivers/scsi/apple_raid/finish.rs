// SPDX-License-Identifier: GPL-2.0

//! The end of a command: where its data arrives, what it has moved, and how the midlayer is told.

use crate::{
    card::Card,
    cdb,
    queue::Journey,
    residual,
    scsi::{
        Command,
        HostByte,
        Outcome,
        Status, //
    },
    transfer::{
        self,
        Way, //
    },
    wire::{
        Body,
        Header,
        BODY_LEN, //
    },
    AppleRaid,
    Host, //
};
use kernel::prelude::*;

type Cmd<'a> = Command<'a, AppleRaid>;

/// How a command ends.
enum End {
    /// It has moved so many bytes.
    Good(u32),
    /// There is sense, so long; so many bytes of data have been moved.
    Sense([u8; BODY_LEN], usize, u32),
    /// The status tells all.
    Status(Status),
    /// The card answered with something that is not an answer.
    Garbled,
}

/// Completes a command as the card's response says. Returns whether it has succeeded.
pub(crate) fn finish(
    card: &Card<'_>,
    host: &Host,
    cmd: Cmd<'_>,
    journey: Journey,
    header: Header,
) -> bool {
    let end = judge(card, &cmd, &journey, header);
    card.discard(journey);
    let (tag, data_len) = (cmd.tag().as_u16(), cmd.data_len());
    match end {
        End::Good(moved) => {
            cmd.complete(Outcome::status(Status::GOOD).with_residual(data_len - moved));
            return true;
        }
        End::Sense(sense, len, moved) => {
            let sense = sense.get(..len).unwrap_or(&sense);
            cmd.note_sense(sense);
            cmd.complete_with(sense, data_len - moved);
        }
        End::Status(status) => cmd.complete(Outcome::status(status).with_residual(data_len)),
        End::Garbled => {
            if host.should_log() {
                dev_err!(
                    card.pdev,
                    "tag {tag}: the response makes no sense; the command is failed\n"
                );
            }
            cmd.complete(Outcome::host(HostByte::Error));
        }
    }
    false
}

/// Decides how a command ends. Its data goes where it belongs.
fn judge(card: &Card<'_>, cmd: &Cmd<'_>, journey: &Journey, header: Header) -> End {
    let (status, body) = match header {
        Header::Ended { status, body } => (Status(status), body),
        _ => return End::Garbled,
    };
    let (is_in, to_move) = match *journey {
        Journey::NoData => (false, 0),
        Journey::Straight(way, len) | Journey::Bounce(way, len, _) => (way == Way::In, len),
    };
    match body {
        Body::Sense(len) if matches!(status, Status::GOOD | Status::CHECK_CONDITION) && len > 0 => {
            let body = card.regions.body(cmd.tag().as_u16()).unwrap_or_default();
            let sense = body.get(..len).unwrap_or(&body);
            let block_len = card.blocks.get(cmd.lun()).map(|len| len.get());
            let most = to_move.min(cmd.data_len());
            let moved = residual::moved_by_failed(cmd.cdb(), sense, block_len, most);
            if moved > 0 {
                arrive(card, cmd, journey);
            }
            End::Sense(body, len, moved)
        }
        Body::None | Body::Sense(_) if status == Status::GOOD => {
            arrive(card, cmd, journey);
            End::Good(moved(cmd, to_move))
        }
        // The caller's buffer may be shorter than what the CDB moves, and then gets what it has
        // room for.
        Body::Data(len) if status == Status::GOOD && is_in && len <= to_move as usize => {
            let body = card.regions.body(cmd.tag().as_u16()).unwrap_or_default();
            let data = body.get(..len).unwrap_or_default();
            cmd.copy_to_data(0, data);
            note_block_len(card, cmd, |at| data.get(at..)?.first_chunk().copied());
            // CAST: At most `BODY_LEN`.
            End::Good(moved(cmd, len as u32))
        }
        Body::None if status.is_known() => End::Status(status),
        Body::Sense(len) if status.is_known() => {
            // The midlayer ignores sense with such a status, but units may have changed.
            let body = card.regions.body(cmd.tag().as_u16()).unwrap_or_default();
            cmd.note_sense(body.get(..len).unwrap_or_default());
            End::Status(status)
        }
        _ => End::Garbled,
    }
}

/// The length that an answer states, if it is one that does.
fn stated_len(cmd: &Cmd<'_>, moved: u32) -> Option<u32> {
    if !residual::states_its_len(cmd.cdb()) {
        return None;
    }
    let mut head = [0; residual::HEADER_LEN];
    let head = head.get_mut(..residual::HEADER_LEN.min(moved as usize))?;
    cmd.copy_from_data(0, head);
    residual::stated_len(cmd.cdb(), head)
}

/// How much a command has moved that succeeded and, as far as the card says, moved `len` bytes.
fn moved(cmd: &Cmd<'_>, len: u32) -> u32 {
    let moved = len.min(cmd.data_len());
    let Some(stated) = stated_len(cmd, moved) else {
        return moved;
    };
    let moved = moved.min(stated);
    // What lies behind the answer is nothing that the unit said.
    let mut data = cmd.data();
    data.skip(moved as usize);
    data.fill(data.left());
    moved
}

/// Takes note of the length of a unit's blocks, which an answer may tell. `word` has the four bytes
/// at a place of the answer.
fn note_block_len(card: &Card<'_>, cmd: &Cmd<'_>, word: impl FnOnce(usize) -> Option<[u8; 4]>) {
    if let Some(word) = cdb::block_length_in_answer(cmd.cdb()).and_then(word) {
        card.blocks.set(cmd.lun(), u32::from_be_bytes(word));
    }
}

/// The data of a command is there: what did not go straight into the caller's buffer is copied.
fn arrive(card: &Card<'_>, cmd: &Cmd<'_>, journey: &Journey) {
    match journey {
        Journey::Straight(Way::In, len) if transfer::tail_of(*len) > 0 => {
            let tail = transfer::tail_of(*len) as usize;
            let bytes = card.regions.tail(cmd.tag().as_u16()).unwrap_or_default();
            let bytes = bytes.get(..tail).unwrap_or_default();
            cmd.copy_to_data(*len as usize - tail, bytes);
        }
        Journey::Bounce(Way::In, len, lease) => {
            // The lease is of a buffer that long.
            let _ = card.bounce.drain(lease, *len, cmd.data());
            note_block_len(card, cmd, |at| {
                let is_there = at + 4 <= *len as usize;
                card.bounce.word(lease, at).ok().filter(|_| is_there)
            });
        }
        _ => {}
    }
}
