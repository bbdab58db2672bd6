// SPDX-License-Identifier: GPL-2.0

//! The load of these tests can fail: what no driver can see on the card's interface, it finds.
//!
//! With an IOMMU, so that data which comes after its command has ended harms nobody.

use super::{BOTH, Bed, PATIENCE};
use crate::common::two_volumes;
use vmtest::Iommu;

const UNSEEN: &[&str] = &["short-data:10", "early-response:10@20", "late-second:10"];

#[test]
#[ignore = "left to make check-all"]
fn what_no_driver_can_see_the_load_finds() {
    let bed = Bed::boot_with(two_volumes().iommu(Iommu::Strict));
    for fault in UNSEEN {
        bed.faults(fault, 1);
        let command = format!("{} --seed 1 {BOTH}", bed.stamps);
        let load = bed.vm.spawn(&command).unwrap();
        let out = load.wait(bed.vm.within(PATIENCE)).unwrap();
        let name = fault.split(':').next().unwrap();
        println!("{fault}: {} times, {}", bed.struck(name), out.stderr_text());
        assert!(bed.struck(name) > 0, "{fault} did not strike");
        assert_eq!(out.status, 1, "{fault}");
        assert!(out.stderr_text().contains("WRONG"), "{fault}");
        bed.replace(fault);
        bed.works(fault);
    }
    bed.ends();
}
