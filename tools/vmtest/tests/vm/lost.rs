// SPDX-License-Identifier: GPL-2.0

//! A command that is lost hangs nothing: a lost interrupt costs a timeout, a lost command a
//! restart of the card.

use crate::common::{
    disks_appear, driver_log, ends_clean, ok, ok_within, succeeded, two_volumes, wait_for,
};

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
    assert!(!log.contains("restarting"), "{log}");
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

#[test]
fn a_lost_command() {
    let vm = two_volumes().boot().unwrap();
    ok(&vm, SHORT_TIMEOUT);
    // A card that is not bus master cannot fetch the command: it is lost.
    ok(&vm, &format!("setpci -s {CARD} COMMAND=0:4"));
    let job = vm.spawn(&format!("{WRITE} && {READ}")).unwrap();
    wait_for(&vm, "dmesg | grep -q 'the card is back'");
    let out = job.wait(vm.within(60)).unwrap();

    assert_eq!(succeeded(out, "write and read across a restart"), "L");
    assert!(vm.twin().report().dma_blocked > 0);
    assert_eq!(vm.twin().report().handshakes, 3);
    ends_clean(vm);
}

#[test]
fn resets_that_users_ask_for_under_load() {
    let vm = two_volumes().boot().unwrap();
    let load = "fio --name=load --filename=/dev/sdb --direct=1 --ioengine=libaio --rw=randrw \
        --bs=16k --iodepth=16 --size=256m --verify=crc32c --verify_fatal=1 \
        --output-format=terse";
    let job = vm.spawn(load).unwrap();
    // Two at a time, so that one resets while the other has let commands in again.
    let resets = "for i in 1 2 3; do sleep 0.5; sg_reset --host --no-esc /dev/sg0; done & \
        for i in 1 2 3; do sleep 0.5; sg_reset --host --no-esc /dev/sg1; done; wait";
    ok(&vm, resets);
    assert!(!job.is_done(), "the load did not last");
    succeeded(job.wait(vm.within(300)).unwrap(), load);
    // The midlayer turns some of those away that come while another is under way.
    assert!(vm.twin().report().handshakes >= 5);
    // All bounce buffers are there: each of these needs one.
    ok(
        &vm,
        "for i in $(seq 20); do sg_inq /dev/sg0 >/dev/null & done; wait",
    );
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
    let out = job.wait(vm.within(120)).unwrap();
    assert_eq!(out.stdout_text(), "done\n");
    assert_eq!(out.stderr_text().matches("error reading").count(), 2);

    let log = driver_log(&vm);
    assert!(log.contains("did not come back"), "{log}");
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
