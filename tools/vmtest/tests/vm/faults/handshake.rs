// SPDX-License-Identifier: GPL-2.0

//! A card that does not come up, at first or after a restart.

use super::{BOTH, Bed};
use crate::common::{ok, ok_within};

/// Each keeps the driver from the card; a line in the log says why.
const NOT_BOUND: &[(&str, &str)] = &[
    ("garbled-ready", "does not answer (ready flag"),
    ("garbled-ready:@255", "does not answer (ready flag 0xff)"),
    ("capabilities-odd", "takes 0x80 SCSI commands of 0x5"),
    (
        "capabilities-huge",
        "takes 0xfffffff0 SCSI commands of 0xfffffff1",
    ),
    ("mailbox-outside", "submit mailbox is at 0x00ffffffe"),
    ("mailbox-far", "submit mailbox is at 0x100000174"),
    ("mailbox-odd", "submit mailbox is at 0x000000175"),
    ("mailbox-doorbell", "submit mailbox is at 0x000000040"),
    // These two take as long as the driver has patience: half a minute.
    ("silent-handshake", "not ready within 30 s"),
    ("capabilities-zero", "takes 0x0 SCSI commands of 0x0"),
];

#[test]
#[ignore = "left to make check-all"]
fn a_card_that_does_not_come_up_at_first() {
    let bed = Bed::boot();
    for (fault, why) in NOT_BOUND {
        bed.unload(fault);
        bed.forget();
        bed.faults(fault, 1);
        ok_within(&bed.vm, 90, "modprobe apple_raid");
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
    // Once for the checks, once to begin.
    assert_eq!(bed.struck("late-ready"), 2);
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
    bed.faults("garbled-ready:1x1", 1);
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
        "lost-command:100x1 garbled-ready",
        "lost-command:100x1 mailbox-far",
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
