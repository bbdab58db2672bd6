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
    "unknown-cause:20",
    "management-response:20",
    "completes-twice:10",
    "long-junk:1",
    "lost-command:200x1",
    "lost-answer:200x1",
    "wrong-tag:200x1",
    "unissued-tag:200x1",
    "tag-out-of-range:200x1",
    "slow-data:200x1",
];

#[test]
fn what_is_lost_or_late_costs_time_only() {
    let bed = Bed::boot_with(two_volumes().iommu(Iommu::Strict));
    for (seed, fault) in (1..).zip(UNNOTICED) {
        bed.faults(fault, seed);
        if fault.starts_with("long-junk") {
            // Junk comes behind what does not end on 512.
            crate::common::ok(&bed.vm, "sg_inq /dev/sg0 && sg_inq /dev/sg1");
        }
        let load = bed.load(BOTH, seed);
        println!("{fault}");
        let name = fault.split(':').next().unwrap();
        assert!(bed.struck(name) > 0, "{fault} did not strike");
        assert_eq!(load.errors, 0, "{fault}: {load:?}");
        assert!(load.transfers > 600, "{fault}: {load:?}");
        if matches!(name, "wrong-tag" | "unissued-tag") {
            assert!(bed.says("the response is not for it"), "{fault}");
            bed.forget();
        }
        let report = bed.vm.twin().report();
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
    let silent = bed.vm.spawn(&format!("{} /dev/sdb", bed.stamps)).unwrap();
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
    bed.replace("silent-lun");
    bed.works("silent-lun");
    bed.ends();
}
