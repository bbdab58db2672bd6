// SPDX-License-Identifier: GPL-2.0

//! Interrupts and answers that are lost, late, or for somebody else: they cost time, and nothing
//! else.
//!
//! With an IOMMU, where it shows if a buffer is unmapped while the card could still write to it.

use super::{BOTH, Bed};
use crate::common::two_volumes;
use vmtest::Iommu;

/// Of these, a disk's user sees nothing.
const UNNOTICED: &[&str] = &[
    "lost-interrupt:100x4",
    "late-interrupt:20",
    "spurious-interrupt:5",
    "interrupt-storm:200",
    "early-interrupt:100x4",
    "same-state:20",
    "management-reply:20",
    "lost-answer:200x1",
    "slow-data:200x1",
    "ring-tag-out-of-range:100x4",
    "ring-tag-not-in-flight:100x4",
    "ring-tag-twice:100x4",
    "ring-index-beyond:100x4",
    "ring-index-back:100x4",
    "ring-all-ones:50x2",
];

#[test]
fn what_is_lost_or_late_costs_time_only() {
    let bed = Bed::boot_with(two_volumes().iommu(Iommu::Strict));
    for (seed, fault) in (1..).zip(UNNOTICED) {
        bed.faults(fault, seed);
        let load = bed.load(BOTH, seed);
        println!("{fault}");
        let name = fault.split(':').next().unwrap();
        assert!(bed.struck(name) > 0, "{fault} did not strike");
        assert_eq!(load.errors, 0, "{fault}: {load:?}");
        assert!(load.transfers > 600, "{fault}: {load:?}");
        if matches!(name, "ring-tag-out-of-range" | "ring-tag-not-in-flight") {
            assert!(bed.says("the completion ring names tag"), "{fault}");
            bed.forget();
        }
        let report = bed.vm.twin().report();
        // What is not answered is aborted.
        assert_eq!(report.handshakes, 0, "{fault}: {report:?}");
        assert_eq!(report.protocol_errors, 0, "{fault}: {report:?}");
        assert_eq!(report.dma_refused, 0, "{fault}: {report:?}");
        bed.nothing_reported(fault);
    }
    bed.works("all");
    bed.ends();
}

#[test]
#[ignore = "left to make check-all"]
fn one_silent_unit_takes_nobody_with_it() {
    let bed = Bed::boot();
    bed.faults("silent-lun:@1", 1);
    // Each of its commands times out, is aborted, and tried again, some times.
    let command = format!("{} --count 3 /dev/sdb", bed.stamps);
    let silent = bed.vm.spawn(&command).unwrap();
    let (mut transfers, mut errors) = (0, 0);
    while !silent.is_done() {
        let load = bed.load("/dev/sda", 1);
        transfers += load.transfers;
        errors += load.errors;
    }
    let out = silent.wait(bed.vm.within(super::PATIENCE)).unwrap();
    assert_eq!(errors, 0, "the other unit suffered");
    assert!(transfers > 0, "the other unit was not used meanwhile");
    assert_eq!(out.status, 0, "{}", out.stderr_text());
    assert!(!out.stdout_text().contains(" 0 errors"), "{out:?}");
    assert!(bed.struck("silent-lun") > 0);
    let report = bed.vm.twin().report();
    // A reset of the unit does not help, and the midlayer asks for the host's.
    assert_eq!(report.handshakes, 1, "{report:?}");
    bed.replace("silent-lun");
    bed.works("silent-lun");
    bed.ends();
}
