// SPDX-License-Identifier: GPL-2.0

//! The sample: a driver that is nothing but a user of the abstraction. There is no card.

use crate::common::{ok, ok_within, wait_for};
use vmtest::Vm;

/// Where the sample's disk is, by its vendor and product.
const DISK: &str = "lsscsi | awk '/Rust RAM disk/ { print $NF }'";
const GENERIC: &str = "lsscsi -g | awk '/Rust RAM disk/ { print $NF }'";

fn guest() -> Vm {
    Vm::builder()
        .memory(1 << 30)
        .no_card()
        .no_load()
        .boot()
        .unwrap()
}

/// Loads the sample; gives the disk and its generic device.
fn load(vm: &Vm) -> (String, String) {
    ok(vm, "modprobe -a sg sd_mod rust_scsi_host");
    wait_for(vm, &format!("[ -b \"$({DISK})\" -a -c \"$({GENERIC})\" ]"));
    let path = |command| ok(vm, command).trim().to_owned();
    (path(DISK), path(GENERIC))
}

fn unload(vm: &Vm, disk: &str) {
    ok(vm, &format!("rmmod rust_scsi_host && [ ! -e {disk} ]"));
}

/// A command succeeds, and prints all of this.
fn prints(vm: &Vm, command: &str, all: &[&str]) {
    let text = ok(vm, command);
    for part in all {
        assert!(text.contains(part), "{command}: {part:?} is not in {text}");
    }
}

/// The unit refuses a CDB, with this in its sense data.
fn refuses(vm: &Vm, generic: &str, cdb: &str, why: &str) {
    let output = vm.exec(&format!("sg_raw -r 512 {generic} {cdb}")).unwrap();
    let text = output.stdout_text() + &output.stderr_text();
    assert_ne!(output.status, 0, "{cdb}");
    assert!(text.contains("Illegal Request"), "{cdb}: {text}");
    assert!(text.contains(why), "{cdb}: {text}");
}

#[test]
fn its_disk_keeps_what_is_written() {
    let vm = guest();
    let (disk, generic) = load(&vm);
    prints(
        &vm,
        &format!("sg_inq {generic}"),
        &["Rust RAM disk", "0001", "version=0x05"],
    );
    prints(&vm, &format!("sg_luns {generic}"), &["Lun list length = 8"]);
    prints(&vm, &format!("sg_readcap {generic}"), &["131072", "512"]);
    prints(&vm, &format!("blockdev --getsize64 {disk}"), &["67108864"]);
    ok(&vm, &format!("sg_turs {generic} && sg_sync {generic}"));
    // It has no reset, which costs it nothing.
    for kind in ["device", "target", "host"] {
        let reset = vm.exec(&format!("sg_reset --{kind} {generic}")).unwrap();
        assert_ne!(reset.status, 0, "{kind}");
        ok(
            &vm,
            &format!("dd if={disk} of=/dev/null bs=4k count=1 iflag=direct"),
        );
    }

    // READ(10) of the block after the last one; INQUIRY of a page of vital product data;
    // RECEIVE COPY RESULTS, which few disks know.
    refuses(
        &vm,
        &generic,
        "28 00 00 02 00 00 00 00 01 00",
        "out of range",
    );
    refuses(&vm, &generic, "12 01 83 00 ff 00", "Invalid field");
    refuses(
        &vm,
        &generic,
        "84 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00",
        "Invalid command",
    );
    // It wants more than the buffer holds: what has room comes.
    ok(
        &vm,
        &format!("sg_raw -r 1000 {generic} 28 00 00 00 00 00 00 00 08 00"),
    );

    ok_within(
        &vm,
        120,
        &format!(
            "fio --name=a --filename={disk} --direct=1 --ioengine=libaio --rw=randrw --bsrange=512-256k \
             --iodepth=32 --size=32m --verify=crc32c --verify_fatal=1 --output-format=terse"
        ),
    );
    ok_within(
        &vm,
        60,
        &format!("mkfs.ext4 -q {disk} && mount {disk} /mnt"),
    );
    ok(
        &vm,
        "cp /bin/bash /mnt && echo 3 >/proc/sys/vm/drop_caches && cmp /bin/bash /mnt/bash",
    );
    assert_ne!(
        vm.exec("rmmod rust_scsi_host").unwrap().status,
        0,
        "it is in use"
    );
    ok_within(&vm, 60, &format!("umount /mnt && e2fsck -fn {disk}"));
    unload(&vm, &disk);

    assert_eq!(vm.reports().unwrap(), []);
    assert_eq!(vm.shutdown().unwrap(), []);
}

/// Nobody keeps the registration of the host: the driver core has it.
#[test]
fn unload_and_load_again() {
    let vm = guest();
    for _ in 0..vm.repetitions(10) {
        let (disk, _) = load(&vm);
        let zeros = format!("cmp -n 1048576 {disk} /dev/zero");
        ok(
            &vm,
            &format!("{zeros} && dd if=/dev/urandom of={disk} bs=1M count=1 status=none"),
        );
        unload(&vm, &disk);
        ok(
            &vm,
            "[ -z \"$(ls /sys/class/scsi_host)\" ] && [ ! -e /sys/devices/faux/rust_scsi_host ]",
        );
    }
    // While the midlayer may still be looking for disks.
    for _ in 0..vm.repetitions(10) {
        ok(&vm, "modprobe rust_scsi_host && rmmod rust_scsi_host");
    }
    assert_eq!(vm.reports().unwrap(), []);
    assert_eq!(vm.shutdown().unwrap(), []);
}
