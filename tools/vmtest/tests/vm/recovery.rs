// SPDX-License-Identifier: GPL-2.0

//! The recovery from an error on the bus, step by step, by vmtest_recovery.c: what waits, what ends
//! it, and what becomes of commands. power.rs has the real thing.

use std::time::{Duration, Instant};

use crate::common::{disks_appear, driver_log, ends_clean, ok, ok_within, succeeded, two_volumes};
use crate::load::{end, goes_on, load};
use apple_raid_twin::Volume;
use vmtest::{Job, Vm};

const CALL: &str = "/sys/module/vmtest_recovery/parameters/call";
const DRIVER: &str = "/sys/bus/pci/drivers/apple_raid";
const CARD: &str = "$(lspci -D -d 106b:008a | cut -d' ' -f1)";

const READ: &str = "dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct status=none";
const RESET: &str = "sg_reset --host --no-esc /dev/sg0";

fn boot() -> Vm {
    let vm = two_volumes().boot().unwrap();
    ok(&vm, "modprobe vmtest_recovery");
    vm
}

/// Calls an error handler of the driver; gives its answer.
fn call(vm: &Vm, handler: &str) -> String {
    ok_within(vm, 60, &format!("echo {handler} >{CALL} && cat {CALL}"))
        .trim_end()
        .to_owned()
}

/// Nothing happens to it.
fn waits(job: &Job<'_>) {
    std::thread::sleep(Duration::from_secs(2));
    assert!(!job.is_done(), "it did not wait");
}

/// The card answers a command, whose interrupt does not come; then `between`. How often the command
/// was submitted until it ended well. (After a handshake the driver tries the card by one.)
fn submitted(vm: &Vm, between: &[(&str, &str)]) -> u64 {
    let before = vm.twin().report();
    vm.twin().hold_interrupts(true);
    let read = vm.spawn(READ).unwrap();
    let begin = Instant::now();
    while vm.twin().report().completed == before.completed {
        assert!(begin.elapsed() < Duration::from_secs(20), "no answer");
        std::thread::sleep(Duration::from_millis(10));
    }
    for (handler, answer) in between {
        assert_eq!(call(vm, handler), *answer, "{handler}");
        vm.twin().hold_interrupts(false);
    }
    succeeded(read.wait(vm.within(20)).unwrap(), READ);
    let after = vm.twin().report();
    after.submitted - before.submitted - (after.handshakes - before.handshakes)
}

/// An answer that is in memory counts, but not if memory may lack what the card wrote before.
#[test]
fn answers_before_an_error_are_not_trusted() {
    let vm = boot();
    let reset = [("reset_prepare", ""), ("reset_done", "")];
    assert_eq!(submitted(&vm, &reset), 1);
    for state in ["normal", "frozen"] {
        let error = [
            (state, "need_reset"),
            ("slot_reset", "recovered"),
            ("resume", ""),
        ];
        assert_eq!(submitted(&vm, &error), 2, "{state}");
    }
    ends_clean(vm);
}

/// The card comes back with `slot_reset`, and is used again with `resume`; who wanted to reset it
/// meanwhile gets no other reset.
#[test]
fn commands_and_resets_wait_for_the_end() {
    let vm = boot();
    assert_eq!(call(&vm, "frozen"), "need_reset");
    let reset = vm.spawn(RESET).unwrap();
    waits(&reset);
    let read = vm.spawn(READ).unwrap();
    assert_eq!(call(&vm, "slot_reset"), "recovered");
    assert_eq!(vm.twin().report().handshakes, 2);
    let before = vm.twin().report().submitted;
    waits(&read);
    assert!(!reset.is_done());
    assert_eq!(vm.twin().report().submitted, before);
    call(&vm, "resume");
    succeeded(read.wait(vm.within(20)).unwrap(), READ);
    succeeded(reset.wait(vm.within(20)).unwrap(), RESET);
    assert_eq!(vm.twin().report().handshakes, 2);
    ends_clean(vm);
}

/// The function is reset while the recovery is under way, before the card is up and after.
#[test]
fn a_reset_in_the_middle() {
    let vm = boot();
    let job = load(&vm);
    call(&vm, "frozen");
    call(&vm, "reset_prepare");
    call(&vm, "reset_done");
    assert_eq!(vm.twin().report().handshakes, 1);
    assert_eq!(call(&vm, "slot_reset"), "recovered");
    assert_eq!(vm.twin().report().handshakes, 2);
    call(&vm, "reset_prepare");
    call(&vm, "reset_done");
    assert_eq!(vm.twin().report().handshakes, 2);
    call(&vm, "resume");
    assert_eq!(vm.twin().report().handshakes, 3);
    goes_on(&vm, &job);
    end(&vm, job);
    ends_clean(vm);
}

/// The callbacks of hibernation, under load: commands wait in between. A guest that hibernates as a
/// whole would lose its root, which comes by virtio-9p.
#[test]
fn hibernation_step_by_step() {
    let vm = boot();
    let job = load(&vm);
    for (n, [stop, start]) in (1..).zip([["freeze", "thaw"], ["poweroff", "restore"]]) {
        call(&vm, stop);
        let before = vm.twin().report();
        let read = vm.spawn(READ).unwrap();
        waits(&read);
        assert_eq!(vm.twin().report().submitted, before.submitted, "{stop}");
        call(&vm, start);
        succeeded(read.wait(vm.within(20)).unwrap(), READ);
        assert_eq!(vm.twin().report().handshakes, 1 + n, "{start}");
        goes_on(&vm, &job);
    }
    end(&vm, job);
    ends_clean(vm);
}

/// What waits for the end of the recovery does not keep the driver from being unbound.
#[test]
fn unbind_while_quiesced() {
    let vm = boot();
    let job = load(&vm);
    call(&vm, "frozen");
    let reset = vm.spawn(RESET).unwrap();
    waits(&reset);
    ok_within(&vm, 20, &format!("echo {CARD} >{DRIVER}/unbind"));
    assert_ne!(reset.wait(vm.within(20)).unwrap().status, 0);
    assert_ne!(job.wait(vm.within(20)).unwrap().status, 0);

    ok(&vm, &format!("echo {CARD} >{DRIVER}/bind"));
    disks_appear(&vm);
    // The recovery goes on with a driver that has not heard of its beginning.
    assert_eq!(call(&vm, "slot_reset"), "recovered");
    call(&vm, "resume");
    ok(&vm, READ);
    ends_clean(vm);
}

/// Nor does a rescan that waits for it keep the system from going down.
#[test]
fn reboot_while_quiesced() {
    let vm = boot();
    // The flush of a write cache would wait, too, where it holds nobody up but sd.
    ok(
        &vm,
        "for type in /sys/class/scsi_disk/*/cache_type; do \
         echo temporary write through >$type; done",
    );
    let volume = Volume::temporary(64 << 20).unwrap();
    vm.twin().target().add_volume(2, volume).unwrap();
    // The card says so with the next command; the rescan begins a second later.
    ok(&vm, &format!("{READ} && echo frozen >{CALL}"));
    std::thread::sleep(vm.within(3));
    vm.reboot().unwrap();

    vm.load_driver().unwrap();
    disks_appear(&vm);
    ends_clean(vm);
}

/// Both in case it is used, and in case it is quiesced already.
#[test]
fn a_permanent_failure() {
    for before in [None, Some("frozen")] {
        let vm = boot();
        let job = load(&vm);
        let reset = before.map(|handler| {
            call(&vm, handler);
            let reset = vm.spawn(RESET).unwrap();
            waits(&reset);
            reset
        });
        assert_eq!(call(&vm, "failure"), "disconnect");
        assert_ne!(job.wait(vm.within(20)).unwrap().status, 0);
        if let Some(reset) = reset {
            assert_ne!(reset.wait(vm.within(20)).unwrap().status, 0);
        }
        // Nothing brings it back.
        assert_eq!(call(&vm, "slot_reset"), "disconnect");
        call(&vm, "resume");
        assert_eq!(vm.twin().report().handshakes, 1);
        assert_ne!(vm.exec(READ).unwrap().status, 0);
        ok_within(&vm, 20, &format!("echo {CARD} >{DRIVER}/unbind"));
        ok(&vm, &format!("echo {CARD} >{DRIVER}/bind"));
        disks_appear(&vm);
        ok(&vm, READ);
        ends_clean(vm);
    }
}

/// A card that does not come back: nobody waits for a `resume`.
#[test]
fn lost_in_an_error() {
    let vm = boot();
    let job = load(&vm);
    call(&vm, "frozen");
    vm.twin().play_dead(true);
    let reset = vm.spawn(RESET).unwrap();
    waits(&reset);
    assert_eq!(call(&vm, "slot_reset"), "disconnect");
    assert_ne!(job.wait(vm.within(20)).unwrap().status, 0);
    assert_ne!(reset.wait(vm.within(20)).unwrap().status, 0);
    let log = driver_log(&vm);
    assert_eq!(log.matches("did not come back").count(), 1, "{log}");
    assert_eq!(call(&vm, "failure"), "disconnect");
    ok_within(&vm, 60, &format!("echo {CARD} >{DRIVER}/unbind"));

    vm.twin().play_dead(false);
    ok(&vm, &format!("echo {CARD} >{DRIVER}/bind"));
    disks_appear(&vm);
    ok(&vm, READ);
    ends_clean(vm);
}
