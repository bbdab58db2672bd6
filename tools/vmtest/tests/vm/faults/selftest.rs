// SPDX-License-Identifier: GPL-2.0

//! What goes wrong while the driver tries the card, before it offers a disk: it takes no card that
//! answers otherwise than it should, and every card whose answer is only to try again.

use super::Bed;
use crate::common::{disks_appear, ok, ok_within};

/// Each keeps the driver from the card; what the line in the log says of it. Where there is no
/// answer it takes the driver's patience: five seconds.
const REFUSED: &[(&str, &str)] = &[
    ("lost-command:1x1", "TEST UNIT READY: no answer"),
    ("hung-command:1x1", "TEST UNIT READY: no answer"),
    ("lost-answer:1x1", "TEST UNIT READY: no answer"),
    ("ready-lost:1x1", "TEST UNIT READY: no answer"),
    ("state-fatal:1x1", "TEST UNIT READY: no answer"),
    ("gone-under-load:1", "TEST UNIT READY: no answer"),
    (
        "garbled-response:1x1@0",
        "TEST UNIT READY: the answer makes no sense",
    ),
    (
        "garbled-response:1x1@2",
        "TEST UNIT READY: the answer makes no sense",
    ),
    ("ring-index-beyond:1x1", "the card's rings make no sense"),
    ("busy:1", "data by one entry: failed"),
    ("inline-too-long:1", "the answer makes no sense"),
    ("abort-lost:1", "task management: no answer"),
];

/// These do not. The scan of the midlayer asks three times; more would cost it a unit.
const ACCEPTED: &[&str] = &[
    "busy:20x2",
    "task-set-full:20x2",
    "condition-met:20",
    "sense-unit-attention:20x2",
    "sense-becoming-ready:20x2",
    "long-sense:20x2",
    "abort-rejected:1",
    "abort-late:1@1000",
    "ring-tag-twice:5",
    "ring-tag-not-in-flight:5",
    "ring-tag-out-of-range:5",
    "slow-data:10x2@1000",
    "late-interrupt:1",
    "same-state:5",
    "management-reply:5",
    "spurious-interrupt:5",
    "interrupt-storm:50",
    "capabilities-huge",
];

#[test]
#[ignore = "left to make check-all"]
fn what_goes_wrong_in_the_check() {
    let bed = Bed::boot();
    for (fault, why) in REFUSED {
        bed.unload(fault);
        bed.forget();
        bed.faults(fault, 1);
        ok_within(&bed.vm, 60, "modprobe apple_raid");
        println!("{fault}");
        assert!(bed.struck(name(fault)) > 0, "{fault} did not strike");
        ok(&bed.vm, "[ ! -e /dev/sda ]");
        let of_check = !why.contains("the card's");
        assert_eq!(
            bed.says("not a card that this driver can work with"),
            of_check
        );
        assert!(bed.says(why), "{fault} without its line");
        assert_eq!(bed.vm.twin().report().dma_refused, 0, "{fault}");
        // Another try is none the worse.
        bed.replace(fault);
    }
    for (seed, fault) in (1..).zip(ACCEPTED) {
        bed.unload(fault);
        bed.faults(fault, seed);
        bed.vm.load_driver().unwrap();
        println!("{fault}");
        assert!(bed.struck(name(fault)) > 0, "{fault} did not strike");
        bed.no_faults();
        disks_appear(&bed.vm);
        bed.nothing_reported(fault);
    }
    bed.short_timeouts();
    bed.works("all");
    bed.ends();
}

fn name(fault: &str) -> &str {
    fault.split(':').next().unwrap_or(fault)
}
