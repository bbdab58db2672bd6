// SPDX-License-Identifier: GPL-2.0

//! What a report on a real card is made of: tools/collect-report.

use std::fs;

use crate::common::{another_card, disks_appear, ends_clean, ok, ok_within, two_volumes};

const SCRIPT: &str = include_str!("../../../collect-report");

#[test]
fn a_report_has_all_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("collect-report"), SCRIPT).unwrap();
    let vm = two_volumes().share(folder.path()).boot().unwrap();
    disks_appear(&vm);
    let collect = "cd /tmp && dash /mnt/share/collect-report";
    let said = ok_within(&vm, 60, collect);
    assert!(said.starts_with("apple-raid-report.txt: "), "{said}");
    let report = ok(&vm, "cat /tmp/apple-raid-report.txt");
    for part in [
        // lspci
        "RAID bus controller [0104]: Apple",
        "Kernel driver in use: apple_raid",
        "MSI: Enable+",
        // sysfs
        "/controller_state\nenabled\n",
        "/firmware_version\n0x00010403\n",
        "/product_name\nApple RAID Card\n",
        // the log
        "apple_raid 0000:01:00.0: checked by ",
        // sg3_utils, for both units
        "=== sg_inq /dev/sg0\n",
        "=== sg_inq /dev/sg1\n",
        "Vendor identification: ",
        "Number of logical blocks=",
        "=== end\n",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    assert!(!report.contains("there is no program"), "{report}");

    // A card that is refused makes a report, too.
    ok(&vm, "rmmod apple_raid");
    another_card(&vm, "odd=wrong-buffer");
    ok(&vm, "modprobe apple_raid");
    ok_within(&vm, 60, &format!("{collect} odd.txt"));
    let report = ok(&vm, "cat /tmp/odd.txt");
    for part in [
        "not a card that this driver can work with",
        "=== the attributes of its host\n--- there is none\n",
        "=== end\n",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    // What the check asked of the odd card is none of the test.
    vm.twin().reset_report();
    ends_clean(vm);
}
