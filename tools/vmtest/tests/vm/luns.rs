// SPDX-License-Identifier: GPL-2.0

//! Which logical units there are: at any LUN, and none.

use std::time::Duration;

use crate::common::{Unit, ends_clean, ok, ok_within, two_volumes, unit};
use apple_raid_twin::Volume;
use vmtest::Vm;

/// What the log says of driver and midlayer since it was cleared.
const LOG: &str = "dmesg | grep -E 'apple_raid|scsi' || true";

fn add(vm: &Vm, lun: u16) {
    let volume = Volume::temporary(64 << 20).unwrap();
    vm.twin().target().add_volume(lun, volume).unwrap();
}

/// Who looks for units at all LUNs, as rescan-scsi-bus.sh does, finds none and leaves no trace; and
/// the volume that is made there later appears.
#[test]
fn looking_for_units_that_are_not_there() {
    let vm = two_volumes().boot().unwrap();
    let Unit { disk, .. } = unit(&vm, 0);
    unit(&vm, 1);
    let before = vm.twin().report();
    ok(&vm, "dmesg -C");
    ok_within(
        &vm,
        60,
        "for scan in /sys/class/scsi_host/host*/scan; do \
         for n in 2 3 4 5 6 7 8 9 63; do echo \"0 0 $n\" >$scan; done; \
         echo '- - -' >$scan; echo '0 0 64' >$scan; done; true",
    );
    assert_eq!(ok(&vm, LOG), "");
    let after = vm.twin().report();
    assert_eq!(after.handshakes, before.handshakes);
    assert_eq!(after.tasks, before.tasks);
    assert_eq!(ok(&vm, "ls /sys/class/scsi_device | wc -l"), "2\n");

    // By itself, and by asking for it.
    add(&vm, 5);
    let read = format!("dd if={disk} of=/dev/null bs=4k count=1 iflag=direct status=none");
    ok(&vm, &read);
    unit(&vm, 5);
    add(&vm, 63);
    ok(&vm, "echo '0 0 63' >/sys/class/scsi_host/host0/scan");
    unit(&vm, 63);
    ends_clean(vm);
}

/// The volume at LUN 0 was deleted; the others are there nevertheless, and are not one another.
#[test]
fn volumes_at_any_luns_and_none_at_0() {
    let vm = two_volumes().no_load().boot().unwrap();
    let target = vm.twin().target();
    target.remove_volume(0).unwrap();
    for lun in [9, 63] {
        add(&vm, lun);
    }
    ok(&vm, "modprobe apple_raid");
    for lun in [1, 9, 63] {
        let disk = unit(&vm, lun).disk;
        ok(
            &vm,
            &format!("printf %-512s 'this is {lun}' | dd of={disk} oflag=direct status=none"),
        );
    }
    ok_within(
        &vm,
        30,
        "rmmod apple_raid || { sleep 2; rmmod apple_raid; }; modprobe apple_raid",
    );
    for lun in [1, 9, 63] {
        let disk = unit(&vm, lun).disk;
        let said = ok(&vm, &format!("head -c 512 {disk}"));
        assert_eq!(said.trim_end(), format!("this is {lun}"));
    }
    assert_eq!(ok(&vm, "ls /sys/class/scsi_device | wc -l"), "3\n");

    // One at 0 again; nobody has to ask.
    add(&vm, 0);
    let disk = unit(&vm, 9).disk;
    ok(
        &vm,
        &format!("dd if={disk} of=/dev/null bs=4k count=1 iflag=direct status=none"),
    );
    unit(&vm, 0);
    ends_clean(vm);
}

/// A card without a volume is no reason to complain, and the first one appears when it is asked for.
#[test]
#[ignore = "left to make check-all"]
fn no_volume_at_all() {
    let vm = two_volumes().no_load().boot().unwrap();
    for lun in [0, 1] {
        vm.twin().target().remove_volume(lun).unwrap();
    }
    ok(
        &vm,
        "modprobe apple_raid && [ -e /sys/class/scsi_host/host0 ]",
    );
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(ok(&vm, "ls /sys/class/scsi_device | wc -l"), "0\n");
    add(&vm, 0);
    ok(&vm, "echo '- - -' >/sys/class/scsi_host/host0/scan");
    unit(&vm, 0);
    ends_clean(vm);
}
