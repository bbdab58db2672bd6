// SPDX-License-Identifier: GPL-2.0

//! What stops the card from outside, under load: a reset of its function, system sleep, an error
//! on the bus, a reboot.

use std::time::{Duration, Instant};

use crate::common::{disks_appear, driver_log, ends_clean, ok, ok_within, two_volumes, wait_for};
use crate::load::{end, goes_on, load};
use apple_raid_twin::Mark;
use serde_json::json;
use vmtest::Vm;

const CARD: &str = "/sys/bus/pci/devices/$(lspci -D -d 106b:008a | cut -d' ' -f1)";

/// Has "mem" be more than an idle machine, if there is more.
const DEEP: &str = "if grep -q deep /sys/power/mem_sleep; then echo deep >/sys/power/mem_sleep; fi";

/// What the guest writes to the card's Command register: memory space and bus master, of which
/// QEMU's reset of the card clears both, the driver only the latter.
const MEMORY: u16 = 1 << 1;
const BUS_MASTER: u16 = 1 << 2;

/// What a line of the trace writes to the Command register.
fn command(line: &str) -> Option<u16> {
    let (_, write) = line.split_once(" config-write off=0x4 ")?;
    let (_, hex) = write.split_once("value=0x")?;
    // The low half, if it is written together with Status.
    Some(u32::from_str_radix(hex, 16).unwrap() as u16)
}

/// What was written to the Command register since then.
fn commands(vm: &Vm, since: Mark) -> Vec<u16> {
    let lines = vm.twin().trace().since(since);
    lines.iter().filter_map(|line| command(line)).collect()
}

#[test]
fn resets_sleep_and_errors() {
    let vm = two_volumes().boot().unwrap();
    ok(
        &vm,
        "echo 1 >/sys/module/suspend/parameters/pm_test_delay; echo platform >/sys/power/pm_test; \
         mkfs.ext4 -q /dev/sda && mount /dev/sda /mnt && seq 100000 >/mnt/seq",
    );
    let job = load(&vm);

    for n in 1..=3 {
        ok(&vm, &format!("echo 1 >{CARD}/reset"));
        assert_eq!(vm.twin().report().handshakes, 1 + n);
        goes_on(&vm, &job);
    }

    vm.twin().trace().record(true);
    // To idle, and then as deep as the machine can.
    for (n, state) in (1..).zip(["freeze", "mem"]) {
        let before = vm.twin().trace().mark();
        ok_within(&vm, 60, &format!("{DEEP}; echo {state} >/sys/power/state"));
        assert_eq!(vm.twin().report().handshakes, 4 + n);
        let first = commands(&vm, before)[0];
        assert_eq!(first & (MEMORY | BUS_MASTER), MEMORY, "{first:#x}");
        goes_on(&vm, &job);
    }
    vm.twin().trace().record(false);

    // An error of the port above the card, after which it resets what is below.
    let inject = "pcie_aer_inject_error card-port DLP";
    vm.qmp()
        .execute("human-monitor-command", json!({ "command-line": inject }))
        .unwrap();
    wait_for(&vm, "dmesg | grep -q 'device recovery successful'");
    assert_eq!(vm.twin().report().handshakes, 7);
    goes_on(&vm, &job);

    end(&vm, job);
    let sum = ok(
        &vm,
        "umount /mnt; fsck.ext4 -fn /dev/sda && mount /dev/sda /mnt && seq 100000 | cmp - /mnt/seq && umount /mnt",
    );
    assert!(!sum.contains("error"), "{sum}");
    let log = driver_log(&vm);
    assert!(!log.contains("I/O error"), "{log}");
    ends_clean(vm);
}

/// A card that is lost while the system sleeps: no command waits for its timeout (30 s).
#[test]
#[ignore = "left to make check-all"]
fn lost_in_sleep() {
    let vm = two_volumes().boot().unwrap();
    ok(
        &vm,
        "echo 2 >/sys/module/suspend/parameters/pm_test_delay; echo platform >/sys/power/pm_test",
    );
    let job = load(&vm);
    vm.twin().trace().record(true);
    let before = vm.twin().trace().mark();
    let sleep = vm.spawn("echo freeze >/sys/power/state").unwrap();
    let begin = Instant::now();
    while commands(&vm, before).is_empty() {
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "the driver does not stop the card"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!sleep.is_done(), "the system is awake again");
    vm.twin().play_dead(true);
    sleep.wait(vm.within(60)).unwrap();
    let out = job.wait(vm.within(20)).unwrap();
    assert_ne!(out.status, 0, "the load went on without a card");
    let log = driver_log(&vm);
    assert_eq!(log.matches("did not come back").count(), 1, "{log}");
    ok_within(&vm, 60, "rmmod apple_raid");

    vm.twin().play_dead(false);
    // If it died before the kernel had saved its configuration, garbage was restored.
    ok(
        &vm,
        &format!("echo 1 >{CARD}/remove && echo 1 >/sys/bus/pci/rescan"),
    );
    vm.load_driver().unwrap();
    disks_appear(&vm);
    ok(&vm, "dd if=/dev/sdb of=/dev/null bs=64k count=1");
    ends_clean(vm);
}

/// By these lines of the trace, disks flushed their caches, commands in flight ended well, and then
/// the driver stopped the card, which did no DMA any more.
pub fn was_stopped(vm: &Vm, lines: &[String]) {
    let stop = lines
        .iter()
        .position(|line| command(line).is_some_and(|bits| bits & (MEMORY | BUS_MASTER) == MEMORY))
        .expect("the driver does not stop the card");
    let (ran, stopped) = lines.split_at(stop);
    assert!(ran.iter().any(|line| line.contains("SYNCHRONIZE-CACHE")));
    let after: Vec<_> = stopped
        .iter()
        .filter(|line| !line.contains(" config-") && !line.contains("map "))
        .collect();
    assert!(after.is_empty(), "{after:#?}");
    let report = vm.twin().report();
    assert_eq!((report.dropped, report.dma_blocked), (0, 0), "{report:?}");
}

#[test]
fn reboot_under_load() {
    // Slow, so that there surely are commands in flight when the disks are shut down.
    let vm = two_volumes().twin("delay-us=20000").boot().unwrap();
    let _ended_by_the_reboot = load(&vm);
    vm.twin().trace().record(true);
    let before = vm.twin().trace().mark();
    vm.reboot().unwrap();

    let lines = vm.twin().trace().since(before);
    let by_qemu = lines.iter().position(|line| line.contains(" reset why="));
    was_stopped(&vm, &lines[..by_qemu.expect("QEMU resets the card")]);

    vm.load_driver().unwrap();
    disks_appear(&vm);
    ends_clean(vm);
}
