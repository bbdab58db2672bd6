// SPDX-License-Identifier: GPL-2.0

//! What has to be true of a command that the card has executed, whatever its host did.

use super::super::bench::Bench;
use super::super::wire::RESPONSE_LEN;
use super::super::workers::{Job, Work};
use crate::scsi::DataPhase;

/// The end of the card's window on host memory.
const WINDOW_END: u64 = 1 << 36;

/// Executes the next job, if there is one, and looks at what it did.
pub(super) fn work(bench: &Bench) -> bool {
    let Some(job) = bench.next_job() else {
        return false;
    };
    let timely = bench.card.state().era == job.era;
    let alive = timely && bench.card.dma.is_bus_master();
    let before = bench.report();
    bench.memory.take_written();
    bench.execute(&job);
    let written = bench.memory.take_written();
    let after = bench.report();

    let bytes: u64 = written.iter().map(|piece| piece.bytes.len() as u64).sum();
    let reached = bench.memory.reached();
    assert!(reached <= WINDOW_END, "{job:?}: reached {reached:#x}");
    assert!(
        alive || bytes == 0,
        "{job:?}: wrote when its time was over: {written:02x?}"
    );
    let refused = after.dma_refused > before.dma_refused;
    let (tag, data) = match &job.work {
        Work::Manage => {
            let managed = after.managed > before.managed;
            assert!(managed || refused || !alive, "{job:?}");
            return true;
        }
        Work::Task(slot) => (slot.tag, 0),
        // Whatever the descriptor says, the card writes no more than the CDB moves, but for
        // the rest of each 8 bytes.
        Work::Scsi(slot) => match bench.card.target().data_phase(slot.lun, &slot.cdb) {
            DataPhase::In(length) => (slot.tag, length + 7 * written.len() as u64),
            DataPhase::Out(_) | DataPhase::None => (slot.tag, 0),
        },
    };
    ended(bench, &job, tag, refused || !alive);
    // And the response, its entry in the ring, and one that waited.
    let most = data + (RESPONSE_LEN + 2 * size_of::<u16>()) as u64;
    assert!(bytes <= most, "{job:?}: wrote {bytes} bytes, not {most}");
    let answer = job.regions.response_of(tag);
    let answered = written.iter().any(|piece| piece.address == answer);
    let in_ring = after.completed + after.tasks > before.completed + before.tasks;
    assert!(answered || !in_ring, "{job:?}: {written:02x?}");
    true
}

/// What was executed is in flight no more, unless it waits for room in the ring.
fn ended(bench: &Bench, job: &Job, tag: u16, excused: bool) {
    let state = bench.card.state();
    let Some(command) = state.in_flight.get(&tag) else {
        return;
    };
    let waits = state.ring.waiting.iter().any(|it| it.tag == tag);
    let ours = state.era == job.era && command.sequence == job.sequence;
    let never = matches!(&job.work, Work::Task(slot) if ![1, 2, 4, 8].contains(&slot.function()));
    assert!(waits || !ours || never || excused, "{job:?}");
}
