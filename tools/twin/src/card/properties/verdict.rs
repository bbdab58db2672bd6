// SPDX-License-Identifier: GPL-2.0

//! What has to be true of a command that the card has executed, whatever its host did.

use super::super::bench::Bench;
use super::super::wire::{self, HEADER_LEN, SLOT_LEN};
use super::super::workers::{Job, Work};
use crate::scsi::{DataPhase, SENSE_LEN};

/// The end of the card's window on host memory.
const WINDOW_END: u64 = 1 << 36;

/// Executes the next command, if there is one, and looks at what it did.
pub(super) fn work(bench: &Bench) -> bool {
    let Some(job) = bench.next_job() else {
        return false;
    };
    let timely = bench.card.state().era == job.era;
    let alive = timely && bench.card.dma.is_bus_master();
    let phase = phase(bench, &job);
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
    let Work::Scsi(tag) = job.work else {
        assert!(
            after.managed > before.managed || refused || !alive,
            "{job:?}"
        );
        return true;
    };

    let completed = after.completed - before.completed;
    assert_eq!(completed + after.dropped - before.dropped, 1, "{job:?}");
    assert!(
        completed == 1 || refused || !alive,
        "{job:?}: dropped for no reason"
    );
    if completed == 1 {
        let stride = u64::from(bench.card.params().response_stride);
        let at = job.regions.responses + u64::from(tag) * stride;
        let header = match after.check_conditions > before.check_conditions {
            true => wire::check_condition(tag),
            false => wire::good(tag),
        };
        let answered = written
            .iter()
            .any(|piece| piece.address == at && piece.bytes == header);
        assert!(answered, "{job:?}: {written:02x?}");
    }
    if timely {
        assert!(!bench.card.state().in_flight.contains(&tag), "{job:?}");
    }

    // Whatever the descriptor says, the card writes no more than the CDB moves, but for
    // the rest of each word, and junk.
    let data = match phase {
        DataPhase::In(length) => {
            length + 3 * written.len() as u64 + after.junk_bytes - before.junk_bytes
        }
        DataPhase::Out(_) | DataPhase::None => 0,
    };
    let most = data + (HEADER_LEN + SENSE_LEN + size_of::<u32>()) as u64;
    assert!(bytes <= most, "{job:?}: wrote {bytes} bytes, not {most}");
    true
}

/// What the command's CDB moves, if its slot can be read.
fn phase(bench: &Bench, job: &Job) -> DataPhase {
    let Work::Scsi(tag) = job.work else {
        return DataPhase::None;
    };
    let at = job
        .regions
        .slots
        .saturating_add(u64::from(tag) * SLOT_LEN as u64);
    bench
        .memory
        .peek::<SLOT_LEN>(at)
        .and_then(|slot| slot[8..24].try_into().ok())
        .map_or(DataPhase::None, |cdb| {
            bench.card.target().data_phase(0, &cdb)
        })
}
