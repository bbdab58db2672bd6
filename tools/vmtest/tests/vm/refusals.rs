// SPDX-License-Identifier: GPL-2.0

//! Cards that no driver could work with: each is refused by one line that says why, and is left
//! alone.
//!
//! With an IOMMU, where it shows what is left mapped. Addresses come from the top, so that there
//! are some above 4 GiB.

use crate::common::{another_card, disks_appear, ok, ok_within, two_volumes};
use vmtest::{Iommu, Vm};

const REFUSED: &str = "not a card that this driver can work with: ";

/// Settings of the twin, and what the line in the log has to say.
const CARDS: &[(&str, &str)] = &[
    ("odd=wrong-buffer", "data by one entry"),
    ("odd=inquiry-nonsense", "data by one entry"),
    ("odd=list-first-unit-only", "data by a chain of two units"),
    ("odd=tail-lost", "data by a list"),
    ("odd=no-batch", "two commands at once"),
    ("batch=no", "two commands at once"),
    ("odd=lun-ignored", "cannot be told from LUN 0"),
    ("odd=no-tasks", "task management"),
    ("odd=mute", "TEST UNIT READY: no answer"),
    ("odd=plain-mailbox", "TEST UNIT READY"),
    ("odd=first-regions", "TEST UNIT READY"),
    (
        "odd=byte-swapped",
        "the card's submit ring is at 0x074010000",
    ),
    ("slots=127", "the card offers 0x7f slots"),
];

/// Cards that write to where nobody told them; the IOMMU refuses it.
const ASTRAY: &[&str] = &["odd=wrong-buffer", "odd=first-regions"];

/// What is there of the driver while it is loaded and has refused the card: nothing.
const NOTHING: &str = r#"
card=$(lspci -D -d 106b:008a | cut -d' ' -f1)
fail() { echo "$*"; exit 1; }
[ -d /sys/module/apple_raid ] || fail "the module is gone"
[ ! -e /sys/bus/pci/devices/$card/driver ] || fail "the driver is bound"
[ -z "$(ls /sys/class/scsi_host)" ] || fail "there is a host"
! grep apple_raid /proc/iomem || fail "its registers are mapped"
! grep apple_raid /proc/interrupts || fail "its interrupt is handled"
[ "$(cat /sys/bus/pci/devices/$card/enable)" = 0 ] || fail "the card is enabled"
[ $((0x$(setpci -s $card COMMAND) & 4)) = 0 ] || fail "the card is bus master"
"#;

/// What the driver has complained of since the card was changed, without the time.
const LOG: &str = "dmesg --level emerg,alert,crit,err,warn | \
    sed -n 's/^\\[[^]]*\\] apple_raid [^ ]*: //p'; dmesg -C";

/// Loads the driver for such a card, which it refuses.
fn is_refused(vm: &Vm, settings: &str, why: &str) {
    ok_within(vm, 60, "modprobe apple_raid");
    ok(vm, NOTHING);
    let log = ok(vm, LOG);
    println!("{settings}: {log}");
    assert_eq!(log.lines().count(), 1, "{settings}: {log}");
    assert!(log.contains(why), "{settings}: {log}");
    let of_check = log.contains(REFUSED);
    assert_eq!(of_check, !why.contains("the card"), "{log}");
}

#[test]
fn odd_cards_are_refused_and_left_alone() {
    let vm = two_volumes()
        .iommu(Iommu::Strict)
        .append("iommu.forcedac=1")
        .no_load()
        .boot()
        .unwrap();
    let unused = vm.twin().mapped();
    ok(&vm, "modprobe apple_raid");
    assert!(vm.twin().mapped() > unused);
    ok(&vm, "rmmod apple_raid && dmesg -C");
    assert_eq!(vm.twin().mapped(), unused);
    for (settings, why) in CARDS {
        another_card(&vm, settings);
        let before = vm.twin().report().dma_refused;
        if settings == &"odd=first-regions" {
            // It stays with those of the first handshake, which is another's.
            ok(&vm, "modprobe apple_raid && rmmod apple_raid && dmesg -C");
        }
        is_refused(&vm, settings, why);
        assert_eq!(vm.twin().mapped(), unused, "{settings}: left mapped");
        ok(&vm, "rmmod apple_raid");
        let after = vm.twin().report();
        if !ASTRAY.contains(settings) {
            assert_eq!(after.dma_refused, before, "{settings}: {after:?}");
        }
    }

    another_card(&vm, "");
    ok(&vm, "modprobe apple_raid");
    disks_appear(&vm);
    assert_eq!(vm.reports().unwrap(), []);
    assert_eq!(vm.shutdown().unwrap(), []);
}
