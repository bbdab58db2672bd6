// SPDX-License-Identifier: GPL-2.0

//! What a report on a real card is made of: tools/collect-report, and the verbose checks.

use std::fs;

use crate::common::{another_card, disks_appear, ends_clean, ok, ok_within, two_volumes};

const SCRIPT: &str = include_str!("../../../collect-report");

#[test]
fn a_report_has_all_that_there_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("collect-report"), SCRIPT).unwrap();
    let vm = two_volumes().share(folder.path()).no_load().boot().unwrap();
    ok(&vm, "modprobe apple_raid verbose_checks=1");
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
        // debugfs
        "confirmed  response stride    64\n",
        // the log, with every finding
        "check: tag 1 answered at 64 of region F",
        "check: LUN 1, page 0x83",
        "apple_raid 0000:01:00.0: model: response stride 64 (confirmed)",
        // sg3_utils, for both units
        "=== sg_inq /dev/sg0\n",
        "=== sg_inq /dev/sg1\n",
        "Vendor identification: Apple",
        "Number of logical blocks=",
        "=== end\n",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    assert!(!report.contains("there is no program"), "{report}");

    // A card that is refused makes a report, too.
    ok(&vm, "rmmod apple_raid");
    another_card(&vm, "response-stride=48");
    ok(&vm, "modprobe apple_raid verbose_checks=1");
    ok_within(&vm, 60, &format!("{collect} odd.txt"));
    let report = ok(&vm, "cat /tmp/odd.txt");
    for part in [
        "check: tag 1 answered at 48 of region F",
        "responses lie 48 bytes apart",
        "=== /sys/kernel/debug/apple_raid-*/model\n--- there is none\n",
        "=== end\n",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    ends_clean(vm);
}

#[test]
fn the_checks_are_silent_unless_asked() {
    let vm = two_volumes().boot().unwrap();
    assert_eq!(ok(&vm, "dmesg | grep -c 'check: ' || true"), "0\n");
    assert_eq!(ok(&vm, "dmesg | grep -c 'apple_raid.*model: '"), "1\n");
    ends_clean(vm);
}
