// SPDX-License-Identifier: GPL-2.0

//! The card is pulled out: its registers read as all ones, and nothing comes from it any more.

use super::{BOTH, Bed};
use crate::common::ok_within;

#[test]
fn gone_at_every_stage() {
    let bed = Bed::boot();

    bed.unload("nothing");
    bed.faults("gone-at-probe", 1);
    ok_within(&bed.vm, 60, "modprobe apple_raid; [ ! -e /dev/sda ]");
    assert!(bed.says("the card is gone"));
    is_gone(&bed, "gone-at-probe");

    bed.faults("gone-idle:@10", 1);
    std::thread::sleep(bed.vm.within(1));
    all_commands_end(&bed);
    is_gone(&bed, "gone-idle");

    bed.faults("gone-under-load:200", 1);
    all_commands_end(&bed);
    is_gone(&bed, "gone-under-load");

    bed.faults("lost-command:200x1 gone-in-error-handling", 1);
    all_commands_end(&bed);
    is_gone(&bed, "gone-in-error-handling");

    bed.faults("gone-in-remove", 1);
    is_gone(&bed, "gone-in-remove");

    bed.ends();
}

fn all_commands_end(bed: &Bed) {
    bed.forget();
    let load = bed.load(BOTH, 1);
    assert!(load.errors > 0, "{load:?}");
    // Once for all of them.
    assert!(bed.lines_with("its disks are lost") >= 1);
}

/// The driver goes without the card, and comes with another.
fn is_gone(bed: &Bed, fault: &str) {
    bed.unload(fault);
    assert_eq!(bed.struck(fault), 1, "{fault} did not strike");
    assert!(bed.vm.twin().is_dead());
    bed.vm.twin().set_faults("none", 0).unwrap();
    bed.vm.twin().play_dead(false);
    bed.vm.load_driver().unwrap();
    crate::common::disks_appear(&bed.vm);
    bed.short_timeouts();
    bed.works(fault);
}
