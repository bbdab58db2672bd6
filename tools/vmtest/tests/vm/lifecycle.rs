// SPDX-License-Identifier: GPL-2.0

//! Coming and going of the driver, idle and under load.

use crate::common::{
    disks_appear, ends_clean, ok, ok_within, succeeded, times, two_volumes, wait_for,
    wait_for_commands,
};
use crate::load::{end, load};
use vmtest::Vm;

const LOAD: &str = "fio --name=load --filename=/dev/sdb --direct=1 --ioengine=libaio --rw=randrw \
    --bs=16k --iodepth=16 --size=64m --time_based --runtime=60 --output-format=terse \
    --allow_file_create=0";

/// Waits until the load runs.
fn load_runs(vm: &Vm) {
    wait_for_commands(vm, 50);
}

#[test]
#[ignore = "left to make check-all"]
fn unload_and_load_again() {
    let vm = two_volumes().find_leaks().boot().unwrap();
    for _ in 0..5 {
        ok(&vm, "rmmod apple_raid && [ ! -e /dev/sda ]");
        ok(&vm, "modprobe apple_raid");
        disks_appear(&vm);
        ok(
            &vm,
            "dd if=/dev/sdb of=/dev/null bs=1M count=2 iflag=direct status=none",
        );
    }
    assert_eq!(vm.leaks().unwrap(), "");
    ok(&vm, "rmmod apple_raid");
    assert_eq!(vm.leaks().unwrap(), "");
    ends_clean(vm);
}

#[test]
fn unload_is_refused_while_a_disk_is_in_use() {
    let vm = two_volumes().boot().unwrap();
    let job = load(&vm);
    let times = vm.repetitions(100) - 1;
    ok_within(
        &vm,
        60,
        &format!("for i in $(seq {times}); do rmmod apple_raid 2>/dev/null && exit 1; done; true"),
    );
    let refused = vm.exec("rmmod apple_raid").unwrap();
    assert_ne!(refused.status, 0);
    assert!(
        refused.stderr_text().contains("in use"),
        "{}",
        refused.stderr_text()
    );
    end(&vm, job);
    ok_within(&vm, 60, "rmmod apple_raid");
    ends_clean(vm);
}

#[test]
#[ignore = "make check runs it on the debug kernel"]
fn unbind_under_load() {
    let vm = two_volumes().boot().unwrap();
    let driver = "/sys/bus/pci/drivers/apple_raid";
    let card = "$(lspci -D -d 106b:008a | cut -d' ' -f1)";
    for _ in 0..times(&vm, 10) {
        let load = vm.spawn(LOAD).unwrap();
        load_runs(&vm);
        ok_within(&vm, 60, &format!("echo {card} >{driver}/unbind"));
        let out = load.wait(vm.within(60)).unwrap();
        assert_ne!(out.status, 0, "the load went on without a disk");
        ok(
            &vm,
            &format!("[ ! -e /dev/sdb ] && echo {card} >{driver}/bind"),
        );
        disks_appear(&vm);
    }
    succeeded(
        vm.exec("dd if=/dev/sdb of=/dev/null bs=1M count=8 iflag=direct status=none")
            .unwrap(),
        "read after the last bind",
    );
    ends_clean(vm);
}

/// The module goes as soon as nobody uses its disks any more, with commands still in flight.
#[test]
#[ignore = "left to make check-all"]
fn unload_drains() {
    let vm = two_volumes().twin("delay-us=20000").boot().unwrap();
    for _ in 0..times(&vm, 10) {
        let load = vm.spawn(LOAD).unwrap();
        load_runs(&vm);
        ok_within(
            &vm,
            60,
            "pkill -KILL fio; for i in $(seq 1000); do rmmod apple_raid 2>/dev/null && break; done; \
             [ ! -e /dev/sdb ] && modprobe apple_raid",
        );
        load.wait(vm.within(60)).unwrap();
        disks_appear(&vm);
    }
    ends_clean(vm);
}

#[test]
#[ignore = "left to make check-all"]
fn unbind_while_a_user_resets() {
    let vm = two_volumes().boot().unwrap();
    let driver = "/sys/bus/pci/drivers/apple_raid";
    let card = "$(lspci -D -d 106b:008a | cut -d' ' -f1)";
    for _ in 0..5 {
        let resets = vm
            .spawn("while [ -e /dev/sg1 ]; do sg_reset --host /dev/sg1; done 2>/dev/null; true")
            .unwrap();
        wait_for(&vm, "dmesg | tail -n 3 | grep -q 'is back'");
        ok_within(&vm, 60, &format!("echo {card} >{driver}/unbind"));
        succeeded(resets.wait(vm.within(60)).unwrap(), "resets");
        ok(&vm, &format!("echo {card} >{driver}/bind"));
        disks_appear(&vm);
    }
    ends_clean(vm);
}

/// A reset by way of a file that was opened before the host went: there is nobody to ask.
#[test]
#[ignore = "left to make check-all"]
fn reset_of_a_host_that_is_gone() {
    let vm = two_volumes().boot().unwrap();
    let driver = "/sys/bus/pci/drivers/apple_raid";
    let card = "$(lspci -D -d 106b:008a | cut -d' ' -f1)";
    let reset = r#"
import fcntl, struct
try:
    fcntl.ioctl(3, 0x2284, struct.pack("i", 4))
    print("reset")
except OSError:
    print("refused")
"#;
    let script =
        format!("exec 3<>/dev/sda && echo {card} >{driver}/unbind && python3 -c '{reset}'");
    assert_eq!(ok(&vm, &script), "refused\n");
    ok(&vm, &format!("echo {card} >{driver}/bind"));
    disks_appear(&vm);
    ends_clean(vm);
}
