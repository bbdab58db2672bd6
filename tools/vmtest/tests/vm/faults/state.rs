// SPDX-License-Identifier: GPL-2.0

//! The controller's state changes while the card is in use.

use std::time::Duration;

use super::{BOTH, Bed};
use crate::common::{attribute, ok, ok_within};

const READ: &str = "dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct status=none";

/// Commands wait as long as the controller is not enabled, and then go on.
#[test]
fn commands_wait_for_the_controller() {
    let bed = Bed::boot();
    for fault in ["state-flip:100x3@300", "state-flip:200x2@600 same-state:20"] {
        bed.faults(fault, 1);
        let load = bed.load(BOTH, 1);
        println!("{fault}");
        assert!(bed.struck("state-flip") > 0, "{fault}");
        assert_eq!(load.errors, 0, "{fault}: {load:?}");
        let report = bed.vm.twin().report();
        assert_eq!(report.handshakes, 0, "{fault}: {report:?}");
        assert_eq!(report.protocol_errors, 0, "{fault}: {report:?}");
    }
    bed.works("state-flip");
    assert_eq!(attribute(&bed.vm, "controller_state"), "enabled");
    bed.ends();
}

/// A firmware that has died takes its disks along: one line, and all commands end.
#[test]
fn dead_firmware_takes_the_host_offline() {
    let bed = Bed::boot();
    bed.forget();
    bed.faults("state-fatal:100x1", 1);
    let load = bed.load(BOTH, 1);
    assert!(load.errors > 0, "{load:?}");
    assert_eq!(bed.lines_with("its disks are lost"), 1);
    assert!(bed.says("firmware has died"));
    assert_eq!(attribute(&bed.vm, "controller_state"), "fatal");
    ok_within(&bed.vm, 5, &format!("! {READ} 2>/dev/null"));
    // A reset does not bring it back, and does not wait for it.
    ok_within(
        &bed.vm,
        20,
        "! sg_reset --host --no-esc /dev/sg0 2>/dev/null",
    );
    bed.replace("state-fatal");
    bed.works("state-fatal");
    bed.ends();
}

/// A controller that is not enabled any more, and has commands: one times out, and a restart helps.
#[test]
#[ignore = "left to make check-all"]
fn a_controller_that_keeps_commands() {
    let bed = Bed::boot();
    bed.faults("state-flip:50x1@600000", 1);
    let load = bed.load(BOTH, 1);
    assert_eq!(load.errors, 0, "{load:?}");
    assert_eq!(bed.vm.twin().report().handshakes, 1);
    bed.works("state-flip");
    bed.ends();
}

/// One that has none is given up after two minutes.
#[test]
#[ignore = "takes three minutes"]
fn a_controller_that_stays_away() {
    let bed = Bed::boot();
    bed.forget();
    bed.vm.twin().enable(false);
    ok_within(&bed.vm, 180, &format!("! {READ} 2>/dev/null"));
    assert!(bed.says("the card is not enabled any more"));
    bed.vm.twin().enable(true);
    ok(
        &bed.vm,
        &format!("sg_reset --host --no-esc /dev/sg0 && {READ}"),
    );
    bed.works("a controller that is enabled again");
    bed.ends();
}

/// One that does not come up after a restart is waited for; unbinding the driver waits no longer.
#[test]
#[ignore = "takes three minutes"]
fn a_restart_that_waits_in_vain() {
    let bed = Bed::boot();
    for fault in [
        "never-enabled:1x1",
        "silent-handshake:1x1",
        "garbled-ready:1x1",
    ] {
        bed.faults(fault, 1);
        let reset = "sg_reset --host --no-esc /dev/sg0";
        let failed = bed.vm.spawn(reset).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        // The other commands wait, and end.
        ok_within(&bed.vm, 200, &format!("! {READ} 2>/dev/null"));
        assert_ne!(failed.wait(bed.vm.within(200)).unwrap().status, 0);
        assert!(bed.says("not ready within 120 s"), "{fault}");
        assert!(bed.says("did not come back"), "{fault}");
        ok(&bed.vm, &format!("{reset} && {READ}"));
    }
    bed.works("never-enabled");
    bed.ends();
}
