// SPDX-License-Identifier: GPL-2.0

//! Whatever goes wrong with the card, every command ends, with a true result; nothing is
//! reported by the kernel, and the module unloads. `tools/vm faults` lists what goes wrong.
//!
//! Timeouts are short by way of sysfs. Many faults share a boot: they are changed while the guest
//! runs.

mod answers;
mod chaos;
mod gone;
mod handshake;
mod hostile;
mod selftest;
mod silence;
mod state;
mod tasks;
mod unseen;

use std::time::Instant;

use crate::common::{disks_appear, ok, ok_within, two_volumes};
use vmtest::{Builder, Vm};

/// How long the faults of one load may delay it, in seconds: a command may time out more than
/// once, and each time the card is restarted.
const PATIENCE: u64 = 150;

/// Seconds until a command has timed out.
const TIMEOUT: u32 = 1;

/// A guest with two disks, in which timeouts are short, and what the tests of faults need.
struct Bed {
    vm: Vm,
    stamps: String,
}

/// How a load ended.
#[derive(Debug)]
struct Load {
    transfers: u64,
    errors: u64,
}

/// Transfers of one worker of [`Bed::load`].
const TRANSFERS: u32 = 40;

/// What [`Bed::load`] works on.
const BOTH: &str = "/dev/sda /dev/sdb";

impl Bed {
    fn boot() -> Bed {
        Self::boot_with(two_volumes())
    }

    fn boot_with(builder: Builder) -> Bed {
        let vm = builder.boot().unwrap();
        let stamps = vm.guest_tool("stamps").unwrap();
        disks_appear(&vm);
        let bed = Bed { vm, stamps };
        // Of the scan; then those of the disks.
        ok(
            &bed.vm,
            "echo 2 >/sys/module/scsi_mod/parameters/inq_timeout",
        );
        bed.short_timeouts();
        bed
    }

    fn short_timeouts(&self) {
        ok(
            &self.vm,
            &format!(
                "for d in /sys/bus/scsi/devices/*:*:*:*; do \
                 echo {TIMEOUT} >$d/timeout; echo {TIMEOUT} >$d/eh_timeout; done"
            ),
        );
    }

    /// Has these faults strike, with the figures set to zero.
    fn faults(&self, faults: &str, seed: u64) {
        self.vm.twin().set_faults(faults, seed).unwrap();
        self.vm.twin().reset_report();
    }

    fn no_faults(&self) {
        self.vm.twin().set_faults("none", 0).unwrap();
    }

    fn struck(&self, name: &str) -> u64 {
        let report = self.vm.twin().report();
        report.faults.get(name).copied().unwrap_or(0)
    }

    /// Writes, reads and compares; a wrong byte fails the test, an error of a disk does not.
    fn load(&self, disks: &str, seed: u64) -> Load {
        self.load_of(TRANSFERS, disks, seed)
    }

    /// The same with another number of transfers for each of the eight workers of a disk.
    fn load_of(&self, count: u32, disks: &str, seed: u64) -> Load {
        let command = format!("{} --count {count} --seed {seed} {disks}", self.stamps);
        let begin = Instant::now();
        let text = ok_within(&self.vm, PATIENCE, &command);
        let mut numbers = text.split(' ').filter_map(|word| word.parse().ok());
        let (Some(transfers), Some(errors)) = (numbers.next(), numbers.next()) else {
            panic!("{text:?}");
        };
        let seconds = begin.elapsed().as_secs_f64();
        println!("load: {transfers} transfers, {errors} errors, {seconds:.1} s");
        Load { transfers, errors }
    }

    /// Without faults everything works, and nothing was reported so far.
    fn works(&self, after: &str) {
        self.no_faults();
        let load = self.load(BOTH, 0);
        assert_eq!(load.errors, 0, "after {after}: {load:?}");
        self.nothing_reported(after);
    }

    fn nothing_reported(&self, after: &str) {
        assert_eq!(self.vm.reports_of_console(), [], "after {after}");
    }

    fn unload(&self, after: &str) {
        let remove = "for i in $(seq 50); do rmmod apple_raid && exit 0; sleep 0.1; done; exit 1";
        ok_within(&self.vm, PATIENCE, remove);
        self.nothing_reported(after);
    }

    /// Takes the driver and the card away, and has fresh ones.
    fn replace(&self, after: &str) {
        self.unload(after);
        self.no_faults();
        // Whatever its registers hold by now.
        self.vm.twin().play_dead(true);
        self.vm.twin().play_dead(false);
        self.vm.load_driver().unwrap();
        disks_appear(&self.vm);
        self.short_timeouts();
    }

    /// Whether it is in the last lines of the driver's in the kernel's log.
    fn says(&self, what: &str) -> bool {
        let log = ok(
            &self.vm,
            "dmesg | grep apple_raid | tail -n 20 | sed 's/^\\[[^]]*\\] //'",
        );
        log.contains(what)
    }

    /// In how many lines of the kernel's log it is since that was told to forget.
    fn lines_with(&self, what: &str) -> u64 {
        let count = format!("dmesg | grep -c '{what}' || true");
        ok(&self.vm, &count).trim().parse().unwrap()
    }

    /// Has the kernel's log forget.
    fn forget(&self) {
        ok(&self.vm, "dmesg --clear");
    }

    /// The module unloads, and nothing at all was reported.
    fn ends(self) {
        self.unloads_at_the_end();
        assert_eq!(self.vm.shutdown().unwrap(), []);
    }

    /// The same, and no memory was left behind, in a guest that finds leaks.
    fn ends_without_leaks(self) {
        self.unloads_at_the_end();
        assert_eq!(self.vm.leaks().unwrap(), "");
        assert_eq!(self.vm.shutdown().unwrap(), []);
    }

    fn unloads_at_the_end(&self) {
        self.no_faults();
        self.vm.twin().play_dead(false);
        self.unload("all");
    }
}
