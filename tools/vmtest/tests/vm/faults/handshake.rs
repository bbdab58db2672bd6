// SPDX-License-Identifier: GPL-2.0

//! A card that does not come up, at first or after a restart.

use super::{BOTH, Bed};
use crate::common::{ok, ok_within};

/// Each keeps the driver from the card; a line in the log says why.
const NOT_BOUND: &[(&str, &str)] = &[
    ("capabilities-odd", "offers 0x80 slots and 0x5 ring entries"),
    ("capabilities-zero", "offers 0x0 slots and 0x0 ring entries"),
    ("submit-ring-outside", "submit ring is at 0x00ffffffe"),
    ("submit-ring-end", "submit ring is at 0x0000ffff0"),
    ("submit-ring-far", "submit ring is at 0x100000174"),
    ("submit-ring-odd", "submit ring is at 0x000000175"),
    ("submit-ring-registers", "submit ring is at 0x000000040"),
    // These take as long as the driver has patience: two minutes.
    ("silent-handshake", "not ready within 120 s: not configured"),
    ("never-enabled", "not ready within 120 s: deferred enabled"),
];

#[test]
#[ignore = "left to make check-all"]
fn a_card_that_does_not_come_up_at_first() {
    let bed = Bed::boot();
    for (fault, why) in NOT_BOUND {
        bed.unload(fault);
        bed.forget();
        bed.faults(fault, 1);
        ok_within(&bed.vm, 300, "modprobe apple_raid");
        let name = fault.split(':').next().unwrap();
        assert!(bed.struck(name) > 0, "{fault} did not strike");
        ok(&bed.vm, "[ ! -e /dev/sda ]");
        assert!(bed.says(why), "{fault} without its line");
        // Another card, or a later try, is none the worse.
        bed.replace(fault);
    }
    let late = "late-ready:@2000";
    bed.unload(late);
    bed.faults(late, 1);
    bed.vm.load_driver().unwrap();
    crate::common::disks_appear(&bed.vm);
    bed.short_timeouts();
    assert_eq!(bed.struck("late-ready"), 1);
    bed.works(late);
    bed.ends();
}

#[test]
#[ignore = "left to make check-all"]
fn a_card_that_needs_time_for_a_restart() {
    let bed = Bed::boot();
    for fault in ["ready-lost:200x1", "lost-command:200x1 late-ready:1x1@2000"] {
        bed.faults(fault, 1);
        let load = bed.load(BOTH, 1);
        println!("{fault}");
        assert_eq!(load.errors, 0, "{fault}");
        let report = bed.vm.twin().report();
        assert_eq!(report.handshakes, 1, "{fault}: {report:?}");
        assert_eq!(report.faults.len(), fault.split(' ').count(), "{report:?}");
        bed.works(fault);
    }
    bed.ends();
}

/// The first restart fails: there is nothing to wait for. The second brings all back.
#[test]
fn a_restart_that_fails_once() {
    let bed = Bed::boot();
    let reset = "sg_reset --host --no-esc /dev/sg0";
    bed.faults("submit-ring-odd:1x2", 1);
    let failed = bed.vm.exec(reset).unwrap();
    assert_ne!(failed.status, 0);
    assert!(bed.says("did not come back"));
    let load = bed.load(BOTH, 1);
    assert!(load.transfers == 0 && load.errors > 0, "{load:?}");
    ok_within(&bed.vm, 60, reset);
    assert!(bed.says("the card is back"));
    bed.works("a restart that failed once");
    bed.ends();
}

#[test]
#[ignore = "left to make check-all"]
fn restarts_that_always_fail() {
    let bed = Bed::boot();
    for fault in [
        "lost-command:100x1 submit-ring-odd",
        "lost-command:100x1 submit-ring-far",
        "lost-command:100x1 capabilities-odd",
    ] {
        bed.forget();
        bed.faults(fault, 1);
        let load = bed.load(BOTH, 1);
        println!("{fault}");
        assert!(load.errors > 0, "{fault}: {load:?}");
        assert_eq!(bed.vm.twin().report().handshakes, 0);
        // Once for all commands.
        assert_eq!(bed.lines_with("did not come back"), 1, "{fault}");
        bed.replace(fault);
        bed.works(fault);
    }
    bed.ends();
}
