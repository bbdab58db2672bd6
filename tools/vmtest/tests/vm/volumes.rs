// SPDX-License-Identifier: GPL-2.0

//! Volumes that come, go and grow while the card is in use: their disks follow, without anybody
//! asking for it.

use crate::common::{
    disks_appear, driver_log, ends_clean, ok, ok_within, times, two_volumes, unit,
};
use crate::load::{end, goes_on, load_on};
use apple_raid_twin::Volume;
use vmtest::Vm;

const MIB: u64 = 1 << 20;

fn add(vm: &Vm, lun: u16, mebibytes: u64) {
    let volume = Volume::temporary(mebibytes * MIB).unwrap();
    vm.twin().target().add_volume(lun, volume).unwrap();
}

fn remove(vm: &Vm, lun: u16) {
    vm.twin().target().remove_volume(lun).unwrap();
}

/// Any command, so that the card can tell its news.
fn ask(vm: &Vm) {
    let disk = unit(vm, 0).disk;
    ok(
        vm,
        &format!("dd if={disk} of=/dev/null bs=4k count=1 iflag=direct status=none"),
    );
}

/// Waits for a condition of the guest's, in words of the shell.
fn until(vm: &Vm, condition: &str) {
    ok_within(
        vm,
        30,
        &format!(
            "for i in $(seq 200); do {condition} && exit 0; sleep 0.1; done; \
             lsscsi -s; dmesg | tail; exit 1"
        ),
    );
}

fn gone(vm: &Vm, lun: u16) {
    until(
        vm,
        &format!("! ls -d /sys/class/scsi_device/*:0:0:{lun} 2>/dev/null"),
    );
}

fn has_size(vm: &Vm, disk: &str, mebibytes: u64) {
    let bytes = mebibytes * MIB;
    until(vm, &format!("[ $(blockdev --getsize64 {disk}) = {bytes} ]"));
}

#[test]
fn they_come_go_and_grow_under_load() {
    let vm = two_volumes().boot().unwrap();
    ok(
        &vm,
        "mkfs.ext4 -q /dev/sdb && mount /dev/sdb /mnt && seq 100000 >/mnt/seq",
    );
    let job = load_on(&vm, "/dev/sda");

    for round in 0..2 {
        add(&vm, 7, 64);
        add(&vm, 63, 32 + round);
        let new = unit(&vm, 7);
        has_size(&vm, &new.disk, 64);
        has_size(&vm, &unit(&vm, 63).disk, 32 + round);
        ok(
            &vm,
            &format!(
                "seq 100000 | dd of={0} oflag=sync bs=64k status=none && seq 100000 | cmp -n 500000 - {0}",
                new.disk
            ),
        );
        remove(&vm, 7);
        remove(&vm, 63);
        gone(&vm, 7);
        gone(&vm, 63);
    }

    // The capacity of the one that is mounted: what is new of it can be used.
    vm.twin().target().resize(1, 4096 * MIB).unwrap();
    ok(&vm, "seq 1000 >/mnt/other && sync -f /mnt");
    has_size(&vm, "/dev/sdb", 4096);
    ok_within(
        &vm,
        60,
        "resize2fs /dev/sdb && [ $(df --output=size -m /mnt | tail -n 1) -gt 3500 ]",
    );
    ok(
        &vm,
        "umount /mnt && fsck.ext4 -fn /dev/sdb && mount /dev/sdb /mnt && seq 100000 | cmp - /mnt/seq && umount /mnt",
    );

    goes_on(&vm, &job);
    end(&vm, job);
    let log = driver_log(&vm);
    assert_eq!(log.matches("the logical unit is gone").count(), 4, "{log}");
    assert!(
        !log.contains("I/O error") && !log.contains("refused"),
        "{log}"
    );
    ends_clean(vm);
}

/// Where one volume was, there is another: its blocks must not be taken for those of the first.
#[test]
#[ignore = "left to make check-all"]
fn another_takes_its_place() {
    let vm = two_volumes().boot().unwrap();
    let serial = |lun| {
        ok(
            &vm,
            &format!("sg_inq --page=0x80 {}", unit(&vm, lun).generic),
        )
    };
    let first = serial(1);
    let id = "cat /sys/class/scsi_device/*:0:0:1/device/wwid";
    let name = ok(&vm, id);
    remove(&vm, 1);
    add(&vm, 1, 3 << 10);
    ask(&vm);
    until(&vm, "dmesg | grep -q 'the logical unit is gone'");
    until(
        &vm,
        &format!(
            "[ \"$({id} 2>/dev/null || echo none)\" != '{}' ]",
            name.trim()
        ),
    );
    disks_appear(&vm);
    assert_ne!(serial(1), first);
    has_size(&vm, &unit(&vm, 1).disk, 3 << 10);
    ends_clean(vm);
}

/// What tells the disk of a volume from that of another one at its LUN.
fn wwid(vm: &Vm, lun: u16) -> String {
    ok(
        vm,
        &format!("cat /sys/class/scsi_device/*:0:0:{lun}/device/wwid"),
    )
}

/// So many volumes were seen to have gone, and so many disks to have come, the first two included.
fn have_gone_and_come(vm: &Vm, gone: u64, come: u64) {
    until(
        vm,
        &format!(
            "[ $(dmesg | grep -c 'the logical unit is gone') = {gone} ] && \
             [ $(dmesg | grep -c 'Attached SCSI disk') = {come} ]"
        ),
    );
}

/// The same, while the card fails to say how the volumes are named: the first one must not be
/// forgotten for that.
#[test]
#[ignore = "left to make check-all"]
fn another_takes_its_place_without_a_name() {
    let vm = two_volumes().boot().unwrap();
    disks_appear(&vm);
    for failures in 1..=3 {
        let name = wwid(&vm, 1);
        remove(&vm, 1);
        add(&vm, 1, 3 << 10);
        let target = vm.twin().target();
        target.fail_vital_data(1, failures).unwrap();
        ask(&vm);
        let count = failures.into();
        have_gone_and_come(&vm, count, 2 + count);
        assert_ne!(wwid(&vm, 1), name);
    }
    ends_clean(vm);
}

/// The volume itself says that it is another one. When it does, the midlayer asks it for its name at
/// once, and forgets that of the first.
#[test]
fn another_one_says_so() {
    let vm = two_volumes().boot().unwrap();
    disks_appear(&vm);
    let name = wwid(&vm, 1);
    let disk = unit(&vm, 1).disk;
    let another = Volume::temporary(3 << 30).unwrap();
    vm.twin().target().replace_volume(1, another).unwrap();
    ok(
        &vm,
        &format!("dd if={disk} of=/dev/null count=1 iflag=direct status=none"),
    );
    have_gone_and_come(&vm, 1, 3);
    assert_ne!(wwid(&vm, 1), name);
    ends_clean(vm);
}

/// A volume that is not connected at the moment stays. One that never was gets its disk when it is.
#[test]
#[ignore = "left to make check-all"]
fn they_are_not_connected_for_a_while() {
    let vm = two_volumes().boot().unwrap();
    disks_appear(&vm);
    let target = vm.twin().target();
    let disk = unit(&vm, 1).disk;
    ok(
        &vm,
        &format!("mkfs.ext4 -q {disk} && mount {disk} /mnt && seq 100000 >/mnt/seq"),
    );
    target.disconnect(1, true).unwrap();
    add(&vm, 5, 64);
    target.disconnect(5, true).unwrap();
    ask(&vm);
    // Volumes are looked for when all that there are were looked at.
    until(&vm, "ls -d /sys/class/scsi_device/*:0:0:5 2>/dev/null");
    ok(
        &vm,
        "! ls -d /sys/class/scsi_device/*:0:0:5/device/block 2>/dev/null",
    );
    // And they are looked at a few times more.
    ok(&vm, "sleep 5; seq 1000 >/mnt/other && sync -f /mnt");
    let log = driver_log(&vm);
    assert!(!log.contains("the logical unit is gone"), "{log}");

    target.disconnect(1, false).unwrap();
    target.disconnect(5, false).unwrap();
    add(&vm, 7, 64);
    ask(&vm);
    have_gone_and_come(&vm, 1, 4);
    unit(&vm, 7);
    unit(&vm, 5);
    ok(&vm, "seq 100000 | cmp - /mnt/seq && umount /mnt");
    assert_eq!(unit(&vm, 1).disk, disk);
    ends_clean(vm);
}

/// Nobody is left to tell that the last one went, but the next command to it.
#[test]
#[ignore = "left to make check-all"]
fn the_last_one_goes() {
    let vm = two_volumes().boot().unwrap();
    remove(&vm, 1);
    ask(&vm);
    gone(&vm, 1);
    remove(&vm, 0);
    ok(
        &vm,
        "! dd if=/dev/sda of=/dev/null count=1 iflag=direct status=none",
    );
    gone(&vm, 0);
    // Nor is there one to tell of a new one.
    add(&vm, 3, 64);
    ok(
        &vm,
        "for scan in /sys/class/scsi_host/host*/scan; do echo '- - -' >$scan; done",
    );
    unit(&vm, 3);
    ends_clean(vm);
}

/// A rescan is about to begin, or under way, when the host is reset, put to sleep or removed.
#[test]
#[ignore = "left to make check-all"]
fn rescans_are_interrupted() {
    const CARD: &str = "/sys/bus/pci/devices/$(lspci -D -d 106b:008a | cut -d' ' -f1)";
    let vm = two_volumes()
        .twin("delay-us=3000")
        .find_leaks()
        .boot()
        .unwrap();
    let count = times(&vm, 12);
    for n in 0..count {
        add(&vm, 9, 64);
        ask(&vm);
        // From before the rescan begins to after it has ended.
        let wait = 0.8 + 0.6 * n as f64 / count as f64;
        let event = match n % 3 {
            0 => format!("D={CARD}; sleep {wait}; echo 1 >$D/reset"),
            1 => format!(
                "D=$(basename {CARD}); cd /sys/bus/pci/drivers/apple_raid; sleep {wait}; echo $D >unbind && echo $D >bind"
            ),
            _ => format!(
                "sleep {wait}; rmmod apple_raid || {{ sleep 2; rmmod apple_raid; }}; modprobe apple_raid"
            ),
        };
        ok_within(&vm, 60, &event);
        unit(&vm, 9);
        remove(&vm, 9);
        ask(&vm);
        gone(&vm, 9);
    }
    ok(&vm, "rmmod apple_raid || { sleep 2; rmmod apple_raid; }");
    assert_eq!(vm.leaks().unwrap(), "");
    ends_clean(vm);
}

/// A card that is slow to answer: who unbinds the driver waits for one volume, not for all.
#[test]
#[ignore = "left to make check-all"]
fn a_slow_rescan_ends_early() {
    let vm = two_volumes().boot().unwrap();
    for lun in 2..12 {
        add(&vm, lun, 64);
    }
    ask(&vm);
    for lun in 2..12 {
        unit(&vm, lun);
    }
    add(&vm, 12, 64);
    ask(&vm);
    // Some twenty commands for each volume.
    vm.twin().set_faults("slow-data:1@500", 1).unwrap();
    ok_within(
        &vm,
        40,
        "sleep 2; cd /sys/bus/pci/drivers/apple_raid; echo *:*:*.* >unbind",
    );
    vm.twin().set_faults("none", 1).unwrap();
    ends_clean(vm);
}
