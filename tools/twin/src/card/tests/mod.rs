// SPDX-License-Identifier: GPL-2.0

//! The card as a whole, over a fake guest memory: no QEMU.

mod commands;
mod faults;
mod handshake;
mod interrupts;
mod lies;
mod odd;
mod random;
mod referee;
mod replay;
mod settings;
mod tasks;
mod transfers;

use super::bench::{Bench, REGIONS};
use super::faults::Plan;
use super::regs::*;
use crate::scsi::Volume;
use std::cell::RefCell;
use std::thread;
use std::time::Duration;

/// A tag for task management.
const TASK: u16 = 100;

/// Where the tests' data lies.
const DATA: u64 = 0x02_319b_5000;

/// Reads two blocks, and writes them.
const READ: &[u8] = &[0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0];
const WRITE: &[u8] = &[0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0];

/// TEST UNIT READY.
const TEST: &[u8] = &[0; 6];

impl Bench {
    /// A card that is bus master, before the handshake.
    fn new(settings: &str) -> Bench {
        Bench::busy(settings.parse().unwrap())
    }

    /// A card that is enabled, with a volume at LUN 0, and memory for data.
    fn ready(settings: &str) -> Bench {
        let bench = Bench::new(&format!("init-ms=0 ready-ms=0 enable-ms=0 {settings}"));
        bench.add_volume(0);
        bench.memory.map(DATA, 0x4000, true);
        bench.handshake();
        bench
    }

    /// The same, and then with these faults.
    fn faulty(faults: &str) -> Bench {
        let bench = Bench::ready("inline=never");
        bench.have(faults);
        bench
    }

    /// These faults, and a report that has nothing yet.
    fn have(&self, faults: &str) {
        self.card.set_faults(&Plan::parse(faults).unwrap(), 1);
        self.card.reset_report();
    }

    fn struck(&self, name: &str) -> u64 {
        self.report().faults.get(name).copied().unwrap_or(0)
    }

    fn add_volume(&self, lun: u16) {
        let volume = Volume::temporary(1 << 20).unwrap();
        self.card.target().add_volume(lun, volume).unwrap();
        // What a unit has to tell after power-on, it tells here.
        self.card.target().execute(lun, &[0; 16], &[]);
    }

    /// Submits a command; one with data gets two blocks in place.
    fn submit(&self, tag: u16, cdb: &[u8]) {
        let moves_data = cdb[0] != 0 && cdb[0] != 0x35;
        let descriptor = if moves_data { entry(DATA, 256) } else { [0; 8] };
        self.command(tag, cdb, descriptor);
    }

    fn command(&self, tag: u16, cdb: &[u8], descriptor: [u8; 8]) {
        self.put_slot(tag, cdb, descriptor);
        self.ring(tag);
    }

    /// Submits a task management request.
    fn request_task(&self, function: u8, lun: u16, victim: u16) {
        self.put_raw_slot(TASK, &task_slot(function, lun, victim));
        self.ring(TASK);
    }

    /// Waits for so many completions, and takes them.
    fn completions(&self, count: usize) -> Vec<u16> {
        let tags = RefCell::new(Vec::new());
        self.until("completions", || {
            tags.borrow_mut().extend(self.take_completions());
            tags.borrow().len() >= count
        });
        tags.into_inner()
    }

    /// Waits for the next completion, which has to be this tag's.
    fn answer(&self, tag: u16) -> [u8; 32] {
        assert_eq!(self.completions(1), [tag]);
        self.response(tag)
    }

    /// Runs a TEST UNIT READY; bytes 4 to 7 of the response.
    fn verdict(&self, tag: u16) -> [u8; 4] {
        self.submit(tag, TEST);
        self.answer(tag)[4..8].try_into().unwrap()
    }

    fn is_in_flight(&self, tag: u16) -> bool {
        self.card.state().in_flight.contains_key(&tag)
    }

    /// Nothing was complained about.
    fn is_clean(&self) {
        let report = self.report();
        assert_eq!(report.first_protocol_error, None);
        assert_eq!((report.protocol_errors, report.dma_refused), (0, 0));
    }
}

/// An entry.
fn entry(address: u64, words: u32) -> [u8; 8] {
    ((address << 24) | u64::from(words)).to_be_bytes()
}

/// A descriptor that leads to a list.
fn list(index: u16) -> [u8; 8] {
    (u64::from(index) << 48).to_be_bytes()
}

/// A list unit.
fn unit(entries: &[[u8; 8]], link: u16) -> Vec<u8> {
    let mut unit = entries.concat();
    unit.resize(64, 0);
    unit[56..58].copy_from_slice(&link.to_be_bytes());
    unit
}

fn task_slot(function: u8, lun: u16, victim: u16) -> [u8; 32] {
    let mut slot = [0; 32];
    slot[0] = 4;
    slot[2..4].copy_from_slice(&TASK.to_be_bytes());
    slot[4..6].copy_from_slice(&lun.to_be_bytes());
    slot[7] = function;
    slot[8..10].copy_from_slice(&victim.to_be_bytes());
    slot
}

fn wait_a_little() {
    thread::sleep(Duration::from_millis(10));
}
