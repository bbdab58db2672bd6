// SPDX-License-Identifier: GPL-2.0

//! The debug kernel finds what it is there for, and the test bed notices: a module makes mistakes
//! on purpose, one at a time.

use crate::common::ok;
use vmtest::{Flavour, Vm};

/// A mistake of vmtest_faults.c, and what the kernel says of it. lockdep falls silent after its
/// own first complaint and after any of KASAN, so that what it finds comes first.
const FAULTS: &[(&str, &str)] = &[
    ("rcu-without-lock", "suspicious RCU usage"),
    ("lock-order", "possible circular locking dependency"),
    ("warn", "WARNING: "),
    ("use-after-free", "KASAN: slab-use-after-free"),
    ("out-of-bounds", "KASAN: slab-out-of-bounds"),
    ("bad-index", "UBSAN: array-index-out-of-bounds"),
    ("bad-shift", "UBSAN: shift-out-of-bounds"),
    (
        "sleep-in-atomic",
        "sleeping function called from invalid context",
    ),
    ("freed-timer", "ODEBUG: free active"),
    ("dma-never-mapped", "DMA-API: "),
    ("list-corruption", "list_del corruption"),
    ("hung-task", "blocked for more than 1 seconds"),
    ("soft-lockup", "soft lockup"),
];

/// Has the module make a mistake.
fn make(fault: &str) -> String {
    format!("echo {fault} >/sys/module/vmtest_faults/parameters/make")
}

#[test]
fn mistakes_are_found() {
    let vm = Vm::builder()
        .kernel(Flavour::Debug)
        .no_card()
        .no_load()
        .find_leaks()
        .append("kasan_multi_shot")
        .boot()
        .unwrap();
    ok(&vm, "modprobe vmtest_faults");
    assert_eq!(vm.reports().unwrap(), []);
    ok(
        &vm,
        "cd /proc/sys/kernel && echo 1 >hung_task_timeout_secs && echo 1 >watchdog_thresh",
    );
    for (fault, sign) in FAULTS {
        // Each mistake is looked for in what it adds to the log.
        let log = ok(&vm, &format!("dmesg --clear && {} && dmesg", make(fault)));
        let reports = vmtest::reports(&log);
        assert!(
            reports.iter().any(|report| report.text.contains(sign)),
            "{fault}: no {sign:?} in {reports:?} of\n{log}"
        );
    }
    // Nothing of what went before was lost.
    ok(&vm, &make("leak"));
    let leaks = vm.leaks().unwrap();
    let mut lost = leaks.split("unreferenced object ").skip(1).peekable();
    assert!(lost.peek().is_some(), "no leak");
    assert!(lost.all(|object| object.contains(" leak+0x")), "{leaks}");
}
