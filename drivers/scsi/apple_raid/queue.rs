// SPDX-License-Identifier: GPL-2.0

//! From a command of the midlayer to a slot of the card.
//!
//! ```text
//!   plan      what the CDB moves, and how that travels; or the command is refused
//!   prepare   the buffer is mapped, the list written; or it goes back as busy
//!   submit    the slot is written, the tag put into the ring, and shown to the card
//! ```
//!
//! The midlayer says whether more commands follow at once. The ring is shown to the card only when
//! none does, or by [`commit`].

use crate::{
    bounce::Lease,
    card::Card,
    scsi::{
        Busy,
        Command,
        Direction,
        HostByte,
        MapError,
        Mapped,
        Outcome,
        Sense,
        SenseKey, //
    },
    submit::Gate,
    transfer::{
        self,
        Buffer,
        Plan,
        Refusal,
        Way, //
    },
    wire::{
        padded,
        Descriptor,
        Entry,
        Slot,
        CDB_LEN, //
    },
    AppleRaid,
    Host,
    MAX_LUN, //
};
use kernel::{
    prelude::*,
    sync::atomic::ordering::Relaxed, //
};

/// What has to be known of a command in flight when it ends: how its data travels, and how many
/// bytes the CDB moves.
pub(crate) enum Journey {
    /// There is none.
    NoData,
    /// Straight between the card and the caller's buffer, but for the tail.
    Straight(Way, u32),
    /// Through a bounce buffer.
    Bounce(Way, u32, Lease),
}

/// `Ok` if the command is in the ring. Otherwise it has ended, or the midlayer has to try again.
type Queued<'a> = Result<(), Option<Busy<'a, AppleRaid>>>;

/// Carries out a command, refuses it, or gives it back.
pub(crate) fn queue_command<'a>(
    card: &Card<'_>,
    host: &Host,
    cmd: Command<'a, AppleRaid>,
    is_last: bool,
) -> Result<(), Busy<'a, AppleRaid>> {
    let Err(unsent) = queue(card, cmd, is_last) else {
        return Ok(());
    };
    if is_last {
        commit(card);
    }
    unsent.map_or(Ok(()), |busy| {
        card.end_hold(host);
        Err(busy)
    })
}

/// Shows the card what was put into the ring.
pub(crate) fn commit(card: &Card<'_>) {
    if let Some(ring) = card.gate.lock().ring() {
        ring.show(&card.bar);
    }
}

fn queue<'a>(card: &Card<'_>, cmd: Command<'a, AppleRaid>, is_last: bool) -> Queued<'a> {
    let buffer = match (cmd.direction(), cmd.data_len()) {
        (Direction::None, _) | (_, 0) => Buffer::None,
        (Direction::In, len) => Buffer::In(len),
        (Direction::Out, len) => Buffer::Out(len),
        (Direction::Both, len) => Buffer::Either(len),
    };
    if cmd.lun() >= MAX_LUN {
        // The midlayer lets one more through, if the card reports it.
        return fail(cmd, HostByte::NoConnect);
    }
    let Some(cdb) = padded(cmd.cdb()) else {
        return refuse(card, cmd, Refusal::UnknownCommand);
    };
    let send = Submission { card, cdb, is_last };
    match transfer::plan(&cdb, buffer, card.blocks.get(cmd.lun())) {
        Ok(Plan::NoData) => send.submit(cmd.into(), Descriptor::None, Journey::NoData),
        Ok(Plan::Straight(way)) => send.straight(cmd, way),
        Ok(Plan::Bounce(way, len)) => send.bounce(cmd, way, len),
        Err(refusal) => refuse(card, cmd, refusal),
    }
}

/// Ends a command that the card must not see. Anybody who may send commands can provoke this.
fn refuse<'a>(card: &Card<'_>, cmd: Command<'a, AppleRaid>, refusal: Refusal) -> Queued<'a> {
    card.refused.fetch_add(1, Relaxed);
    dev_dbg!(
        card.pdev,
        "LUN {}: refused CDB {:02x?} with a buffer of {} bytes: {}\n",
        cmd.lun(),
        cmd.cdb(),
        cmd.data_len(),
        refusal.reason()
    );
    cmd.complete_with_sense(match refusal {
        // INVALID COMMAND OPERATION CODE
        Refusal::UnknownCommand => Sense::new(SenseKey::IllegalRequest, 0x20, 0),
        // INVALID FIELD IN CDB
        _ => Sense::new(SenseKey::IllegalRequest, 0x24, 0),
    });
    Err(None)
}

/// Ends a command that cannot be carried out.
fn fail<'a>(cmd: Command<'a, AppleRaid>, host_byte: HostByte) -> Queued<'a> {
    cmd.complete(Outcome::host(host_byte));
    Err(None)
}

/// What does not change on a command's way to the card.
struct Submission<'c, 'bound> {
    card: &'c Card<'bound>,
    cdb: [u8; CDB_LEN],
    is_last: bool,
}

impl Submission<'_, '_> {
    /// The data goes straight between the card and the caller's buffer, but for the tail.
    fn straight<'a>(&self, cmd: Command<'a, AppleRaid>, way: Way) -> Queued<'a> {
        let (tag, len, regions) = (cmd.tag().as_u16(), cmd.data_len(), &self.card.regions);
        let tail = transfer::tail_of(len) as usize;
        if tail > 0 {
            // For data-in zeros, so that no data of an earlier command can be read when the card
            // transfers less.
            let mut bytes = [0; 8];
            if let (Way::Out, Some(last)) = (way, bytes.get_mut(..tail)) {
                cmd.copy_from_data(len as usize - tail, last);
            }
            // There is a tail for each tag.
            let _ = regions.write_tail(tag, bytes);
        }
        let mapped = match cmd.map() {
            Ok(mapped) => mapped,
            Err(MapError::TryAgain(busy)) => return Err(Some(busy)),
            Err(MapError::Impossible(cmd)) => return fail(cmd, HostByte::Error),
        };
        let mut list = regions.list(tag);
        let segments = mapped.segments().map(|s| (s.address, s.len));
        let tail = regions.tail_address(tag);
        let listed = transfer::entries(segments, tail, |entry| list.push(entry));
        match listed.and_then(|()| list.end(self.card.lists_are_marked.load(Relaxed))) {
            Some(descriptor) => self.submit(mapped, descriptor, Journey::Straight(way, len)),
            // The limits of the host exclude this, but not the block layer's pass-through.
            None => match transfer::bounce(way, len) {
                Ok(_) => self.bounce(mapped.unmap(), way, len),
                Err(refusal) => refuse(self.card, mapped.unmap(), refusal),
            },
        }
    }

    /// The data goes through a bounce buffer.
    fn bounce<'a>(&self, cmd: Command<'a, AppleRaid>, way: Way, len: u32) -> Queued<'a> {
        let pool = &self.card.bounce;
        let Some(lease) = pool.lease() else {
            return Err(Some(cmd.device_busy()));
        };
        let data = (way == Way::Out).then(|| cmd.data());
        let filled = pool.fill(&lease, len, data);
        let entry = filled
            .and_then(|()| pool.address(&lease))
            .ok()
            .and_then(|address| Entry::new(address, transfer::covered(len)));
        let Some(entry) = entry else {
            pool.give_back(lease);
            return fail(cmd, HostByte::Error);
        };
        let journey = Journey::Bounce(way, len, lease);
        self.submit(cmd.into(), Descriptor::InPlace(entry), journey)
    }

    /// Writes the slot, and puts the tag into the ring. From then on the table of commands in
    /// flight has the command.
    fn submit<'a>(
        &self,
        cmd: Mapped<'a, AppleRaid>,
        data: Descriptor,
        journey: Journey,
    ) -> Queued<'a> {
        let card = self.card;
        let (tag, lun) = (cmd.command().tag().as_u16(), cmd.command().lun());
        // CAST: Below `MAX_LUN`, or it would not have come here.
        let slot = Slot::command(tag, lun as u16, &self.cdb, data);
        let written = card.regions.write_slot(tag, slot);

        let mut gate = card.gate.lock();
        match &mut *gate {
            Gate::Open(ring) if written.is_ok() => {
                cmd.start(journey);
                // That the ring is in the BAR was checked at bring-up. If this fails all the same,
                // the command is in the table, and its timeout finds it.
                let _ = ring.push(&card.bar, tag);
                if self.is_last {
                    ring.show(&card.bar);
                }
                return Ok(());
            }
            _ => {}
        }
        let is_lost = matches!(*gate, Gate::Dead) || written.is_err();
        drop(gate);
        card.discard(journey);
        if is_lost {
            fail(cmd.unmap(), HostByte::NoConnect)
        } else {
            Err(Some(cmd.unmap().busy()))
        }
    }
}
