// SPDX-License-Identifier: GPL-2.0

//! Disks, adapter and driver come and go, while they are in use.

use super::{DEVICE, end, load, log, two_disks};
use crate::common::{disks_appear, ends_clean, ok, ok_within, wait_for};
use serde_json::json;
use vmtest::qemu::disks;

const DRIVER: &str = "/sys/bus/pci/drivers/pvscsi_rust";

/// Single disks come and go, of which there are messages; then the adapter, in use; then the driver.
#[test]
fn comes_and_goes() {
    let vm = two_disks().find_leaks().boot().unwrap();
    disks_appear(&vm);
    for _ in 0..2 {
        let id = json!({ "id": disks::disk_id(1) });
        vm.qmp().execute("device_del", id).unwrap();
        wait_for(&vm, "[ ! -e /dev/sdb ]");
        let disk = disks::devices(2).pop().unwrap();
        vm.qmp().execute("device_add", disk).unwrap();
        wait_for(&vm, "[ -b /dev/sdb ]");
    }
    for n in 0..4 {
        let job = load(&vm, "sdb");
        match n % 2 {
            0 => vm.unplug().unwrap(),
            _ => {
                ok_within(
                    &vm,
                    60,
                    &format!("echo $(basename {DEVICE}) >{DRIVER}/unbind"),
                );
            }
        }
        let out = job.wait(vm.within(60)).unwrap();
        assert_ne!(out.status, 0, "the load went on without a disk");
        ok(&vm, "[ ! -e /dev/sda ] && [ ! -e /dev/sdb ]");
        match n % 2 {
            0 => vm.plug().unwrap(),
            _ => {
                ok(&vm, &format!("echo $(basename {DEVICE}) >{DRIVER}/bind"));
            }
        }
        disks_appear(&vm);
    }
    let job = load(&vm, "sdb");
    assert_ne!(vm.exec("rmmod pvscsi_rust").unwrap().status, 0, "in use");
    end(&vm, job);

    // A host with its commands takes 100 KiB and more.
    let slab = || {
        let text = ok(
            &vm,
            "sync; echo 3 >/proc/sys/vm/drop_caches; awk '/^Slab/ { print $2 }' /proc/meminfo",
        );
        text.trim().parse::<i64>().unwrap()
    };
    let again = |count: u64| {
        let cycle = "rmmod pvscsi_rust; [ ! -e /dev/sda ]; modprobe pvscsi_rust";
        ok_within(
            &vm,
            300,
            &format!("set -e; for i in $(seq {count}); do {cycle}; done"),
        );
        disks_appear(&vm);
    };
    again(vm.repetitions(5));
    let before = slab();
    again(vm.repetitions(40));
    let more = slab() - before;
    eprintln!("{more} KiB of slabs more after 40 times");
    assert!(more < 1 << 10, "{more} KiB");
    ok(
        &vm,
        "dd if=/dev/sdb of=/dev/null bs=1M count=8 iflag=direct status=none",
    );
    ok(&vm, "rmmod pvscsi_rust");
    assert_eq!(vm.leaks().unwrap(), "");
    for word in ["none of", "makes no sense"] {
        assert!(!log(&vm).contains(word), "{}", log(&vm));
    }
    ends_clean(vm);
}
