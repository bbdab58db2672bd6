// SPDX-License-Identifier: GPL-2.0

//! Cards that no driver could work with: each is refused by one line that says why, and is left
//! alone.
//!
//! With an IOMMU, where it shows what is left mapped. Addresses come from the top, so that there
//! are some above 4 GiB.

use crate::common::{another_card, ok};
use vmtest::{Iommu, Vm};

/// Settings of the twin, and what the line in the log has to say.
const CARDS: &[(&str, &str)] = &[
    ("response-stride=48", "responses lie 48 bytes apart"),
    ("response-stride=1024", "responses lie 1024 bytes apart"),
    (
        "list-unit=16",
        "INQUIRY by a list: the data came to another buffer",
    ),
    (
        "list-unit=512",
        "INQUIRY by a list: the data came to another buffer",
    ),
    (
        "odd=list-never-stops",
        "INQUIRY by a list: the card did not stop",
    ),
    (
        "odd=list-never-stops list-unit=8",
        "INQUIRY by a list: the card did not stop",
    ),
    (
        "odd=wrong-buffer",
        "INQUIRY: the data came to another buffer",
    ),
    (
        "odd=truncate32",
        "was not reached: are addresses cut to 32 bits?",
    ),
    ("overrun=16384", "or more, were written behind data"),
    ("odd=byte-swapped", "with the bytes the wrong way round"),
    ("odd=inquiry-nonsense", "what INQUIRY says makes no sense"),
    ("odd=mailbox-ring", "was submitted, and tag 0 answered"),
    ("odd=stalls", "no answer any more after 128 commands"),
    (
        "odd=byte-count",
        "the count of an entry has fewer than 16 bits",
    ),
    (
        "odd=short-lists",
        "INQUIRY by a list of nine: the data came to another buffer",
    ),
    (
        "odd=first-regions",
        "does not answer in the memory that it was told of last",
    ),
    ("odd=long-ring", "the completion ring takes 82"),
];

/// What is there of the driver while it is loaded and has refused the card: nothing.
const NOTHING: &str = r#"
card=$(lspci -D -d 106b:008a | cut -d' ' -f1)
fail() { echo "$*"; exit 1; }
[ -d /sys/module/apple_raid ] || fail "the module is gone"
[ ! -e /sys/bus/pci/devices/$card/driver ] || fail "the driver is bound"
[ -z "$(ls /sys/class/scsi_host)" ] || fail "there is a host"
! grep apple_raid /proc/iomem || fail "its registers are mapped"
! grep apple_raid /proc/interrupts || fail "its interrupt is handled"
! ls -d /sys/kernel/debug/apple_raid-* 2>/dev/null || fail "there is something in debugfs"
[ "$(cat /sys/bus/pci/devices/$card/enable)" = 0 ] || fail "the card is enabled"
[ $((0x$(setpci -s $card COMMAND) & 4)) = 0 ] || fail "the card is bus master"
"#;

/// What the driver has complained of since the card was changed, without the time.
const LOG: &str = "dmesg --level emerg,alert,crit,err,warn | \
    sed -n 's/^\\[[^]]*\\] apple_raid [^ ]*: //p'; dmesg -C";

/// Loads the driver for such a card.
///
/// The checks may be given no memory above 4 GiB nevertheless, since an address below it that was
/// in use before may come again. Then the driver says so, and a card that cuts addresses works (see
/// `memory::above_4_gib_but_not_for_the_checks`): once more.
fn load(vm: &Vm, settings: &str) {
    for _ in 0..10 {
        ok(vm, "modprobe apple_raid");
        if settings != "odd=truncate32" || !ok(vm, "dmesg").contains("address bits 36 (assumed)") {
            return;
        }
        println!("{settings}: no memory above 4 GiB");
        ok(vm, "rmmod apple_raid && dmesg -C");
    }
    panic!("{settings}: no memory above 4 GiB, ten times");
}

#[test]
#[ignore = "left to make check-all"]
fn odd_cards_are_refused_and_left_alone() {
    let vm = Vm::builder()
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
    let before = vm.twin().report();
    for (settings, why) in CARDS {
        another_card(&vm, settings);
        load(&vm, settings);
        ok(&vm, NOTHING);
        assert_eq!(vm.twin().mapped(), unused, "{settings}: left mapped");
        let log = ok(&vm, LOG);
        println!("{settings}: {log}");
        assert_eq!(log.lines().count(), 1, "{settings}: {log}");
        assert!(log.contains(why), "{settings}: {log}");
        ok(&vm, "rmmod apple_raid");
    }
    let after = vm.twin().report();
    assert_eq!(after.dma_refused, before.dma_refused, "{after:?}");

    another_card(&vm, "");
    ok(&vm, "modprobe apple_raid");
    ok(
        &vm,
        "for i in $(seq 100); do [ -b /dev/sda ] && exit 0; sleep 0.1; done; exit 1",
    );
    assert_eq!(vm.reports().unwrap(), []);
    assert_eq!(vm.shutdown().unwrap(), []);
}
