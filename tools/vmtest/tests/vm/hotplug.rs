// SPDX-License-Identifier: GPL-2.0

//! The card comes and goes: it is taken out in order, or pulled out, and put in again; it is found
//! running by a kernel that did not start it.

use crate::common::{
    disks_appear, ends_clean, ok, ok_within, times, two_volumes, wait_for_commands,
};
use crate::power::was_stopped;
use vmtest::{Flavour, Job, Vm};

const LOAD: &str = "exec fio --name=load --filename=/dev/sdb --direct=1 --ioengine=libaio \
    --rw=randrw --bs=16k --iodepth=16 --size=64m --time_based --runtime=600 \
    --output-format=terse --allow_file_create=0";

/// Does verified I/O on both disks, in a second or so.
const VERIFY: &str = "fio --direct=1 --ioengine=libaio --rw=randrw --bs=4k --iodepth=16 --size=4m \
    --verify=crc32c --verify_fatal=1 --output-format=terse --allow_file_create=0 \
    --name=a --filename=/dev/sda --name=b --filename=/dev/sdb >/dev/null";

/// Starts the load, and waits until it runs.
fn load(vm: &Vm) -> Job<'_> {
    let job = vm.spawn(LOAD).unwrap();
    wait_for_commands(vm, 50);
    job
}

fn fails(vm: &Vm, load: Job<'_>) {
    let out = load.wait(vm.within(60)).unwrap();
    assert_ne!(out.status, 0, "the load went on without a disk");
}

/// Every other time under load.
#[test]
#[ignore = "left to make check-all"]
fn taken_out_in_order() {
    let vm = two_volumes().find_leaks().boot().unwrap();
    for n in 0..times(&vm, 20) {
        let load = (n % 2 == 1).then(|| load(&vm));
        vm.unplug().unwrap();
        if let Some(load) = load {
            fails(&vm, load);
        }
        ok(&vm, "[ ! -e /dev/sda ] && [ -z \"$(lspci -d 106b:)\" ]");
        vm.plug().unwrap();
        disks_appear(&vm);
    }
    ok_within(&vm, 60, VERIFY);
    // All that was ever logged.
    assert!(!vm.console_log().contains("the card is gone"));
    ok(&vm, "rmmod apple_raid");
    assert_eq!(vm.leaks().unwrap(), "");
    ends_clean(vm);
}

/// What happens while the card is pulled out: whoever waits for a command that the card takes along
/// waits for its timeout, but not longer.
#[derive(PartialEq)]
enum Meanwhile {
    /// There is a load.
    Load,
    /// The disks are idle: the flush of their caches waits.
    Flush,
    /// The disks are idle, and there is nothing to flush: nobody waits.
    Nothing,
}

impl Meanwhile {
    /// One time in five somebody waits, so that a hundred times take minutes.
    fn of(n: u64) -> Self {
        match n % 10 {
            0 => Self::Load,
            5 => Self::Flush,
            _ => Self::Nothing,
        }
    }
}

#[test]
fn pulled_out() {
    let vm = two_volumes().find_leaks().boot().unwrap();
    for n in 0..times(&vm, 10) {
        ok(
            &vm,
            "for d in /sys/block/sd?/device; do echo 1 >$d/timeout; done",
        );
        let meanwhile = Meanwhile::of(n);
        if meanwhile == Meanwhile::Nothing {
            ok(
                &vm,
                "for d in /sys/class/scsi_disk/*; do \
                 echo temporary write through >$d/cache_type; done",
            );
        }
        let load = (meanwhile == Meanwhile::Load).then(|| load(&vm));
        vm.twin().play_dead(true);
        vm.unplug().unwrap();
        if let Some(load) = load {
            fails(&vm, load);
        }
        ok(&vm, "[ ! -e /dev/sda ] && [ -z \"$(lspci -d 106b:)\" ]");
        vm.twin().play_dead(false);
        vm.plug().unwrap();
        disks_appear(&vm);
    }
    ok_within(&vm, 60, VERIFY);
    ok(&vm, "rmmod apple_raid");
    assert_eq!(vm.leaks().unwrap(), "");
    ends_clean(vm);
}

/// What the card is doing, and has to tell, is of a time that the driver knows nothing of.
fn found_running(vm: Vm, restart: impl Fn(&Vm)) {
    let _ends_with_the_kernel = load(&vm);
    restart(&vm);
    let before = vm.twin().report();
    vm.load_driver().unwrap();
    disks_appear(&vm);
    assert_eq!(vm.twin().report().handshakes, before.handshakes + 1);
    ok_within(&vm, 60, VERIFY);
    // No command had to wait for its timeout.
    assert_eq!(
        ok(&vm, "cat /sys/block/sd[ab]/device/iotmo_cnt"),
        "0x0\n0x0\n"
    );
    ends_clean(vm);
}

#[test]
#[ignore = "left to make check-all"]
fn left_running_by_a_kernel_that_died() {
    let vm = two_volumes().twin("left-running=yes").boot().unwrap();
    found_running(vm, |vm| {
        // The completion ring names commands that nobody will look for.
        vm.twin().lose_interrupts(1000);
        std::thread::sleep(vm.within(2));
        let resets = vm.twin().report().resets;
        vm.reset().unwrap();
        vm.twin().lose_interrupts(0);
        assert_eq!(vm.twin().report().resets, resets);
    });
}

#[test]
#[ignore = "left to make check-all"]
fn handed_over_by_kexec() {
    let vm = two_volumes().kernel(Flavour::Stock).boot().unwrap();
    found_running(vm, |vm| {
        let resets = vm.twin().report().resets;
        let trace = vm.twin().trace();
        trace.record(true);
        let before = trace.mark();
        vm.kexec().unwrap();
        trace.record(false);
        assert_eq!(vm.twin().report().resets, resets);
        // The next kernel's memory is whatever this one has left.
        was_stopped(vm, &trace.since(before));
    });
}
