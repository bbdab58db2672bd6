// SPDX-License-Identifier: GPL-2.0

//! Task management: what is aborted, what is not, and what is left alone afterwards.

use super::*;

const DONE: u8 = 0;
const REJECTED: u8 = 5;

impl Bench {
    /// Aborts a tag; the status of the answer.
    fn abort(&self, victim: u16) -> u8 {
        self.request_task(1, 0, victim);
        self.answer(TASK)[6]
    }
}

#[test]
fn a_hung_command_is_aborted() {
    let bench = Bench::faulty("hung-command:1x1");
    bench.submit(1, READ);
    bench.until("fault", || bench.struck("hung-command") == 1);
    assert!(bench.is_in_flight(1));
    assert_eq!(bench.abort(1), DONE);
    assert_eq!(bench.response(TASK)[..8], [2, 1, 0, 100, 0, 0, 0, 0]);
    assert!(!bench.is_in_flight(1) && !bench.is_in_flight(TASK));
    // Its tag is free.
    assert_eq!(bench.verdict(1), [0; 4]);
    let report = bench.report();
    assert_eq!((report.aborted, report.tasks, report.completed), (1, 1, 1));
    bench.is_clean();
}

#[test]
fn what_is_not_in_flight_cannot_be_aborted() {
    let bench = Bench::ready("");
    assert_eq!(bench.verdict(2), [0; 4]);
    assert_eq!(bench.abort(2), REJECTED);
    bench.have("lost-command:1x1");
    bench.submit(1, TEST);
    bench.until("fault", || bench.struck("lost-command") == 1);
    bench.until("end", || !bench.is_in_flight(1));
    assert_eq!(bench.abort(1), REJECTED);
    assert_eq!(bench.report().aborted, 0);
    bench.is_clean();
}

#[test]
fn what_finished_first_is_in_the_ring_before_the_answer() {
    let bench = Bench::ready("");
    bench.submit(1, TEST);
    bench.until("completion", || bench.read32(PRODUCER) == 1);
    bench.request_task(1, 0, 1);
    assert_eq!(bench.completions(2), [1, TASK]);
    assert_eq!(bench.response(TASK)[6], REJECTED);
}

#[test]
fn data_on_its_way_stops() {
    let bench = Bench::faulty("slow-data:1x1@20000");
    bench.submit(1, READ);
    bench.until("fault", || bench.struck("slow-data") == 1);
    wait_a_little();
    assert_eq!(bench.abort(1), DONE);
    bench.memory.put(DATA, &[0x11; 1024]);
    assert_eq!(bench.verdict(1), [0; 4]);
    wait_a_little();
    assert_eq!(bench.memory.get(DATA, 1024), [0x11; 1024]);
    assert!(bench.take_completions().is_empty());
}

#[test]
fn a_unit_is_reset_and_the_others_go_on() {
    for function in [2, 4, 8] {
        let bench = Bench::ready("");
        bench.add_volume(1);
        bench.have("hung-command:1x3");
        for (tag, lun) in [(1, 0), (2, 1), (3, 1)] {
            bench.put_slot(tag, TEST, [0; 8]);
            let at = REGIONS.request_of(tag) + 5;
            bench.memory.put(at, &[lun]);
            bench.ring(tag);
        }
        bench.until("faults", || bench.struck("hung-command") == 3);
        bench.request_task(function, 1, 0);
        assert_eq!(bench.answer(TASK)[6], DONE);
        assert_eq!(
            [1, 2, 3].map(|tag| bench.is_in_flight(tag)),
            [true, false, false]
        );
        assert_eq!(bench.report().aborted, 2);
        wait_a_little();
        assert!(bench.take_completions().is_empty());
        bench.is_clean();
    }
}

#[test]
fn victims_may_turn_up() {
    let bench = Bench::ready("reset-victims=ring");
    bench.have("hung-command:1x2");
    bench.submit(1, TEST);
    bench.submit(2, TEST);
    bench.until("faults", || bench.struck("hung-command") == 2);
    assert_eq!(bench.abort(2), DONE);
    bench.request_task(8, 0, 0);
    assert_eq!(bench.completions(2), [TASK, 1]);
    assert_eq!(bench.response(1)[4..8], [0, 0, 0x40, 0]);
    wait_a_little();
    assert!(bench.take_completions().is_empty());
}

#[test]
fn what_waits_for_room_in_the_ring_can_be_aborted() {
    let bench = Bench::ready("");
    for tag in 0..128 {
        bench.submit(tag, TEST);
    }
    bench.until("entries", || bench.read32(PRODUCER) == 128);
    bench.submit(1, TEST);
    let waiting = || bench.card.state().ring.waiting.len();
    bench.until("command", || waiting() == 1);
    bench.request_task(1, 0, 1);
    bench.until("end", || !bench.is_in_flight(1));
    bench.until("answer", || waiting() == 1);
    assert!(bench.is_in_flight(TASK));
    assert_eq!(bench.completions(129)[128], TASK);
    wait_a_little();
    assert!(bench.take_completions().is_empty());
}

#[test]
fn function_0_is_never_answered() {
    let bench = Bench::ready("");
    bench.request_task(0, 0, 0);
    wait_a_little();
    assert!(bench.take_completions().is_empty() && bench.is_in_flight(TASK));
    assert_eq!(bench.report().protocol_errors, 1);
}

#[test]
fn task_management_does_not_wait_behind_commands() {
    let bench = Bench::ready("workers=1 delay-us=50000");
    for tag in 0..40 {
        bench.submit(tag, TEST);
    }
    bench.request_task(1, 0, 39);
    let tags = bench.completions(40);
    let place = tags.iter().position(|tag| *tag == TASK).unwrap();
    assert!(place < 5, "{tags:?}");
    assert!(!tags.contains(&39));
}

#[test]
fn after_a_good_answer_nothing_is_touched() {
    let bench = Bench::ready("inline=never delay-us=300 workers=3");
    let (mut done, mut rejected) = (0, 0);
    for round in 0..300 {
        let cdb = [READ, WRITE][round % 2];
        bench.submit(1, cdb);
        thread::sleep(Duration::from_micros(round as u64 * 7 % 400));
        bench.request_task(1, 0, 1);
        let mut tags = bench.completions(1);
        if tags == [1] {
            tags.extend(bench.completions(1));
        }
        if bench.response(TASK)[6] == DONE {
            assert_eq!(tags, [TASK]);
            done += 1;
            bench.memory.put(DATA, &[0x33; 1024]);
            bench.memory.put(REGIONS.response_of(1), &[0x44; 32]);
            thread::sleep(Duration::from_micros(200));
            assert_eq!(bench.memory.get(DATA, 1024), [0x33; 1024]);
            assert_eq!(bench.response(1), [0x44; 32]);
        } else {
            assert_eq!(tags, [1, TASK]);
            rejected += 1;
        }
    }
    assert!(done > 0 && rejected > 0, "{done} {rejected}");
    let report = bench.report();
    assert_eq!((report.aborted, report.completed), (done, rejected));
    bench.is_clean();
}

#[test]
fn a_write_that_was_aborted_does_not_reach_the_volume_afterwards() {
    let bench = Bench::ready("delay-us=200 workers=3");
    for round in 0..200u64 {
        bench.memory.put(DATA, &[1; 1024]);
        bench.submit(1, WRITE);
        thread::sleep(Duration::from_micros(round * 7 % 300));
        bench.request_task(1, 0, 1);
        let tags = bench.completions(1);
        if tags == [1] {
            bench.completions(1);
        }
        // What is written now stays.
        let mut cdb = [0; 16];
        cdb[..10].copy_from_slice(WRITE);
        bench.card.target().execute(0, &cdb, &[2; 1024]);
        thread::sleep(Duration::from_micros(100));
        cdb[0] = READ[0];
        let reply = bench.card.target().execute(0, &cdb, &[]);
        assert_eq!(reply.data_in, [2; 1024]);
    }
}
