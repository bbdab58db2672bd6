// SPDX-License-Identifier: GPL-2.0

//! Cards that differ in what is only assumed of the card: the driver finds out at load, and all of
//! them keep two volumes whole.
//!
//! The volumes stay as the cards change, so what was written through one card is read through the
//! next. A mark on each tells one volume from the other.

use std::fmt::Display;

use crate::common::{another_card, driver_log, ends_clean, ok, ok_within, two_volumes};
use crate::load;
use apple_raid_twin::Volume;
use vmtest::{Iommu, Vm};

/// How many cards.
const CARDS: u64 = 40;

/// Random numbers (SplitMix64): the same in every run.
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.number() % choices.len() as u64) as usize]
    }
}

/// A card, by its settings, and what the driver has to find out of it.
struct Personality {
    stride: u32,
    unit: u32,
    lun: &'static str,
    doorbell: &'static str,
    bits: u32,
    ring: &'static str,
    overrun: u32,
    length_from: &'static str,
    delay: u32,
    commands: u32,
    mailbox: &'static str,
}

impl Personality {
    fn random(random: &mut Random) -> Self {
        Self {
            stride: random.pick(&[32, 64, 128, 256, 512]),
            unit: random.pick(&[8, 64]),
            lun: random.pick(&["u32", "u16"]),
            doorbell: random.pick(&["counter", "constant"]),
            bits: random.pick(&[24, 16]),
            ring: random.pick(&["none", "tag16", "tag32"]),
            overrun: random.pick(&[0, 1, 4, 64, 509, 512, 3000, 6000]),
            length_from: random.pick(&["cdb", "descriptor"]),
            delay: random.pick(&[0, 20, 300]),
            commands: random.pick(&[1, 2, 3, 60, 128, 128, 200]),
            mailbox: random.pick(&["0x174", "0x200", "0xffffe"]),
        }
    }

    fn settings(&self) -> String {
        format!(
            "response-stride={} list-unit={} lun-encoding={} doorbell={} entry-count={} ring={} \
             overrun={} length-from={} bring-up-delay={} commands={} mailbox={}",
            self.stride,
            self.unit,
            self.lun,
            self.doorbell,
            self.bits,
            self.ring,
            self.overrun,
            self.length_from,
            self.delay,
            self.commands,
            self.mailbox
        )
    }

    /// What stands in debugfs is what the card is.
    fn check(&self, table: &str) {
        let has = |name: &str, value: &dyn Display, usual: bool| {
            let evidence = if usual { "confirmed" } else { "learned" };
            let line = format!("{evidence:<10} {name:<18} {value}");
            let found = table.lines().any(|found| found == line);
            assert!(found, "{line:?} is not in\n{table}{}", self.settings());
        };
        // Where there is but one tag, there is no distance of two; nor does the card number
        // its submissions in any other way.
        if self.commands > 1 {
            has("response stride", &self.stride, self.stride == 64);
        }
        has("list unit", &self.unit, self.unit == 64);
        let counts = self.doorbell == "counter";
        let kind = if counts { "Counter" } else { "Constant" };
        has("doorbell", &kind, counts);
        has("LUN", &self.lun.to_uppercase(), self.lun == "u32");
        has("bytes behind data", &self.overrun, self.overrun == 0);
        has("entry count bits", &self.bits, self.bits == 24);
        let ring = match self.ring {
            "none" => "None",
            "tag16" => "Tag16",
            _ => "Tag32",
        };
        has("ring", &ring, self.ring == "tag32");
    }
}

const TABLE: &str = "cat /sys/kernel/debug/apple_raid-*/model";

const LOAD: &str = "modprobe apple_raid && \
    for i in $(seq 200); do [ -b /dev/sda -a -b /dev/sdb ] && break; sleep 0.05; done";

/// Commands of all lengths, by entries and by lists, on both volumes at a time.
const FIO: &str = "fio --output-format=terse --direct=1 --ioengine=libaio --rw=randrw \
    --bsrange=512-1m --blockalign=512 --iodepth=32 --size=4m --io_size=8m --verify=crc32c \
    --verify_fatal=1 --allow_file_create=0 --name=a --filename=/dev/sda --name=b \
    --filename=/dev/sdb >/dev/null";

/// Reads the marks that were written through the card before, and writes new ones: behind what
/// fio writes, 512 bytes of text each.
fn marks(n: u64) -> String {
    let io = "bs=512 seek=20000 count=1 conv=sync status=none oflag=direct";
    format!(
        "for d in a b; do dd if=/dev/sd$d bs=512 skip=20000 count=1 iflag=direct status=none | tr -d '\\0'; \
         echo \"${{d}}{n};\" | dd of=/dev/sd$d {io}; done"
    )
}

#[test]
#[ignore = "left to make check-all"]
fn forty_cards_and_two_volumes() {
    let vm = two_volumes().no_load().boot().unwrap();
    let mut random = Random(5);
    let mut written = String::new();
    for n in 0..vm.repetitions(CARDS) {
        let card = Personality::random(&mut random);
        println!("{n}: {}", card.settings());
        another_card(&vm, &card.settings());
        let all = format!(
            "{LOAD} && {TABLE} && echo == && {} && {FIO} && rmmod apple_raid",
            marks(n)
        );
        let text = ok_within(&vm, 60, &all);
        let (table, read) = text.split_once("==\n").unwrap();
        card.check(table);
        assert_eq!(read, written, "what the card before wrote");
        written = format!("a{n};\nb{n};\n");
    }
    ends_clean(vm);
}

/// The driver has eight bounce buffers; where nothing was seen behind data, each has 4 KiB more.
const BOUNCE_BUFFERS: u64 = 8;
const LEAST_MARGIN: u64 = 4 * 1024;

/// Behind each bounce buffer there is room for more than the card was seen to write there: it shows
/// in what is mapped. And the card is refused nothing.
#[test]
#[ignore = "left to make check-all"]
fn the_room_behind_data_is_what_the_card_needs() {
    let vm = two_volumes().iommu(Iommu::Strict).no_load().boot().unwrap();
    let sgio = vm.guest_tool("sgio").unwrap();
    let mut usual = 0;
    for overrun in [0, 512, 3000, 6000, 8192] {
        another_card(&vm, &format!("overrun={overrun}"));
        // Disks are looked at in the background. Then nothing is mapped but for good.
        ok(&vm, &format!("{LOAD}; sleep {}", vm.within(2).as_secs()));
        let mapped = vm.twin().mapped();
        println!("overrun={overrun}: {mapped} bytes are mapped");
        if overrun == 0 {
            usual = mapped;
        }
        let room = mapped.saturating_sub(usual) / BOUNCE_BUFFERS + LEAST_MARGIN;
        assert!(room >= 2 * overrun, "{room} bytes for {overrun}");
        ok_within(&vm, 60, &format!("{sgio} sweep --most 9 /dev/sg0 /dev/sda"));
        ok(&vm, "rmmod apple_raid");
    }
    ends_clean(vm);
}

/// The cost of all checks, on the reference card.
#[test]
fn the_checks_cost_little() {
    let vm = two_volumes().boot().unwrap();
    let report = vm.twin().report();
    // One for the checks, one to begin.
    assert_eq!(report.handshakes, 2);
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
    assert!((300..400).contains(&commands), "{commands} commands");
    assert!(report.submitted >= commands);
    assert!(
        vm.within(2).as_millis() > milliseconds.into(),
        "{milliseconds} ms"
    );
    ends_clean(vm);
}

/// A card with memory above 4 GiB and no unit at all, or LUN 0 alone. How another one is named is
/// found out when there is one, without anybody's help; LUN 0 is in use meanwhile.
#[test]
fn what_appears_later_is_seen_then() {
    let vm = Vm::builder().memory(5 << 30).no_load().boot().unwrap();
    let twin = vm.twin().clone();
    let volume = || Volume::temporary(1 << 30).unwrap();
    twin.target().remove_volume(0).unwrap();
    let load_and_unload = "modprobe apple_raid && ls /sys/class/scsi_host && rmmod apple_raid";
    assert_eq!(ok(&vm, load_and_unload), "host0\n");

    twin.target().add_volume(0, volume()).unwrap();
    for (encoding, line) in [
        ("u32", "confirmed  LUN                U32\n"),
        ("u16", "learned    LUN                U16\n"),
    ] {
        another_card(&vm, &format!("lun-encoding={encoding}"));
        ok(&vm, "dmesg --clear && modprobe apple_raid");
        let table = ok(&vm, TABLE);
        assert!(
            table.contains("confirmed  address bits       36\n"),
            "{table}"
        );
        // There is but LUN 0, which every card takes alike.
        assert!(
            table.contains("assumed    LUN                U32\n"),
            "{table}"
        );
        wait_for_disk(&vm, "/dev/sda");
        let job = load::load_on(&vm, "/dev/sda");
        twin.reset_report();
        twin.target().add_volume(3, volume()).unwrap();
        wait_for_disk(&vm, "/dev/sdb");
        // One for the check, one to go on.
        assert_eq!(twin.report().handshakes, 2);
        let table = ok(&vm, TABLE);
        assert!(table.contains(line), "{table}");
        ok(
            &vm,
            "dd if=/dev/urandom of=/dev/sdb bs=1M count=4 oflag=direct status=none && \
             ! cmp -s -n 4M /dev/sda /dev/sdb",
        );
        load::end(&vm, job);
        let log = driver_log(&vm);
        assert!(
            log.contains("LUN 3: how the card names it is not known yet"),
            "{log}"
        );
        ok(&vm, "rmmod apple_raid");
        twin.target().remove_volume(3).unwrap();
    }
    ends_clean(vm);
}

/// A card that is gone is not restarted again and again to find out how it names units.
#[test]
#[ignore = "left to make check-all"]
fn what_is_gone_is_not_asked() {
    let vm = Vm::builder().boot().unwrap();
    wait_for_disk(&vm, "/dev/sda");
    let scan = "echo '- - -' >/sys/class/scsi_host/host0/scan; \
        echo '0 0 1' >/sys/class/scsi_host/host0/scan; sleep 4";
    let restarts = "dmesg | grep -c 'restarting the card' || true";
    vm.twin().play_dead(true);
    ok(&vm, "! sg_reset --host /dev/sg0");
    ok_within(&vm, 60, scan);
    assert_eq!(ok(&vm, restarts), "1\n");
    ok_within(&vm, 60, "rmmod apple_raid && dmesg --clear");
    vm.twin().play_dead(false);
    vm.load_driver().unwrap();
    wait_for_disk(&vm, "/dev/sda");
    // Where there is none, it is tried three times.
    for _ in 0..4 {
        ok_within(&vm, 60, scan);
    }
    assert_eq!(ok(&vm, restarts), "3\n");
    ok(&vm, "dd if=/dev/sda of=/dev/null bs=64k count=1");
    ends_clean(vm);
}

fn wait_for_disk(vm: &Vm, disk: &str) {
    let wait = format!("for i in $(seq 100); do [ -b {disk} ] && exit 0; sleep 0.1; done; exit 1");
    ok(vm, &wait);
}
