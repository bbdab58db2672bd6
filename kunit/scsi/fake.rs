// SPDX-License-Identifier: GPL-2.0

//! A host that is no device: it does with a command what the CDB asks for.

use super::{
    super::{
        Attribute,
        Busy,
        Command,
        Device,
        Dma,
        Finished,
        Host,
        HostAttributes,
        HostByte,
        MapError,
        Mapped,
        Operations,
        Outcome,
        Sense,
        SenseKey,
        Status,
        Victim, //
    },
    ask::{
        Ask,
        Deed,
        HOST_BYTES,
        SENSE, //
    },
    bench::{
        eventually,
        LIMITS, //
    },
    state::{
        Answer,
        Cargo,
        State,
        LIES, //
    },
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    str::CStr,
    sync::{
        atomic::ordering::Relaxed,
        rcu, //
    },
};

/// The driver.
pub(super) struct Fake;

type Queued<'a> = Result<(), Busy<'a, Fake>>;

fn good() -> Outcome {
    Outcome::status(Status::GOOD)
}

/// What a processor device of SCSI-2 says of itself: no other driver wants one.
fn inquiry(cmd: Command<'_, Fake>) {
    let mut data = *b"\x03\0\x02\x02\x1f\0\0\0FAKE    HOST            1   ";
    data[4] = data.len() as u8 - 5;
    let copied = cmd.copy_to_data(0, &data);
    let residual = cmd.data_len() - copied as u32;
    cmd.complete(good().with_residual(residual));
}

/// The device reaches every buffer.
fn map<'a>(cmd: Command<'a, Fake>) -> Result<Mapped<'a, Fake>, Busy<'a, Fake>> {
    cmd.map().map_err(|error| match error {
        MapError::TryAgain(busy) => busy,
        MapError::Impossible(cmd) => cmd.busy(),
    })
}

/// Whether the segments are all of the buffer, and within the limits.
fn is_whole(mapped: &Mapped<'_, Fake>) -> bool {
    let segments = mapped.segments();
    segments.len() == segments.clone().count()
        && segments.len() <= LIMITS.sg_tablesize.into()
        && segments.clone().all(|s| s.len <= LIMITS.max_segment_size)
        && segments.map(|s| s.len).sum::<u32>() == mapped.command().data_len()
}

/// Does with a victim what the device answers.
fn treat(state: &State, host: &Host<Fake>, victim: Victim<'_, Fake>, answer: Answer) -> Result {
    match answer {
        Answer::Refuse => return Err(EIO),
        Answer::Lie => {}
        Answer::HandOver => {
            state.hand_over.store(1, Relaxed);
            eventually(|| state.hand_over.load(Relaxed) == 2);
        }
        Answer::TakeBack => {
            if victim.take_back().is_some() {
                state.taken_back.add(1, Relaxed);
            }
        }
        Answer::CompleteFirst => {
            let rcu = rcu::read_lock();
            let taken = host.take(victim.tag(), &rcu);
            if let Some((cmd, _cargo)) = taken {
                cmd.complete(good());
            }
        }
    }
    Ok(())
}

fn carry_out<'a>(state: &State, ask: Ask, cmd: Command<'a, Fake>) -> Queued<'a> {
    let times = state.asked.fetch_add(1, Relaxed) + 1;
    let busy = state.busy.load(Relaxed);
    if busy > 0 {
        state.busy.store(busy - 1, Relaxed);
        return Err(cmd.busy());
    }
    if state.busy_at.load(Relaxed) == times {
        return Err(cmd.busy());
    }
    let argument = usize::from(ask.argument);
    match ask.deed {
        Deed::Complete => {
            let outcome = Outcome::status(Status(ask.argument));
            cmd.complete(outcome.with_residual(ask.number));
        }
        Deed::CompleteByHost => {
            let host = HOST_BYTES.get(argument).copied();
            cmd.complete(Outcome::host(host.unwrap_or(HostByte::Error)));
        }
        Deed::CompleteWithSense => {
            let sense = SENSE.get(..argument).unwrap_or(&SENSE);
            cmd.complete_with(sense, ask.number);
        }
        Deed::StartFirst if times > 1 => cmd.complete(good()),
        Deed::Start | Deed::StartFirst => cmd.start(Cargo::new(ask.number, state)),
        Deed::StartMapped => {
            let mapped = map(cmd)?;
            state.whole.add(is_whole(&mapped).into(), Relaxed);
            mapped.start(Cargo::new(ask.number, state));
        }
        Deed::Drop => drop(cmd),
        Deed::DropMapped => drop(map(cmd)?),
        Deed::Forget => core::mem::forget(cmd),
    }
    Ok(())
}

/// The value of an attribute that is so long.
fn many(len: usize, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
    (0..len).try_for_each(|_| f.write_str("x"))
}

#[vtable]
impl Operations for Fake {
    type Data<'bound> = State;
    type CommandData = Cargo;

    const NAME: &'static CStr = c"scsi_kunit";
    const HOST_ATTRIBUTES: HostAttributes<Self> = HostAttributes::new(&[
        Attribute::new(c"asked", |state, f| {
            write!(f, "{}", state.asked.load(Relaxed))
        }),
        Attribute::new(c"nothing", |_, _| Ok(())),
        Attribute::new(c"too_long", |_, f| many(PAGE_SIZE - 1, f)),
        Attribute::new(c"fits", |_, f| many(PAGE_SIZE - 2, f)),
    ]);
    const TRACK_QUEUE_DEPTH: bool = true;
    const TAG_ALLOC_POLICY_RR: bool = true;

    fn queue_command<'a>(
        state: &State,
        _host: &'a Host<Self>,
        cmd: Command<'a, Self>,
        is_last: bool,
    ) -> Result<(), Busy<'a, Self>> {
        state.last.add(is_last.into(), Relaxed);
        let ask = Ask::from_cdb(cmd.cdb());
        match (ask, cmd.cdb().first()) {
            (Some(ask), _) => return carry_out(state, ask, cmd),
            (_, Some(0x12)) => inquiry(cmd),
            // TEST UNIT READY, by which error handling tests whether it was of use.
            (_, Some(0x00)) => cmd.complete(good()),
            _ => cmd.complete_with_sense(Sense::new(SenseKey::IllegalRequest, 0x20, 0)),
        }
        Ok(())
    }

    fn commit_rqs(state: &State, _host: &Host<Self>, _hw_queue: u16) {
        state.commits.add(1, Relaxed);
    }

    fn eh_timed_out(state: &State, host: &Host<Self>) {
        let polls = state.polls.fetch_add(1, Relaxed) + 1;
        if state.found_by_poll.load(Relaxed) != polls {
            return;
        }
        let rcu = rcu::read_lock();
        for tag in host.in_flight() {
            if let Some((cmd, _cargo)) = host.take(tag, &rcu) {
                cmd.complete(good());
            }
        }
    }

    fn eh_abort(state: &State, host: &Host<Self>, victim: Victim<'_, Self>) -> Result {
        state.aborts.add(1, Relaxed);
        treat(state, host, victim, state.abort.get())
    }

    fn eh_device_reset(state: &State, host: &Host<Self>, device: &Device<Self>) -> Result {
        state.device_resets.add(1, Relaxed);
        let answer = state.device_reset.get();
        for victim in host.in_flight_of(device) {
            treat(state, host, victim, answer)?;
        }
        if answer == Answer::Refuse {
            return Err(EIO);
        }
        Ok(())
    }

    fn eh_host_reset(state: &State, host: &Host<Self>, dma: &mut Dma<'_>) -> Result {
        state.resets.add(1, Relaxed);
        if state.comes_back.load(Relaxed) == 0 {
            return Err(ENODEV);
        }
        if state.comes_back.load(Relaxed) == LIES {
            return Ok(());
        }
        state.ended.add(host.in_flight().count() as u32, Relaxed);
        host.complete_all(&dma.stop(), HostByte::Reset)
    }

    fn quiesce(state: &State, _host: &Host<Self>, finished: Finished) {
        state.tell(finished);
    }

    fn stop(state: &State, _host: &Host<Self>) {
        state.stops.add(1, Relaxed);
    }
}
