// SPDX-License-Identifier: GPL-2.0

//! Hosts that make no sense: whatever one writes, the card neither panics nor reaches
//! beyond its window, and each command ends, with an answer where one can be written.

use super::super::bench::{Bench, REGIONS};
use super::super::regions::Regions;
use super::super::regs;
use super::super::wire::{ENTRY_LEN, SLOT_LEN, UNIT_LEN};
pub use super::script::Script;
use super::script::{Fate, MEMORY, Step};
use super::verdict::work;
use crate::scsi::Volume;

/// Has the card execute one command after the other, and looks at what each did.
pub fn every_command_ends(script: &Script) {
    let bench = ready(Bench::idle(script.card.clone()));
    for step in &script.steps {
        play(&bench, step);
        if let Step::Work = step {
            work(&bench);
        }
    }
    finish(&bench, || while work(&bench) {});
}

/// The same with workers, that is with commands executed at the same time, while the
/// host goes on.
pub fn every_command_ends_with_workers(script: &Script) {
    let bench = ready(Bench::busy(script.card.clone()));
    for step in &script.steps {
        play(&bench, step);
    }
    finish(&bench, || {
        bench.until("end", || {
            let state = bench.card.state();
            let waiting: Vec<u16> = state.ring.waiting.iter().map(|it| it.tag).collect();
            let over = |tag: &u16| waiting.contains(tag) || state.in_flight[tag].is_task;
            !state.managing && state.in_flight.keys().all(over)
        });
    });
}

/// Takes what completed until nothing does any more; then everything has ended, but for
/// task management that has no function.
fn finish(bench: &Bench, work: impl Fn()) {
    for _ in 0..4 {
        work();
        bench.take_completions();
    }
    let report = bench.report();
    let ended = report.completed + report.dropped + report.aborted;
    let state = bench.card.state();
    let stalled = state.ring.waiting.iter().filter(|it| it.ends);
    let commands = stalled.filter(|it| !state.in_flight[&it.tag].is_task);
    assert_eq!(
        ended + commands.count() as u64,
        report.submitted,
        "{report:?}"
    );
    let waits = |tag: &u16| state.ring.waiting.iter().any(|it| it.tag == *tag);
    let left = |tag: &u16| !waits(tag) && !state.in_flight[tag].is_task;
    assert!(!state.in_flight.keys().any(left) && !state.managing);
}

fn ready(bench: Bench) -> Bench {
    for (address, length, writable) in MEMORY {
        bench.memory.map(address, length, writable);
    }
    if let Ok(volume) = Volume::temporary(1 << 20) {
        let _ = bench.card.target().add_volume(0, volume);
    }
    // TEST UNIT READY: what a unit has to tell after power-on, it tells here.
    bench.card.target().execute(0, &[0; 16], &[]);
    bench.handshake();
    bench
}

fn play(bench: &Bench, step: &Step) {
    match *step {
        Step::Work => {}
        Step::Slot {
            tag,
            lun,
            cdb,
            descriptor,
        } => {
            bench.put_slot(tag.into(), &cdb.0, descriptor);
            let at = REGIONS.request_of(tag.into()) + 5;
            let _ = bench.memory.poke(at, &[lun]);
        }
        Step::Task {
            tag,
            function,
            victim,
        } => {
            let mut slot = [0; SLOT_LEN];
            (slot[0], slot[3], slot[7], slot[9]) = (4, tag, function, victim);
            bench.put_raw_slot(tag.into(), &slot);
        }
        Step::Take => {
            bench.take_completions();
        }
        Step::RawSlot { tag, raw } => bench.put_raw_slot(tag.into(), &raw),
        Step::Entry { unit, at, entry } => {
            let at = u64::from(unit) * UNIT_LEN as u64 + u64::from(at) * ENTRY_LEN as u64;
            let _ = bench.memory.poke(REGIONS.lists + at, &entry);
        }
        Step::Poke { address, data } => {
            let _ = bench.memory.poke(address, &data);
        }
        Step::Ring { tag } => ring(bench, tag),
        Step::Manage => {
            let count = bench.read32(regs::MGMT_DOORBELL);
            bench.write32(regs::MGMT_DOORBELL, count.wrapping_add(1));
        }
        Step::Access { offset, data } => {
            bench.card.write(offset, data.bytes());
            bench.card.read(offset, &mut [0; 8][..data.width]);
        }
        Step::Config { offset, data } => {
            bench.card.write_config(offset, data.bytes());
            bench.card.read_config(offset, &mut [0; 8][..data.width]);
        }
        Step::Handshake { which, value } => {
            // Bus master, as a driver makes it.
            bench.card.write_config(4, &[6, 0]);
            bench.configure(&regions(which, value));
            for mask in [0x62, 0x64, 0x61] {
                bench.write8(mask, 0);
            }
        }
        Step::Fate(fate) => match fate {
            Fate::Reset => bench.card.reset("fate"),
            Fate::PowerCut => bench.card.power_cut(),
            Fate::Death => bench.card.play_dead(true),
            Fate::Life => bench.card.play_dead(false),
            Fate::Hold => bench.card.hold_interrupts(true),
            Fate::Release => bench.card.hold_interrupts(false),
            Fate::Lose => bench.card.lose_interrupts(2),
        },
    }
}

/// The usual regions, but for one value.
fn regions(which: u8, value: u64) -> Regions {
    let mut regions = REGIONS;
    let number = value as u32;
    match which % 12 {
        0 => regions.requests = value,
        1 => regions.mgmt_request = value,
        2 => regions.ring = value,
        3 => regions.mgmt_reply = value,
        4 => regions.lists = value,
        5 => regions.responses = value,
        6 => regions.slots = number,
        7 => regions.mgmt_size = number,
        8 => regions.entries = number,
        9 => regions.list_units = number,
        _ => {}
    }
    regions
}

/// What is submitted is taken, or is a protocol error, unless the card plays dead or is
/// behind.
fn ring(bench: &Bench, tag: u8) {
    let heard = || {
        let report = bench.report();
        report.submitted + report.protocol_errors
    };
    let before = heard();
    bench.ring(tag.into());
    let state = bench.card.state();
    let is_task = state
        .in_flight
        .get(&tag.into())
        .is_some_and(|it| it.is_task);
    let behind = !bench.card.params().batch;
    assert!(
        state.dead || is_task || behind || heard() > before,
        "tag {tag} was not heard"
    );
}
