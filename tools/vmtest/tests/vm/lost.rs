// SPDX-License-Identifier: GPL-2.0

//! What is lost hangs nothing: a lost interrupt costs a timeout, a card that does not answer a
//! restart.

use crate::common::{disks_appear, driver_log, ends_clean, ok, ok_within, succeeded, two_volumes};

/// The card's address in the guest.
const CARD: &str = "$(lspci -D -d 106b:008a | cut -d' ' -f1)";

const SHORT_TIMEOUT: &str = "for d in /sys/block/sd?/device; do echo 2 >$d/timeout; done";

const WRITE: &str = "head -c 1M /dev/zero | tr '\\0' L | \
    dd of=/dev/sda bs=64k iflag=fullblock oflag=direct status=none";
const READ: &str = "dd if=/dev/sda bs=1M count=1 iflag=direct status=none | tr -s A-Z";

#[test]
#[ignore = "left to make check-all"]
fn a_lost_interrupt() {
    let vm = two_volumes().boot().unwrap();
    ok(&vm, SHORT_TIMEOUT);
    vm.twin().hold_interrupts(true);
    let job = vm.spawn(&format!("{WRITE}; {READ}")).unwrap();
    let out = job.wait(vm.within(120)).unwrap();
    vm.twin().hold_interrupts(false);

    assert_eq!(succeeded(out, "write and read without interrupts"), "L");
    let log = driver_log(&vm);
    assert!(
        !log.contains("restarting") && !log.contains("abort"),
        "{log}"
    );
    let report = vm.twin().report();
    // One was sent by the check at load.
    assert_eq!((report.tasks, report.handshakes), (1, 1), "{report:?}");
    ends_clean(vm);
}

#[test]
#[ignore = "left to make check-all"]
fn one_lost_interrupt_costs_one_timeout() {
    let vm = two_volumes().boot().unwrap();
    ok(&vm, SHORT_TIMEOUT);
    let timeouts = "cat /sys/block/sda/device/iotmo_cnt";
    let read = "dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct status=none";
    vm.twin().lose_interrupts(1);
    ok(&vm, read);
    assert_eq!(ok(&vm, timeouts), "0x1\n");
    for _ in 0..10 {
        ok(&vm, read);
    }
    assert_eq!(ok(&vm, timeouts), "0x1\n");
    ends_clean(vm);
}

/// A card that is not bus master cannot fetch the command, nor what is to end it: all of that is
/// lost, and only a restart helps.
#[test]
fn a_card_that_does_not_answer() {
    let vm = two_volumes().boot().unwrap();
    disks_appear(&vm);
    ok(&vm, SHORT_TIMEOUT);
    ok(&vm, &format!("setpci -s {CARD} COMMAND=0:4"));
    let job = vm.spawn(&format!("{WRITE} && {READ}")).unwrap();
    let out = job.wait(vm.within(60)).unwrap();

    assert_eq!(succeeded(out, "write and read across a restart"), "L");
    let log = driver_log(&vm);
    assert_eq!(log.matches("the card is back").count(), 1, "{log}");
    assert!(vm.twin().report().dma_blocked > 0);
    assert_eq!(vm.twin().report().handshakes, 2);
    ends_clean(vm);
}

#[test]
#[ignore = "left to make check-all"]
fn a_card_that_is_gone() {
    let vm = two_volumes().boot().unwrap();
    ok(&vm, SHORT_TIMEOUT);
    vm.twin().play_dead(true);
    // The lost command is the first LUN's, but the other one must not wait either.
    let both = "for d in a b; do dd if=/dev/sd$d of=/dev/null bs=64k count=1 iflag=direct & done; \
        wait; echo done";
    let job = vm.spawn(both).unwrap();
    let out = job.wait(vm.within(20)).unwrap();
    assert_eq!(out.stdout_text(), "done\n");
    assert_eq!(out.stderr_text().matches("error reading").count(), 2);

    let log = driver_log(&vm);
    assert_eq!(log.matches("its disks are lost").count(), 1, "{log}");
    ok_within(
        &vm,
        60,
        "dd if=/dev/sdb of=/dev/null bs=64k count=1 iflag=direct; rmmod apple_raid",
    );

    vm.twin().play_dead(false);
    vm.load_driver().unwrap();
    disks_appear(&vm);
    ok(&vm, "dd if=/dev/sdb of=/dev/null bs=64k count=1");
    ends_clean(vm);
}
