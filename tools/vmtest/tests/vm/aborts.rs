// SPDX-License-Identifier: GPL-2.0

//! Error handling maps onto the card: a command is aborted, a unit reset, the card restarted, and
//! each does what it says and no more. The twin's trace shows it.

use std::time::Duration;

use crate::common::{disks_appear, driver_log, ends_clean, ok, ok_within, succeeded, two_volumes};
use crate::load::{end, goes_on, load, load_on, reads};
use crate::trace::{Event, events, of_kind};
use apple_raid_twin::Mark;
use vmtest::Vm;

/// Functions of task management.
const ABORT: u64 = 1;
const UNIT_RESET: u64 = 8;

/// As long as a user of this driver might choose.
const TIMEOUT: &str = "for d in /sys/block/sd?/device; do echo 5 >$d/timeout; done";

/// A guest with short timeouts whose trace is on.
fn boot() -> Vm {
    let vm = two_volumes().trace().boot().unwrap();
    disks_appear(&vm);
    ok(&vm, TIMEOUT);
    vm
}

/// Has a fault strike once, and waits until it has.
fn strikes(vm: &Vm, fault: &str) -> Mark {
    let before = vm.twin().trace().mark();
    vm.twin().set_faults(fault, 1).unwrap();
    let name = fault.split(':').next().unwrap();
    let begin = std::time::Instant::now();
    while !vm.twin().report().faults.contains_key(name) {
        assert!(begin.elapsed() < vm.within(20), "{fault} does not strike");
        std::thread::sleep(Duration::from_millis(10));
    }
    before
}

/// Function and answer of all requests of task management, and what unit they are about.
fn tasks(events: &[Event<'_>]) -> Vec<(u64, u64, u64)> {
    let task = |event: &&Event<'_>| event.kind == "task";
    events
        .iter()
        .filter(task)
        .map(|it| (it.number("function"), it.number("lun"), it.number("answer")))
        .collect()
}

/// Seconds of the longest time in which no command completed.
fn longest_silence(lines: &[String]) -> f64 {
    let at = |line: &&String| line.contains(" ring ");
    let times: Vec<f64> = lines
        .iter()
        .filter(at)
        .map(|line| line.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6)
        .collect();
    let gaps = times.windows(2).map(|two| two[1] - two[0]);
    gaps.fold(0.0, f64::max)
}

/// No disk has gone offline, and no command ended in an error.
fn all_is_well(vm: &Vm) {
    assert_eq!(
        ok(vm, "cat /sys/block/sd[ab]/device/state"),
        "running\nrunning\n"
    );
    let log = driver_log(vm);
    assert!(
        !log.contains("I/O error") && !log.contains("offline"),
        "{log}"
    );
}

/// The card accepts a command and never answers it. The driver has it aborted; the other commands,
/// of the same disk too, go on all the while.
#[test]
fn a_hung_command_is_aborted_on_the_card() {
    let vm = boot();
    let job = reads(&vm);
    let before = strikes(&vm, "hung-command:50x1");
    std::thread::sleep(Duration::from_secs(9));
    let lines = vm.twin().trace().since(before);
    assert_eq!(tasks(&events(&lines)), [(ABORT, 1, 0)]);
    let silence = longest_silence(&lines);
    assert!(
        silence < vm.within(1).as_secs_f64(),
        "{silence} s without a completion"
    );
    let report = vm.twin().report();
    assert_eq!((report.aborted, report.handshakes), (1, 1), "{report:?}");
    goes_on(&vm, &job);
    all_is_well(&vm);
    end(&vm, job);
    let log = driver_log(&vm);
    assert!(!log.contains("restarting"), "{log}");
    ends_clean(vm);
}

/// The card has forgotten a command: there is nothing to abort, and it says so. Its buffer is not
/// given back before the card was restarted.
#[test]
fn a_lost_command_is_not_taken_for_aborted() {
    let vm = boot();
    let job = load(&vm);
    let before = strikes(&vm, "lost-command:50x1");
    crate::common::wait_for(&vm, "dmesg | grep -q 'the card is back'");
    let lines = vm.twin().trace().since(before);
    let tasks = tasks(&events(&lines));
    assert_eq!(tasks[0].0, ABORT, "{tasks:?}");
    assert_ne!(tasks[0].2, 0, "{tasks:?}");
    assert!(tasks.contains(&(UNIT_RESET, 1, 0)), "{tasks:?}");
    assert_eq!(vm.twin().report().handshakes, 2);
    goes_on(&vm, &job);
    all_is_well(&vm);
    end(&vm, job);
    ends_clean(vm);
}

/// `sg_reset` of a unit, a target, a bus, a host: the card has only two of these.
#[test]
fn resets_that_users_ask_for_are_what_they_say() {
    let vm = boot();
    let job = load_on(&vm, "/dev/sda");
    let reset = |what: &str| {
        let before = vm.twin().trace().mark();
        let status = vm.exec(&format!("sg_reset --{what} --no-esc /dev/sg0"));
        (status.unwrap().status, vm.twin().trace().since(before))
    };

    let (status, lines) = reset("device");
    assert_eq!(status, 0);
    let tasks_of = |lines: &[String]| tasks(&events(lines));
    let sent = tasks_of(&lines);
    // What was in flight is aborted first; it may have been faster.
    let (last, aborts) = sent.split_last().unwrap();
    assert_eq!(*last, (UNIT_RESET, 0, 0), "{sent:?}");
    assert!(
        aborts.iter().all(|task| (task.0, task.1) == (ABORT, 0)),
        "{sent:?}"
    );
    assert_eq!(vm.twin().report().handshakes, 1);
    goes_on(&vm, &job);

    for what in ["target", "bus"] {
        let (status, lines) = reset(what);
        assert_ne!(status, 0, "{what}");
        assert_eq!(tasks_of(&lines), [], "{what}");
        assert_eq!(vm.twin().report().handshakes, 1, "{what}");
    }

    let (status, lines) = reset("host");
    assert_eq!(status, 0);
    assert_eq!(tasks_of(&lines), []);
    assert_eq!(of_kind(&events(&lines), "ready"), 1);
    assert_eq!(vm.twin().report().handshakes, 2);
    goes_on(&vm, &job);
    all_is_well(&vm);
    end(&vm, job);
    ends_clean(vm);
}

/// Many of them, by two users at a time, while the disks are in use.
#[test]
fn resets_that_users_ask_for_under_load() {
    let vm = two_volumes().boot().unwrap();
    let fio = "fio --name=load --filename=/dev/sdb --direct=1 --ioengine=libaio --rw=randrw \
        --bs=16k --iodepth=16 --size=256m --verify=crc32c --verify_fatal=1 \
        --output-format=terse";
    let job = vm.spawn(fio).unwrap();
    // Two at a time, so that one resets while the other has let commands in again.
    // One that comes while another is under way may be turned away, and is asked for again.
    let resets = "for i in 1 2 3; do for what in device host; do sleep 0.3; \
        until sg_reset --$what --no-esc /dev/sg0; do sleep 0.1; done; done; done & \
        for i in 1 2 3; do for what in host device; do sleep 0.3; \
        until sg_reset --$what --no-esc /dev/sg1; do sleep 0.1; done; done; done; wait";
    ok_within(&vm, 120, resets);
    assert!(!job.is_done(), "the load did not last");
    succeeded(job.wait(vm.within(300)).unwrap(), fio);
    // One handshake and one task are of the bring-up.
    let report = vm.twin().report();
    assert!(report.handshakes >= 7 && report.tasks >= 7, "{report:?}");
    ends_clean(vm);
}
