// SPDX-License-Identifier: GPL-2.0

//! Faults of commands, answers and interrupts: each strikes, is counted, and does what the
//! table says.

use super::super::faults::FAULTS;
use super::*;

const GOOD: [u8; 4] = [0; 4];

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
            // Meant for reads.
            "sense-medium-error" => continue,
            name if name.starts_with("sense-") => false,
            "busy" | "task-set-full" | "reservation-conflict" | "task-aborted" => false,
            "long-sense" | "lost-command" | "hung-command" => false,
            "lost-answer" | "ring-tag-twice" | "garbled-response" => true,
            _ => continue,
        };
        let bench = Bench::faulty(&format!("{}:1x1", fault.name));
        bench.memory.put(DATA, &[0x5a; 1024]);
        bench.submit(1, WRITE);
        bench.until("fault", || bench.struck(fault.name) == 1);
        wait_a_little();
        bench.take_completions();
        bench.memory.put(DATA, &[0; 1024]);
        bench.submit(2, READ);
        assert_eq!(bench.answer(2)[6], 0, "{}", fault.name);
        let is_there = bench.memory.get(DATA, 1024) == [0x5a; 1024];
        assert_eq!(is_there, executed, "{}", fault.name);
    }
}

#[test]
fn commands_that_never_complete() {
    for (fault, stays) in [
        ("lost-command:1x1", false),
        ("hung-command:1x1", true),
        ("lost-answer:1x1", true),
        ("silent-lun:x1", true),
    ] {
        let bench = Bench::faulty(fault);
        let name = fault.split(':').next().unwrap();
        bench.submit(1, TEST);
        bench.until("fault", || bench.struck(name) == 1);
        wait_a_little();
        assert!(bench.take_completions().is_empty());
        assert_eq!(bench.is_in_flight(1), stays, "{fault}");
        assert_eq!(bench.verdict(2), GOOD);
        bench.handshake();
        bench.is_clean();
    }
    let bench = Bench::faulty("silent-lun:@3");
    assert_eq!((bench.verdict(1), bench.struck("silent-lun")), (GOOD, 0));
}

#[test]
fn entries_too_many_in_the_ring() {
    let bench = Bench::faulty("ring-tag-out-of-range:1x1@4000");
    bench.submit(1, TEST);
    assert_eq!(bench.completions(2), [4000, 1]);
    bench.have("ring-tag-not-in-flight:1x1");
    bench.submit(1, TEST);
    let tags = bench.completions(2);
    assert!(tags[0] < 128 && tags[0] != 1 && tags[1] == 1, "{tags:?}");
    bench.have("ring-tag-twice:1x1");
    bench.submit(1, TEST);
    assert_eq!(bench.completions(2), [1, 1]);
    bench.is_clean();
}

#[test]
fn every_byte_of_a_response() {
    let bench = Bench::faulty("");
    for byte in 0..8 {
        bench.have(&format!("garbled-response:1x1@{byte}"));
        bench.submit(9, TEST);
        let (good, seen) = ([2, 1, 0, 9, 0, 0, 0, 0], bench.answer(9));
        let others: Vec<_> = (0..8).filter(|n| good[*n] != seen[*n]).collect();
        assert_eq!(others, [byte]);
    }
}

#[test]
fn lengths_that_cannot_be() {
    let bench = Bench::faulty("long-sense:1@65535");
    assert_eq!(bench.verdict(4), [0xff, 0xff, 2, 0]);
    let mut beyond = 0;
    bench.have("inline-too-long:1");
    for _ in 0..40 {
        bench.command(1, &[0x12, 0, 0, 0, 8, 0], entry(DATA, 2));
        let response = bench.answer(1);
        let length = u16::from_be_bytes([response[4], response[5]]);
        assert!(response[1] == 3 && length > 8, "{response:?}");
        beyond += u32::from(length > 24);
    }
    assert!((5..35).contains(&beyond), "{beyond}");
}

#[test]
fn a_block_that_cannot_be_read() {
    let bench = Bench::faulty("sense-medium-error:1x1@1");
    bench.memory.put(DATA, &[0x77; 1024]);
    bench.submit(1, &[0x28, 0, 0, 0, 1, 2, 0, 0, 2, 0]);
    let response = bench.answer(1);
    assert_eq!(response[..8], [2, 5, 0, 1, 0, 18, 2, 0]);
    // VALID, MEDIUM ERROR, and block 0x103.
    assert_eq!(response[8..15], [0xf0, 0, 3, 0, 0, 1, 3]);
    assert_eq!(response[20], 0x11);
    assert_eq!(bench.memory.get(DATA + 511, 2), [0, 0x77]);
    bench.have("sense-medium-error:1");
    assert_eq!(bench.verdict(1), GOOD);
    bench.submit(1, WRITE);
    assert_eq!((bench.answer(1)[6], bench.report().overruns), (0, 0));
}

#[test]
fn interrupts() {
    let bench = Bench::faulty("lost-interrupt:1x1");
    bench.write8(SCSI_CAUSE, 0);
    bench.verdict(1);
    assert_eq!(bench.struck("lost-interrupt"), 1);
    assert_eq!(bench.report().interrupts, 0);
    bench.have("late-interrupt:1x1 spurious-interrupt:1x1 interrupt-storm:1x1@20");
    bench.write8(SCSI_CAUSE, 0);
    bench.verdict(2);
    bench.until("interrupts", || bench.report().interrupts == 22);
    bench.have("same-state:1x1 management-reply:1x1");
    bench.verdict(3);
    bench.until("causes", || {
        (bench.read8(STATE_CAUSE), bench.read8(MGMT_CAUSE)) == (1, 1)
    });
    bench.write8(SCSI_CAUSE, 0);
    bench.have("early-interrupt:1x1@1000");
    bench.submit(1, TEST);
    bench.until("interrupt", || bench.report().interrupts == 1);
    let early = bench.take_completions().is_empty();
    bench.write8(SCSI_CAUSE, 0);
    bench.answer(1);
    assert_eq!(bench.read8(SCSI_CAUSE), 0);
    assert!(early);
    bench.is_clean();
}

#[test]
fn task_management_that_goes_wrong() {
    let bench = Bench::faulty("");
    for (abort, function) in [("abort", 1), ("reset", 8)] {
        let begin = |trouble: &str| {
            bench.have(&format!("hung-command:1x1 {abort}-{trouble}"));
            bench.submit(1, READ);
            bench.until("fault", || bench.struck("hung-command") == 1);
            thread::sleep(Duration::from_millis(2));
            bench.memory.put(DATA, &[0x77; 1024]);
            bench.request_task(function, 0, u16::from(function == 1));
        };
        begin("late:1x1@200");
        wait_a_little();
        assert!(bench.take_completions().is_empty() && bench.is_in_flight(1));
        assert_eq!((bench.answer(TASK)[6], bench.is_in_flight(1)), (0, false));

        begin("rejected:1x1");
        assert_eq!((bench.answer(TASK)[6], bench.is_in_flight(1)), (5, true));
        bench.request_task(1, 0, 1);
        bench.answer(TASK);

        begin("race:1x1");
        assert_eq!(bench.completions(2), [1, TASK]);
        assert_eq!(bench.response(1)[..8], [2, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(bench.memory.get(DATA, 1024), [0; 1024]);

        begin("lost:1x1");
        wait_a_little();
        assert!(bench.take_completions().is_empty());
        assert!(bench.is_in_flight(1) && bench.is_in_flight(TASK));
        bench.handshake();
        bench.completions(2);
        bench.is_clean();
    }
}

#[test]
fn data_that_takes_long_ends_with_its_era() {
    let bench = Bench::faulty("slow-data:1x1@20000");
    bench.memory.put(DATA, &[0x11; 1024]);
    bench.submit(1, READ);
    bench.until("fault", || bench.struck("slow-data") == 1);
    // The others do not wait for it.
    assert_eq!(bench.verdict(2), GOOD);
    bench.handshake();
    bench.completions(1);
    assert_eq!(bench.memory.get(DATA, 4), [0x11; 4]);
}

#[test]
fn what_no_driver_can_see() {
    let bench = Bench::faulty("early-response:1x1@300");
    bench.memory.put(DATA, &[0x77; 1024]);
    bench.submit(1, READ);
    bench.answer(1);
    let stale = bench.memory.get(DATA, 1) == [0x77];
    bench.until("data", || bench.memory.get(DATA, 1) == [0]);
    assert!(stale);

    bench.memory.put(DATA, &[0x77; 1024]);
    bench.have("short-data:1x1");
    bench.submit(2, READ);
    bench.answer(2);
    assert_eq!(bench.memory.get(DATA + 511, 2), [0, 0x77]);

    // An answer to tag 3 comes although the command is lost.
    bench.have("late-second:1x1");
    bench.verdict(3);
    assert_eq!(bench.struck("late-second"), 0);
    bench.have("late-second:1x1 lost-command:1x1");
    assert_eq!(bench.verdict(3), GOOD);
    assert_eq!(bench.struck("late-second"), 1);
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
