// SPDX-License-Identifier: GPL-2.0

//! What goes wrong while the driver tries the card, before it offers a disk: it takes no card that
//! answers otherwise than it should, and every card whose answer is only to try again.

use super::Bed;
use crate::common::{disks_appear, ok, ok_within};

/// Each keeps the driver from the card; what the line in the log says of it. Where there is no
/// answer it takes the driver's patience: five seconds.
const REFUSED: &[(&str, &str)] = &[
    ("lost-command:1x1", "TEST UNIT READY: no answer"),
    ("lost-answer:1x1", "TEST UNIT READY: no answer"),
    ("ready-lost:1x1", "TEST UNIT READY: no answer"),
    ("tag-out-of-range:1x1", "TEST UNIT READY: no answer"),
    ("gone-under-load:1", "TEST UNIT READY: no answer"),
    // The second one.
    (
        "garbled-response:1x2@7",
        "TEST UNIT READY: an answer of a kind that is not known",
    ),
    ("wrong-tag:1x1", "tag 1 was submitted, and tag 0 answered"),
    (
        "unissued-tag:1x1",
        "tag 1 was submitted, and tag 0 answered",
    ),
    ("busy:1", "INQUIRY: the command failed"),
    ("short-data:1", "INQUIRY"),
    // Anywhere.
    ("lost-command:50x1", "no answer"),
];

/// These do not.
const ACCEPTED: &[&str] = &[
    "busy:20",
    "task-set-full:20",
    "condition-met:20",
    "sense-unit-attention:20",
    "sense-becoming-ready:20",
    "long-sense:20",
    "completes-twice:5",
    "long-junk:1",
    "slow-data:50x2@1000",
    "unknown-cause:5",
    "management-response:5",
    "spurious-interrupt:5",
    "interrupt-storm:50",
];

#[test]
#[ignore = "left to make check-all"]
fn what_goes_wrong_in_the_checks() {
    let bed = Bed::boot();
    for (fault, why) in REFUSED {
        bed.unload(fault);
        bed.forget();
        bed.faults(fault, 1);
        ok_within(&bed.vm, 60, "modprobe apple_raid");
        println!("{fault}");
        assert!(bed.struck(name(fault)) > 0, "{fault} did not strike");
        ok(&bed.vm, "[ ! -e /dev/sda ]");
        assert!(bed.says("not a card that this driver can work with"));
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
