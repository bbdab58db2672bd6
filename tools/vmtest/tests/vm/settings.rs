// SPDX-License-Identifier: GPL-2.0

//! Cards that differ in what is only assumed of the card: the driver works with all of them, and all
//! of them keep two volumes whole.
//!
//! The volumes stay as the cards change, so what was written through one card is read through the
//! next. A mark on each tells one volume from the other.

use crate::common::{another_card, attribute, ends_clean, ok, ok_within, two_volumes};
use vmtest::Flavour;
use vmtest::Vm;

/// Each setting of the twin in both, or all, of its ways, and some together.
const CARDS: &[&str] = &[
    "",
    "inline=never",
    "inline=fits",
    "indices=reset",
    "old-commands=forget",
    "list-flag=set",
    "list-flag=any",
    "reset-victims=ring",
    "stall=no",
    "length-from=descriptor",
    "slots=200",
    "delay-us=300",
    "init-ms=0 ready-ms=0 enable-ms=0",
    "workers=1 inline=fits indices=reset list-flag=set",
    "workers=32 stall=no old-commands=forget reset-victims=ring seed=7",
];

const LOAD: &str = "modprobe apple_raid && \
    for i in $(seq 200); do [ -b /dev/sda -a -b /dev/sdb ] && break; sleep 0.05; done";

/// Commands of all lengths, by entries and by lists, on both volumes at a time.
const FIO: &str = "fio --output-format=terse --direct=1 --ioengine=libaio --rw=randrw \
    --bsrange=512-1m --blockalign=512 --iodepth=32 --size=4m --io_size=8m --verify=crc32c \
    --verify_fatal=1 --allow_file_create=0 --name=a --filename=/dev/sda --name=b \
    --filename=/dev/sdb >/dev/null";

/// What is short enough to come in the response, and a restart in between.
const SHORT: &str = "sg_readcap /dev/sg0 && sg_inq /dev/sg1 && sg_luns /dev/sg0 && \
    sg_reset --host --no-esc /dev/sg0 && sg_readcap /dev/sg1";

/// Reads the marks that were written through the card before, and writes new ones: behind what
/// fio writes, 512 bytes of text each.
fn marks(n: usize) -> String {
    let io = "bs=512 seek=20000 count=1 conv=sync status=none oflag=direct";
    format!(
        "for d in a b; do dd if=/dev/sd$d bs=512 skip=20000 count=1 iflag=direct status=none | tr -d '\\0'; \
         echo \"${{d}}{n};\" | dd of=/dev/sd$d {io}; done"
    )
}

#[test]
fn many_cards_and_two_volumes() {
    let vm = two_volumes().no_load().boot().unwrap();
    let mut written = String::new();
    for (n, settings) in CARDS.iter().enumerate() {
        println!("{settings}");
        another_card(&vm, settings);
        let all = format!(
            "{LOAD} && {} && ({FIO} && {SHORT}) >/dev/null && rmmod apple_raid",
            marks(n)
        );
        assert_eq!(ok_within(&vm, 60, &all), written, "before {settings:?}");
        written = format!("a{n};\nb{n};\n");
        let report = vm.twin().report();
        assert_eq!(report.protocol_errors, 0, "{settings:?}: {report:?}");
        inline(&vm, settings);
    }
    ends_clean(vm);
}

/// Data came in the response only where that is so of the card.
fn inline(vm: &Vm, settings: &str) {
    let report = vm.twin().reset_report();
    assert_eq!(
        report.inline > 0,
        !settings.contains("inline=never"),
        "{settings:?}: {report:?}"
    );
}

/// LUN 0 is the card's own unit, which is no disk; the volumes come behind it.
#[test]
fn a_card_with_a_unit_of_its_own() {
    let vm = two_volumes().twin("lun0=card").boot().unwrap();
    crate::common::disks_appear(&vm);
    let units = ok(
        &vm,
        "lsscsi | sed 's/^.\\([0-9:]*\\). *\\([a-z]*\\) .*/\\1 \\2/'",
    );
    let kinds: Vec<&str> = units.lines().collect();
    assert_eq!(kinds, ["0:0:0:0 storage", "0:0:0:1 disk", "0:0:0:2 disk"]);
    ok_within(&vm, 60, FIO);
    // It has something to say nevertheless.
    ok(&vm, "sg_turs /dev/sg0 || sg_turs /dev/sg0");
    ok(&vm, "sg_inq /dev/sg0 && sg_vpd --page=di /dev/sg0");
    ends_clean(vm);
}

/// The bit of byte 1 that lists want is found out, and said once.
#[test]
fn what_a_list_wants_is_found_out() {
    let vm = two_volumes().no_load().boot().unwrap();
    for (flag, lines) in [("clear", 0), ("set", 1), ("any", 0)] {
        another_card(&vm, &format!("list-flag={flag}"));
        ok(&vm, &format!("dmesg -C; {LOAD}"));
        let log = ok(&vm, "dmesg");
        assert_eq!(
            log.matches("bit 0 of byte 1").count(),
            lines,
            "{flag}: {log}"
        );
        ok(&vm, "rmmod apple_raid");
        let report = vm.twin().report();
        assert_eq!(report.protocol_errors, 0, "{flag}: {report:?}");
    }
    ends_clean(vm);
}

/// The cost of the check before trust: some twenty commands, well under a second.
#[test]
fn the_check_costs_little() {
    let vm = two_volumes().boot().unwrap();
    let report = vm.twin().report();
    assert_eq!(report.handshakes, 1);
    let cost = ok(
        &vm,
        "dmesg | sed -n 's/.*checked by \\([0-9]*\\) commands in \\([0-9]*\\) ms/\\1 \\2/p'",
    );
    let numbers: Vec<u64> = cost
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    let [commands, milliseconds] = numbers[..] else {
        panic!("{cost:?}");
    };
    assert!((15..40).contains(&commands), "{commands} commands");
    assert!(
        vm.within(1).as_millis() > milliseconds.into(),
        "{milliseconds} ms"
    );
    ends_clean(vm);
}

/// What the card says of itself is in sysfs.
#[test]
fn the_card_is_shown_in_sysfs() {
    let vm = two_volumes().boot().unwrap();
    for (name, value) in [
        ("controller_state", "enabled"),
        ("product_name", "Apple RAID Card"),
        ("controller_id", "0x008a0001"),
        ("firmware_version", "0x00010403"),
    ] {
        assert_eq!(attribute(&vm, name), value, "{name}");
    }
    let refused: u64 = attribute(&vm, "refused_commands").parse().unwrap();
    // ATA PASS-THROUGH, as hdparm and smartctl send it.
    ok(
        &vm,
        "sg_raw -r 512 /dev/sg0 85 08 0e 00 00 00 01 00 00 00 00 00 00 00 ec 00; \
         sg_raw -r 512 /dev/sg0 a1 08 0e 01 00 00 00 00 00 ec 00 00; true",
    );
    assert_eq!(
        attribute(&vm, "refused_commands"),
        (refused + 2).to_string()
    );
    // Of what a user provokes, and udev did at boot, there is no line, unless the kernel prints
    // debug messages.
    let log = ok(&vm, "dmesg | grep 'apple_raid [0-9]'");
    let (refused, rest): (Vec<&str>, Vec<&str>) =
        log.lines().partition(|line| line.contains("refused CDB"));
    let is_debug = vm.flavour() == Flavour::Debug;
    assert_eq!(!refused.is_empty(), is_debug, "{log}");
    // How the check went, and that the card is ready.
    assert_eq!(rest.len(), 2, "{log}");
    ends_clean(vm);
}
