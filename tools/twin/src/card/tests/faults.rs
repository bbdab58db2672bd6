// SPDX-License-Identifier: GPL-2.0

//! Faults: each strikes, is counted, and does what the table says.

use super::super::faults::{FAULTS, Plan};
use super::*;
use crate::scsi::Volume;
use std::thread;
use std::time::Duration;

const DATA: u64 = 0x0200_0000;
const GOOD: [u8; 4] = [0, 0, 0, 0];

impl Bench {
    /// A card with a volume at LUN 0, ready, then with these faults.
    fn faulty(faults: &str) -> Bench {
        let bench = Bench::ready("junk=0");
        let volume = Volume::temporary(1 << 20).unwrap();
        bench.card.target().add_volume(0, volume).unwrap();
        bench.memory.map(DATA, 0x2000, true);
        // UNIT ATTENTION.
        bench.command(0, &[0]);
        bench.until("answer", || bench.answered(0));
        bench.have(faults);
        bench
    }

    /// These faults, and a report that has nothing yet.
    fn have(&self, faults: &str) {
        self.card.set_faults(&Plan::parse(faults).unwrap(), 1);
        self.card.reset_report();
    }

    /// Submits a command, with 1 KiB for data.
    fn command(&self, tag: u16, cdb: &[u8]) {
        self.memory.put(F + u64::from(tag) * 64, &[0; 64]);
        let entry = [0, (DATA >> 24) as u8, 0, 0, 0, 0, 1, 0];
        let moves_data = cdb[0] != 0;
        self.put_slot(tag, cdb, if moves_data { entry } else { [0; 8] });
        self.ring(tag);
    }

    fn struck(&self, name: &str) -> u64 {
        self.report().faults.get(name).copied().unwrap_or(0)
    }

    /// The last half of the response to a TEST UNIT READY.
    fn verdict(&self, tag: u16) -> [u8; 4] {
        self.command(tag, &[0]);
        self.until("answer", || self.answered(tag));
        self.response(tag)[4..8].try_into().unwrap()
    }
}

const READ: &[u8] = &[0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0];
const WRITE: &[u8] = &[0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0];

#[test]
fn one_time_in_so_many_and_so_many_times() {
    let bench = Bench::faulty("busy:1x3");
    let verdicts: Vec<_> = (0..5).map(|tag| bench.verdict(tag)).collect();
    assert_eq!(verdicts[..3], [[0, 0, 8, 0]; 3]);
    assert_eq!(verdicts[3..], [GOOD; 2]);
    bench.have("busy:4");
    let busy = (0..400).filter(|n| bench.verdict(n % 128) != GOOD).count();
    assert!((50..200).contains(&busy), "{busy}");
    assert_eq!(bench.struck("busy"), busy as u64);
    bench.have("none");
    assert_eq!(bench.verdict(1), GOOD);
}

#[test]
fn a_write_that_was_refused_was_not_executed() {
    for fault in FAULTS {
        let executed = match fault.name {
            "condition-met" | "sense-none" | "sense-recovered" => true,
            name if name.starts_with("sense-") => false,
            "busy" | "task-set-full" | "reservation-conflict" | "task-aborted" => false,
            "long-sense" | "lost-command" => false,
            "lost-answer" | "completes-twice" | "wrong-tag" | "garbled-response" => true,
            _ => continue,
        };
        let bench = Bench::faulty(&format!("{}:1", fault.name));
        bench.memory.put(DATA, &[0x5a; 1024]);
        bench.command(1, WRITE);
        match fault.name {
            // Meant for reads.
            "sense-medium-error" => continue,
            _ => bench.until("fault", || bench.struck(fault.name) == 1),
        }
        thread::sleep(Duration::from_millis(5));
        bench.have("none");
        bench.memory.put(DATA, &[0; 1024]);
        bench.command(2, READ);
        bench.until("answer", || bench.answered(2));
        let is_there = bench.memory.get(DATA, 1024) == [0x5a; 1024];
        assert_eq!(is_there, executed, "{}", fault.name);
    }
}

#[test]
fn commands_that_never_complete_are_over_with_the_next_handshake() {
    for fault in [
        "lost-command:1",
        "lost-answer:1",
        "silent-lun",
        "wrong-tag:1",
        "unissued-tag:1",
    ] {
        let bench = Bench::faulty(fault);
        bench.command(1, &[0]);
        let name = fault.trim_end_matches(":1");
        bench.until("fault", || bench.struck(name) == 1);
        thread::sleep(Duration::from_millis(5));
        assert!(!bench.answered(1) && bench.card.state().in_flight.contains(&1));
        bench.have("none");
        assert_eq!(bench.verdict(2), GOOD);
        bench.handshake();
        assert_eq!(bench.verdict(1), GOOD);
        assert_eq!(bench.report().protocol_errors, 0);
    }
}

#[test]
fn one_unit_is_silent() {
    let bench = Bench::faulty("silent-lun:@3");
    assert_eq!(bench.verdict(1), GOOD);
    assert_eq!(bench.struck("silent-lun"), 0);
}

#[test]
fn tags_that_are_not_the_commands() {
    let bench = Bench::faulty("tag-out-of-range:1");
    bench.command(1, &[0]);
    bench.until("fault", || bench.struck("tag-out-of-range") == 1);
    bench.until("response", || (128..1024).any(|tag| bench.answered(tag)));
    assert_eq!(bench.response(1)[..8], [0; 8]);
    bench.have("unissued-tag:1");
    bench.command(2, &[0]);
    bench.until("response", || bench.response(2)[0] == 2);
    assert!(!bench.answered(2));
}

#[test]
fn every_byte_of_a_response() {
    let bench = Bench::faulty("");
    for byte in 0..8 {
        bench.have(&format!("garbled-response:1x1@{byte}"));
        bench.command(9, &[0]);
        bench.until("response", || bench.response(9)[..8] != [0; 8]);
        let (good, seen) = ([2, 1, 0, 9, 0, 0, 0, 0], bench.response(9));
        let others: Vec<_> = (0..8).filter(|n| good[*n] != seen[*n]).collect();
        assert_eq!(others, [byte]);
        bench.handshake();
    }
}

#[test]
fn more_sense_than_there_can_be() {
    let bench = Bench::faulty("long-sense:1@65535");
    bench.memory.put(F + 5 * 64, &[0; 64]);
    assert_eq!(bench.verdict(4), [0xff, 0xff, 2, 0]);
    // The next tag's response is untouched.
    assert_eq!(bench.response(5)[..8], [0; 8]);
}

#[test]
fn interrupts() {
    let bench = Bench::faulty("lost-interrupt:1x1");
    bench.write8(SCSI_PENDING, 0);
    bench.verdict(1);
    bench.until("fault", || bench.struck("lost-interrupt") == 1);
    assert_eq!(bench.report().interrupts, 0);
    bench.have("late-interrupt:1x1 spurious-interrupt:1x1 interrupt-storm:1x1@20");
    bench.write8(SCSI_PENDING, 0);
    bench.verdict(2);
    bench.until("interrupts", || bench.report().interrupts == 22);
    bench.have("unknown-cause:1x1 management-response:1x1");
    bench.verdict(3);
    bench.until("causes", || {
        (bench.read8(0x5c), bench.read8(MGMT_PENDING)) == (1, 1)
    });
}

#[test]
fn the_interrupt_before_the_response() {
    let bench = Bench::faulty("early-interrupt:1x1@1000");
    bench.write8(SCSI_PENDING, 0);
    bench.card.state().sram.put_u8(SCSI_PENDING, 0);
    bench.command(1, &[0]);
    bench.until("interrupt", || bench.report().interrupts == 1);
    let early = !bench.answered(1);
    bench.write8(SCSI_PENDING, 0);
    bench.until("answer", || bench.answered(1));
    assert_eq!(
        (bench.report().interrupts, bench.read8(SCSI_PENDING)),
        (1, 0)
    );
    assert!(early);
}

#[test]
fn a_second_completion_changes_nothing_but_an_interrupt() {
    let bench = Bench::faulty("completes-twice:1x1");
    bench.verdict(1);
    bench.until("ring", || bench.card.state().ring_next == 3);
    assert_eq!(bench.report().completed, 1);
}

#[test]
fn data_that_takes_long_ends_with_its_era() {
    let bench = Bench::faulty("slow-data:1x1@20000");
    bench.memory.put(DATA, &[0x11; 1024]);
    bench.command(1, READ);
    bench.until("fault", || bench.struck("slow-data") == 1);
    // The others do not wait for it.
    assert_eq!(bench.verdict(2), GOOD);
    bench.handshake();
    bench.until("end", || bench.report().dropped == 1);
    assert_eq!(bench.memory.get(DATA, 4), [0x11; 4]);
}

#[test]
fn handshakes_that_fail() {
    let bench = Bench::faulty("garbled-ready:1x1 late-ready:@30");
    bench.configure(&REGIONS);
    bench.until("flag", || bench.read8(READY) != 0);
    assert!(bench.read8(READY) > 1);
    bench.handshake();
    assert_eq!(bench.struck("late-ready"), 1);
    bench.have("silent-handshake:1x1");
    bench.configure(&REGIONS);
    thread::sleep(Duration::from_millis(5));
    assert_eq!(bench.read8(READY), 0);
    bench.handshake();
    assert_eq!(bench.verdict(1), GOOD);
}

#[test]
fn a_card_that_forgets_its_host() {
    let bench = Bench::faulty("ready-lost:1x1");
    for tag in 1..4 {
        bench.command(tag, &[0]);
    }
    thread::sleep(Duration::from_millis(5));
    assert!((1..4).all(|tag| !bench.answered(tag)) && bench.read8(READY) == 0);
    assert_eq!(bench.report().protocol_errors, 0);
    bench.handshake();
    assert_eq!(bench.verdict(1), GOOD);
}

#[test]
fn registers_that_say_what_is_not_so() {
    let bench = Bench::faulty("capabilities-odd mailbox-far");
    assert_eq!(
        (bench.read32(MOST_SCSI), bench.read32(MOST_COMMANDS)),
        (128, 5)
    );
    assert_eq!(
        (bench.read32(MAILBOX_AT), bench.read32(MAILBOX_AT + 4)),
        (1, 0x174)
    );
    assert_eq!(bench.struck("mailbox-far"), 2);
    bench.have("");
    assert_eq!(bench.read32(MOST_COMMANDS), 129);
}

#[test]
fn a_card_that_goes() {
    let gone = |bench: &Bench| bench.card.is_dead() && bench.read32(0) == u32::MAX;
    let bench = Bench::faulty("gone-at-probe");
    assert_eq!(
        (bench.read32(READY - 1) == u32::MAX, bench.read32(MOST_SCSI)),
        (false, u32::MAX)
    );
    assert!(gone(&bench));
    bench.card.play_dead(false);
    bench.have("");
    assert_eq!(bench.read32(MOST_SCSI), 128);

    let bench = Bench::faulty("gone-under-load:1");
    bench.command(1, &[0]);
    assert!(gone(&bench));
    let bench = Bench::faulty("gone-in-error-handling");
    bench.configure(&REGIONS);
    assert!(gone(&bench));
    let bench = Bench::faulty("gone-in-remove");
    bench.command(1, &[0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bench.until("end", || gone(&bench));
    let bench = Bench::faulty("gone-idle:@10");
    bench.until("end", || gone(&bench));
    assert_eq!(bench.struck("gone-idle"), 1);
}

#[test]
fn what_no_driver_can_see() {
    let bench = Bench::faulty("early-response:1x1@300");
    bench.memory.put(DATA, &[0x77; 1024]);
    bench.command(1, READ);
    bench.until("answer", || bench.answered(1));
    let stale = bench.memory.get(DATA, 1) == [0x77];
    bench.until("data", || bench.memory.get(DATA, 1) == [0]);
    assert!(stale);

    bench.memory.put(DATA, &[0x77; 1024]);
    bench.have("short-data:1x1");
    bench.command(2, READ);
    bench.until("answer", || bench.answered(2));
    assert_eq!(bench.memory.get(DATA + 511, 2), [0, 0x77]);

    // The first answer to tag 3 comes although the command is lost.
    bench.have("late-second:1x1");
    bench.verdict(3);
    assert_eq!(bench.struck("late-second"), 0);
    bench.have("late-second:1x1 lost-command:1x1");
    assert_eq!(bench.verdict(3), GOOD);
    assert_eq!(bench.struck("late-second"), 1);
}

#[test]
fn a_hostile_card_keeps_to_what_it_may_write() {
    let bench = Bench::faulty("hostile");
    bench.until("writes", || bench.struck("hostile") > 300);
    bench.have("none");
    thread::sleep(Duration::from_millis(10));
    assert_eq!(bench.struck("hostile"), 0);
    let report = bench.report();
    assert_eq!((report.dma_refused, report.overruns), (0, 0), "{report:?}");
    // Slots, management command and lists are the host's.
    assert_eq!(bench.memory.get(B, 64), [0xa5; 64]);
    assert!(bench.memory.get(E, 64).iter().all(|byte| *byte == 0));
}

#[test]
fn chaos_is_the_seeds() {
    let names = |seed| {
        let bench = Bench::idle(format!("fault=chaos seed={seed}").parse().unwrap());
        let settings = bench.card.faults.settings();
        settings
            .iter()
            .map(|s| (s.fault.name, s.one_in))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(3), names(3));
    assert_ne!(names(3), names(4));
}
