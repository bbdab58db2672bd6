// SPDX-License-Identifier: GPL-2.0

//! Answers that make no sense, every SCSI status, and the sense keys: what can be tried again is
//! tried again, what cannot is an error.

use super::{BOTH, Bed};
use crate::common::{ok, ok_within};

const READ: &str = "dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct status=none";

/// What a disk's user sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Nothing: the command is tried again, or was executed.
    Nothing,
    /// An error for each.
    Errors,
}
use Seen::{Errors, Nothing};

#[rustfmt::skip]
const ANSWERS: &[(&str, Seen)] = &[
    ("long-sense:20", Nothing),
    ("inline-too-long:20", Nothing),
    ("unknown-status:20", Nothing),
    ("unknown-status:20@1", Nothing),
    ("unknown-status:20@34", Nothing),
    ("unknown-status:20@255", Nothing),
    ("intermediate:20", Nothing),
    ("intermediate-condition-met:20", Nothing),
    ("busy:10", Nothing),
    ("task-set-full:10", Nothing),
    ("task-aborted:20", Nothing),
    ("condition-met:10", Nothing),
    ("aca-active:100", Errors),
    ("reservation-conflict:100", Errors),
    ("sense-none:10", Nothing),
    ("sense-recovered:10", Nothing),
    ("sense-becoming-ready:100", Nothing),
    ("sense-unit-attention:20", Nothing),
    ("sense-aborted:20", Nothing),
    ("sense-descriptor:20", Nothing),
    ("sense-not-ready:100", Errors),
    ("sense-medium-error:100", Errors),
    ("sense-hardware-error:100", Errors),
    ("sense-illegal-request:100", Errors),
    ("sense-data-protect:100", Errors),
    ("sense-blank-check:100", Errors),
    ("sense-copy-aborted:100", Errors),
    ("sense-volume-overflow:100", Errors),
    ("sense-miscompare:100", Errors),
];

#[test]
#[ignore = "left to make check-all"]
fn statuses_and_sense() {
    let bed = Bed::boot();
    for (seed, (fault, seen)) in (1..).zip(ANSWERS) {
        bed.faults(fault, seed);
        let load = bed.load(BOTH, seed);
        println!("{fault}");
        let name = fault.split(':').next().unwrap();
        assert!(bed.struck(name) > 0, "{fault} did not strike");
        assert_eq!(load.errors > 0, *seen == Errors, "{fault}: {load:?}");
        // Two transfers may have become one command.
        assert!(load.errors <= 2 * bed.struck(name), "{fault}: {load:?}");
        assert_eq!(bed.vm.twin().report().protocol_errors, 0, "{fault}");
        bed.nothing_reported(fault);
    }
    bed.faults("reservation-conflict:1", 1);
    let read = bed.vm.exec(READ).unwrap();
    let said = read.stderr_text();
    assert!(said.contains("Invalid exchange"), "no EBADE: {said}");
    bed.works("all");
    bed.ends();
}

/// A unit that has too much to do is given less.
#[test]
fn a_full_task_set_lowers_the_queue_depth() {
    let bed = Bed::boot();
    let depth = |disk: &str| -> u32 {
        let file = format!("cat /sys/block/{disk}/device/queue_depth");
        ok(&bed.vm, &file).trim().parse().unwrap()
    };
    assert_eq!((depth("sda"), depth("sdb")), (60, 60));
    bed.faults("task-set-full:4", 1);
    let fio = "fio --name=a --filename=/dev/sdb --direct=1 --ioengine=libaio --rw=randread --bs=4k \
        --iodepth=24 --time_based --runtime=8 --output-format=terse >/dev/null";
    ok_within(&bed.vm, 60, fio);
    println!("{} times: {}", bed.struck("task-set-full"), depth("sdb"));
    assert!(depth("sdb") < 60);
    // To the midlayer a full task set is the target's, so it lowers that of all its units.
    assert!(depth("sda") < 60);
    bed.works("task-set-full");
    bed.ends();
}

/// Each byte of a response's header, and of one with sense data.
#[test]
#[ignore = "left to make check-all"]
fn garbage_in_every_byte() {
    let bed = Bed::boot();
    for byte in 0..26 {
        let sense = if byte < 8 { "" } else { "sense-aborted:5x20" };
        let fault = format!("garbled-response:20x2@{byte} {sense}");
        bed.faults(&fault, byte);
        let load = bed.load(BOTH, byte);
        println!("{fault}");
        assert!(bed.struck("garbled-response") > 0, "{fault}");
        // Sense that became another may be an error.
        assert!(
            load.errors <= if byte < 8 { 0 } else { 2 },
            "{fault}: {load:?}"
        );
        assert_eq!(bed.vm.twin().report().protocol_errors, 0, "{fault}");
        bed.nothing_reported(&fault);
    }
    bed.works("all");
    bed.ends();
}
