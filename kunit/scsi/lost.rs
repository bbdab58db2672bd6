// SPDX-License-Identifier: GPL-2.0

//! A command that nobody will answer, and what can become of it.

use super::{
    super::HostByte,
    ask::Deed,
    bench::Bench,
    request::{
        Data,
        End,
        Sent, //
    },
};
use crate::bindings;
use kernel::{
    prelude::*,
    sync::atomic::ordering::Relaxed, //
};

/// How long a command may take that will be lost, in milliseconds. The block layer rounds up.
pub(super) const SHORT: u32 = 100;

pub(super) const GOOD: Option<End> = Some(End {
    result: 0,
    residual: 0,
});

/// It ended without an answer of the device.
pub(super) fn failed(host: u32) -> Option<End> {
    Some(End {
        result: (host << 16) as i32,
        residual: 0,
    })
}

/// It was given up in a reset.
pub(super) fn reset() -> Option<End> {
    failed(HostByte::Reset as u32)
}

/// It was aborted, or done when it was to be.
pub(super) fn timed_out() -> Option<End> {
    failed(bindings::scsi_host_status_DID_TIME_OUT)
}

/// Sends the command, and waits until it is in flight.
pub(super) fn lost(bench: &Bench) -> Result<Sent<'_>> {
    let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
    let request = bench.request(Deed::StartMapped, data)?.timeout(SHORT);
    let sent = request.send()?;
    if bench.starts(1) {
        Ok(sent)
    } else {
        Err(ETIMEDOUT)
    }
}

/// Whether the host works, with nothing left of what was.
pub(super) fn works(bench: &Bench) -> Result<bool> {
    let sent = bench.request(Deed::Complete, Data::None)?.send()?;
    Ok(sent.end() == GOOD && bench.is_idle())
}

/// Polls, resets of the host, and commands that those ended.
pub(super) fn counts(bench: &Bench) -> (u32, u32, u32) {
    let state = bench.state();
    (
        state.polls.load(Relaxed),
        state.resets.load(Relaxed),
        state.ended.load(Relaxed),
    )
}
