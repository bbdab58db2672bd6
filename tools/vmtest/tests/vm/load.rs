// SPDX-License-Identifier: GPL-2.0

//! A load that has to see no error, whatever happens to the card.

use crate::common::{ok, succeeded, wait_for_commands};
use vmtest::{Job, Vm};

/// Writes to a disk, again and again, and looks whether it reads the same.
const LOAD: &str = "fio --name=load --direct=1 --ioengine=libaio \
    --rw=randrw --bs=16k --iodepth=16 --size=16m --time_based --runtime=1000 \
    --verify=crc32c --verify_fatal=1 --verify_backlog=256 --output-format=terse \
    --allow_file_create=0";
/// Reads only, and never waits for one command before it goes on with others, as [`LOAD`] does
/// before it verifies.
const READS: &str = "fio --name=reads --direct=1 --ioengine=libaio --rw=randread --bs=16k \
    --iodepth=16 --size=16m --time_based --runtime=1000 --output-format=terse \
    --allow_file_create=0";
/// A file that tells fio to stop. A signal would do so too, most of the time: fio was seen to hang.
const STOP: &str = "/run/stop-fio";

/// Starts the load, and waits until it runs.
pub fn load(vm: &Vm) -> Job<'_> {
    load_on(vm, "/dev/sdb")
}

/// The same on another disk.
pub fn load_on<'vm>(vm: &'vm Vm, disk: &str) -> Job<'vm> {
    start(vm, LOAD, disk)
}

/// Starts a load that only reads, in which each command stands for itself.
pub fn reads(vm: &Vm) -> Job<'_> {
    start(vm, READS, "/dev/sdb")
}

fn start<'vm>(vm: &'vm Vm, fio: &str, disk: &str) -> Job<'vm> {
    let job = vm
        .spawn(&format!(
            "rm -f {STOP}; exec {fio} --filename={disk} --trigger-file={STOP}"
        ))
        .unwrap();
    wait_for_commands(vm, 50);
    job
}

/// The load still runs, which means that it has seen no error, and goes on.
pub fn goes_on(vm: &Vm, job: &Job<'_>) {
    wait_for_commands(vm, 10);
    assert!(!job.is_done(), "the load has ended");
}

/// Ends the load, which has to be well.
pub fn end(vm: &Vm, job: Job<'_>) {
    assert!(!job.is_done(), "the load has ended");
    ok(vm, &format!("touch {STOP}"));
    succeeded(job.wait(vm.within(60)).unwrap(), LOAD);
}
