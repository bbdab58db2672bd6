// SPDX-License-Identifier: GPL-2.0

//! The driver's bring-up, as the card saw it, against macOS's (O, K); and how it waits for a card
//! that needs its time.

use std::time::Duration;

use crate::common::{disks_appear, ends_clean, ok, two_volumes};
use crate::trace::{Event, events};
use vmtest::{Flavour, Vm};

/// The controller's state, in configuration space.
const STATE: &str = "config-read 0x22c";
/// The flag that says that the configuration was taken.
const TAKEN: &str = "read 0x5d";

/// What macOS does, in its order, but for what it polls.
const MACOS: &[&str] = &[
    "write 0x58=0",
    "write 0x59=0",
    "write 0x5a=0",
    "read 0xb4",
    "read 0xbc",
    "write 0x5d=0",
    "write 0xe4",
    "write 0xe8",
    "write 0xec",
    "write 0xf4",
    "write 0xf8",
    "write 0xfc",
    "write 0x100",
    "write 0x104",
    "write 0x114",
    "write 0x118",
    "write 0x11c",
    "write 0x120",
    "write 0x12c",
    "write 0x130",
    "write 0x134",
    "write 0x144",
    "write 0x148",
    "read 0xc4",
    "read 0xc8",
    "read 0x2c",
    "write 0x2c=0x1",
    "write 0x62=0",
    "write 0x64=0",
    // macOS knows what it wrote. We read where the rings stand.
    "read 0x40",
    "read 0x48",
    "read 0x4c",
];
/// And at the end.
const BEGIN: &[&str] = &["write 0x59=0", "write 0x61=0"];

/// An access in the words of [`MACOS`], and its value; `None` if it is none of the driver's.
fn access(event: &Event<'_>) -> Option<(String, u64)> {
    if !matches!(event.kind, "read" | "write" | "config-read") {
        return None;
    }
    let off = event.number("off");
    if event.kind == "config-read" && off != 0x22c {
        // The kernel's own.
        return None;
    }
    let value = event.number("value");
    let text = match (event.kind, off) {
        ("write", 0x2c) => format!("write 0x2c={value:#x}"),
        ("write", 0x58..0x68) => format!("write {off:#x}={value}"),
        (kind, off) => format!("{kind} {off:#x}"),
    };
    Some((text, value))
}

#[test]
fn the_handshake_is_that_of_macos() {
    let vm = two_volumes().no_load().kunit().trace().boot().unwrap();
    let before = vm.twin().trace().mark();
    vm.load_driver().unwrap();
    let lines = vm.twin().trace().since(before);
    let all: Vec<(String, u64)> = events(&lines).iter().filter_map(access).collect();

    let is_poll = |text: &str| text == STATE || text == TAKEN;
    let steps: Vec<&str> = all
        .iter()
        .map(|(text, _)| text.as_str())
        .filter(|text| !is_poll(text))
        .collect();
    assert_eq!(steps[..MACOS.len()], *MACOS);

    // What it polled had the right value, in the end, before it went on.
    let last = |what: &str, before: &str| {
        let at = all.iter().position(|(text, _)| text == before).unwrap();
        let polled = all[..at].iter().rev().find(|(text, _)| text == what);
        polled
            .unwrap_or_else(|| panic!("no {what} before {before}"))
            .1
    };
    assert!(matches!(last(STATE, "write 0x58=0"), 2..=4));
    assert_ne!(last(TAKEN, "write 0x62=0"), 0);
    assert_eq!(last(STATE, "read 0x40"), 4);

    // Until it has tried the card, it has no interrupts of SCSI.
    let opened = steps.windows(2).position(|two| *two == *BEGIN).unwrap();
    let first = steps.iter().position(|step| *step == BEGIN[1]).unwrap();
    assert_eq!(first, opened + 1);
    let report = vm.twin().report();
    assert_eq!(report.handshakes, 1);
    if vm.flavour() == Flavour::Debug {
        kunit_suites_ran(&vm);
    }
    ends_clean(vm);
}

/// The driver's KUnit suites ran when it was loaded. (One that fails is found in the log of any
/// test.)
fn kunit_suites_ran(vm: &Vm) {
    let suites = "grep -h '^ok ' /sys/kernel/debug/kunit/apple_raid*/results";
    let passed = ok(vm, suites);
    let files = std::fs::read_dir("/src/kunit/apple_raid").unwrap();
    let there_are = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .filter(|text| text.contains("kunit_tests("))
        .count();
    assert_eq!(passed.lines().count(), there_are, "{passed}");
}

/// A card that takes long is waited for, and the log says so. The boot does not wait: with
/// `drivers_autoprobe` only who asks for the driver does.
#[test]
#[ignore = "left to make check-all"]
fn a_slow_card_is_waited_for() {
    let vm = two_volumes()
        .twin("init-ms=25000")
        .twin("ready-ms=4000")
        .twin("enable-ms=4000")
        .no_load()
        .boot()
        .unwrap();
    // The guest's boot took its part of the time.
    vm.twin().power_cut();
    let load = vm.spawn("modprobe apple_raid").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert!(!load.is_done(), "the driver did not wait");
    assert_eq!(load.wait(vm.within(60)).unwrap().status, 0);
    disks_appear(&vm);
    let log = ok(&vm, "dmesg | grep 'waiting for the card'");
    assert!((2..=4).contains(&log.lines().count()), "{log}");
    assert!(log.contains("initializing"), "{log}");
    ends_clean(vm);
}

/// Without an MSI there is nothing to be done: the card has no other interrupt. One line says so.
#[test]
fn without_msi_one_line_says_why() {
    let vm = two_volumes().append("pci=nomsi").no_load().boot().unwrap();
    ok(&vm, "modprobe apple_raid; [ ! -e /dev/sda ]");
    let log = ok(
        &vm,
        "dmesg --level=emerg,alert,crit,err,warn | grep 'apple_raid [0-9]' | \
         grep -v 'probe with driver'",
    );
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("no MSI"), "{log}");
    assert_eq!(vm.twin().report().handshakes, 0);
    ends_clean(vm);
}
