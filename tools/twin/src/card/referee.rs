// SPDX-License-Identifier: GPL-2.0

//! The referee: what a host puts into slots and lists that K does not, in one line each.
//!
//! Registers, rings and regions are judged where they are used.

use super::params::{CardParams, ListFlag};
use super::wire::{Entry, Kind, SLOT_LEN, Slot, Unit};
use crate::scsi::DataPhase;

/// Most bytes of an entry.
const MOST_ENTRY: u64 = 1 << 20;
/// The unit of addresses and lengths.
const GRAIN: u64 = 8;
/// The last LUN of macOS.
const LAST_LUN: u16 = 63;

/// Operations that surely move nothing: TEST UNIT READY, START STOP UNIT, PREVENT ALLOW
/// MEDIUM REMOVAL, SYNCHRONIZE CACHE.
const NO_DATA: [u8; 5] = [0x00, 0x1b, 0x1e, 0x35, 0x91];

/// What is wrong with a slot.
pub fn slot(
    slot: &Slot,
    raw: &[u8; SLOT_LEN],
    moves: DataPhase,
    params: &CardParams,
) -> Vec<String> {
    let mut lines = Vec::new();
    if raw[6] != 0 {
        lines.push(format!("byte 6 of the slot is {:#x}, not 0", raw[6]));
    }
    if slot.lun > LAST_LUN {
        lines.push(format!("LUN {} is beyond {LAST_LUN}", slot.lun));
    }
    match slot.kind {
        Kind::Scsi => scsi(slot, moves, params, &mut lines),
        Kind::Task => task(slot, params, &mut lines),
    }
    lines
}

fn scsi(slot: &Slot, moves: DataPhase, params: &CardParams, lines: &mut Vec<String>) {
    if slot.flags > 1 {
        lines.push(format!("byte 1 of the slot is {:#x}", slot.flags));
    }
    if ![0, 1, 2, 4].contains(&slot.how) {
        lines.push(format!("task attribute {:#x}", slot.how));
    }
    let strict = params.list_flag == ListFlag::Clear;
    if moves == DataPhase::None {
        if slot.descriptor == [0; 8] && slot.in_place() && strict {
            lines.push("bit 0 of byte 1 is set without data".to_owned());
        }
        if slot.descriptor != [0; 8] && NO_DATA.contains(&slot.cdb[0]) {
            lines.push("a descriptor for a command without data".to_owned());
        }
        return;
    }
    let list = slot.looks_like_list();
    if slot.in_place() && list && strict {
        lines.push("bit 0 of byte 1 is set with a list".to_owned());
    }
    if slot.in_place() && !list && Entry::decode(slot.descriptor).words == 0 {
        lines.push("an entry of 0 bytes in place".to_owned());
    }
    if !slot.in_place() && !list {
        lines.push("bytes behind the index of a list are not 0".to_owned());
    }
    if list && u32::from(slot.tag) >= params.lists {
        lines.push(format!("a list with a tag beyond {}", params.lists - 1));
    }
}

fn task(slot: &Slot, params: &CardParams, lines: &mut Vec<String>) {
    let (function, used) = (slot.function(), usize::from(slot.function() == 1) * 2);
    if ![1, 2, 4, 8].contains(&function) {
        lines.push(format!("task management function {function}"));
    }
    let zeros = [&slot.cdb[used..], &slot.descriptor].concat();
    if slot.flags != 0 || slot.how >> 4 != 0 || zeros.iter().any(|byte| *byte != 0) {
        lines.push("reserved bytes of a task management request are not 0".to_owned());
    }
    if u32::from(slot.tag) < params.lists {
        lines.push(format!("task management with a tag below {}", params.lists));
    }
}

/// What is wrong with an entry in place. The 4 bytes of macOS's start-up INQUIRY are right.
pub fn entry_in_place(entry: &Entry, slot: &Slot) -> Option<String> {
    // The article's listing has the length in byte 3.
    let four = matches!(slot.cdb[3..5], [0, 4] | [4, 0]);
    let start_up = slot.cdb[0] == 0x12 && entry.words == 1 && four;
    match start_up && entry.address % GRAIN == 0 {
        true => None,
        false => self::entry(entry),
    }
}

/// What is wrong with an entry.
fn entry(entry: &Entry) -> Option<String> {
    let (at, bytes) = (entry.address, entry.bytes());
    if at % GRAIN != 0 {
        Some(format!("an entry leads to {at:#x}, no multiple of {GRAIN}"))
    } else if bytes == 0 || bytes % GRAIN != 0 {
        Some(format!("an entry of {bytes} bytes, no multiple of {GRAIN}"))
    } else if bytes > MOST_ENTRY {
        Some(format!("an entry of {bytes} bytes, more than 1 MiB"))
    } else {
        None
    }
}

/// What is wrong with a list unit.
pub fn unit(unit: &Unit, index: u16) -> Vec<String> {
    let mut lines = Vec::new();
    let used = unit.entries().take_while(|raw| *raw != [0; 8]).count();
    lines.extend(
        unit.entries()
            .take(used)
            .filter_map(|raw| entry(&Entry::decode(raw))),
    );
    let unused = unit.entries().skip(used).any(|raw| raw != [0; 8]);
    if unused || unit.rest().iter().any(|byte| *byte != 0) {
        lines.push(format!("what is not used of list unit {index} is not 0"));
    }
    if unit.link() != 0 && unit.entries().count() != used {
        lines.push(format!("list unit {index} has a link and is not full"));
    }
    lines
}
