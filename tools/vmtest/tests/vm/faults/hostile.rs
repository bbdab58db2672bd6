// SPDX-License-Identifier: GPL-2.0

//! A card that means harm. What is read from its disks is anybody's guess; but every command ends,
//! nothing is reported by the kernel, and the module unloads.
//!
//! With an IOMMU, which keeps the card to what it was given: a response that the card made up
//! completes a command whose data is still to come. That data is all that is ever refused.

use super::{BOTH, Bed, PATIENCE};
use crate::common::two_volumes;
use vmtest::Iommu;

const SEEDS: u64 = 10;

/// What comes too late if a command was completed that is still at work.
const LATE: [&str; 1] = ["data"];

#[test]
#[ignore = "make check runs it on the debug kernel"]
fn whatever_it_writes() {
    let bed = Bed::boot_with(two_volumes().iommu(Iommu::Strict));
    for seed in 0..bed.vm.repetitions(SEEDS) {
        let what = format!("hostile seed {seed}");
        bed.faults("hostile", seed);
        let command = format!("{} --seed {seed} {BOTH}", bed.stamps);
        let out = bed.vm.spawn(&command).unwrap();
        let out = out.wait(bed.vm.within(PATIENCE));
        let out = out.unwrap_or_else(|error| panic!("{what}: {error}"));
        let text = out.stdout_text() + &out.stderr_text();
        println!("{what}: {} times; {text}", bed.struck("hostile"));
        assert!(bed.struck("hostile") > 0, "{what}");
        bed.nothing_reported(&what);
        let report = bed.vm.twin().report();
        let late = report.refused_for.keys().all(|what| LATE.contains(what));
        assert!(late, "{what}: {report:?}");
        // While it goes on, every other time.
        if seed % 2 == 0 {
            bed.no_faults();
        }
        bed.replace(&what);
    }
    bed.works("all");
    bed.ends();
}
