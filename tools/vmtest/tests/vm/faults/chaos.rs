// SPDX-License-Identifier: GPL-2.0

//! Chaos: for each seed another mix of faults, under a load that is compared byte by byte.
//!
//! `CHAOS_SEEDS` says how many seeds (200), `CHAOS_SEED` that it is to be this one only: a failing
//! seed is named, and reproduces by its number. Two guests have half of them each: the one of the
//! odd seeds has an IOMMU, where it shows if a buffer is unmapped while the card could still write
//! to it.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{BOTH, Bed, PATIENCE};
use crate::common::{ok, ok_within, two_volumes};
use vmtest::{Flavour, Iommu};

const SEEDS: u64 = 200;
/// Transfers of one worker.
const TRANSFERS: u32 = 20;
/// In one seed of so many, of either half, the load is fio's.
const FIO: u64 = 4;
/// In one seed of so many the module is unloaded while the faults strike.
const UNLOAD: u64 = 10;
/// Bytes of data that move in a seed at least, on average: several times that without faults.
const LEAST: u64 = 1 << 20;
/// The average of fewer seeds says nothing: a card may be gone before any data has moved.
const AVERAGE_OF: usize = 10;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// The seeds of one of the two guests.
fn seeds(half: u64) -> Vec<u64> {
    if let Some(only) = number("CHAOS_SEED") {
        return if only % 2 == half { vec![only] } else { vec![] };
    }
    // Fewer on the debug kernel, where each takes longer and shows more.
    let most = match Flavour::from_environment().unwrap() {
        Flavour::Stock => SEEDS,
        Flavour::Debug => SEEDS / 5,
    };
    (0..number("CHAOS_SEEDS").unwrap_or(most))
        .filter(|seed| seed % 2 == half)
        .collect()
}

#[test]
fn even_seeds() {
    all(0, Iommu::Off);
}

#[test]
fn odd_seeds() {
    all(1, Iommu::Strict);
}

fn all(half: u64, iommu: Iommu) {
    let seeds = seeds(half);
    if seeds.is_empty() {
        return;
    }
    let bed = Bed::boot_with(two_volumes().iommu(iommu).find_leaks());
    let mut moved = 0;
    for seed in &seeds {
        match catch_unwind(AssertUnwindSafe(|| one(&bed, *seed))) {
            Ok(bytes) => moved += bytes,
            Err(panic) => {
                println!("CHAOS: seed {seed} failed; CHAOS_SEED={seed} has it again");
                resume_unwind(panic);
            }
        }
    }
    println!("CHAOS: {moved} bytes in {} seeds", seeds.len());
    assert!(
        seeds.len() < AVERAGE_OF || moved > LEAST * seeds.len() as u64,
        "{moved} bytes in {} seeds",
        seeds.len()
    );
    bed.works("all");
    bed.ends_without_leaks();
}

/// Gives how many bytes of data have moved.
fn one(bed: &Bed, seed: u64) -> u64 {
    bed.faults("chaos", seed);
    let faults = bed.vm.twin().faults();
    let names: Vec<_> = faults
        .iter()
        .map(|setting| format!("{}:{}", setting.fault.name, setting.one_in))
        .collect();
    println!("seed {seed}: {}", names.join(" "));
    if seed / 2 % FIO == FIO - 1 {
        fio(bed);
    } else {
        let load = bed.load_of(TRANSFERS, BOTH, seed);
        assert!(load.transfers + load.errors > 0, "{load:?}");
    }
    println!("seed {seed}: {:?}", bed.vm.twin().report().faults);
    let report = bed.vm.twin().report();
    assert_eq!(report.dma_refused, 0, "{report:?}");
    assert_eq!(report.overruns, 0, "{report:?}");
    bed.nothing_reported("the load");
    if seed % UNLOAD == 3 {
        // The faults strike until it is gone.
        bed.replace("the load");
    } else if is_lost(bed) {
        bed.replace("the load");
    }
    report.bytes_in + report.bytes_out
}

/// Whether the card, or one of its disks, was lost: then only a fresh one helps.
fn is_lost(bed: &Bed) -> bool {
    bed.no_faults();
    let states = ok(
        &bed.vm,
        "cat /sys/bus/scsi/devices/*:*:*:*/state; \
         dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct status=none 2>&1; \
         dd if=/dev/sdb of=/dev/null bs=4k count=1 iflag=direct status=none 2>&1 || true",
    );
    bed.vm.twin().is_dead() || states != "running\nrunning\n"
}

/// As the users of other drivers test.
fn fio(bed: &Bed) {
    // An error of a disk is none of the test; what was read and is wrong, is.
    let command = "fio --direct=1 --ioengine=libaio --rw=randrw --bs=16k --iodepth=16 --size=2m \
        --verify=crc32c --verify_fatal=1 --verify_header_seed=0 --continue_on_error=io \
        --name=a --filename=/dev/sda --name=b --filename=/dev/sdb >/tmp/fio.log 2>&1; cat /tmp/fio.log";
    let log = ok_within(&bed.vm, PATIENCE, command);
    assert!(!log.contains("verify"), "{log}");
    // Of both disks: it says so of a disk only if it has sent something.
    assert_eq!(log.matches("issued rwts").count(), 2, "{log}");
}
