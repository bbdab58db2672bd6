// SPDX-License-Identifier: GPL-2.0

//! The debug kernel finds what it is there for, and the test bed notices: a module that
//! makes mistakes on purpose is loaded, one mistake at a time.

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
];

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
    ok(&vm, "echo 1 >/proc/sys/kernel/hung_task_timeout_secs");
    assert_eq!(vm.reports().unwrap(), []);
    for (fault, sign) in FAULTS {
        // Each mistake is looked for in what it adds to the log.
        ok(&vm, "dmesg --clear");
        let status = vm
            .exec(&format!("modprobe vmtest_faults fault={fault}"))
            .unwrap();
        assert!(
            status.stderr_text().contains("Operation canceled"),
            "{fault}: {status:?}"
        );
        let log = ok(&vm, "dmesg");
        let reports = vmtest::reports(&log);
        assert!(
            reports.iter().any(|report| report.text.contains(sign)),
            "{fault}: no {sign:?} in {reports:?} of\n{log}"
        );
    }
    assert_eq!(vm.leaks().unwrap(), "");
    ok(&vm, "modprobe vmtest_faults fault=leak 2>/dev/null || true");
    let leaks = vm.leaks().unwrap();
    assert!(leaks.contains("size 320"), "{leaks}");
}
