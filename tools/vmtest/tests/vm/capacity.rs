// SPDX-License-Identifier: GPL-2.0

//! What the driver learns of the length of blocks, from commands that anybody may send.

use crate::common::{attribute, ends_clean, ok, two_volumes};
use vmtest::Vm;

const READ_ONE_BLOCK: &str = "sg_raw -r 512 /dev/sg0 28 00 00 00 00 00 00 00 01 00 >/dev/null 2>&1";

fn blocks_can_be_read(vm: &Vm) {
    ok(vm, READ_ONE_BLOCK);
    ok(
        vm,
        "dd if=/dev/sda of=/dev/null bs=64k count=1 iflag=direct status=none",
    );
}

#[test]
fn answers_that_say_nothing_are_not_believed() {
    let vm = two_volumes().boot().unwrap();
    blocks_can_be_read(&vm);
    for nothing in [
        // READ CAPACITY(16) with an allocation length in which the block length has no room
        "sg_raw -r 8 /dev/sg0 9e 10 00 00 00 00 00 00 00 00 00 00 00 08 00 00",
        "sg_raw -r 11 /dev/sg0 9e 10 00 00 00 00 00 00 00 00 00 00 00 0b 00 00",
        // READ CAPACITY(10) with an address but no PMI: CHECK CONDITION
        "sg_raw -r 8 /dev/sg0 25 00 00 00 00 01 00 00 00 00",
        // A unit that is stopped: CHECK CONDITION, too
        "sg_start --stop /dev/sg0; sg_raw -r 8 /dev/sg0 25 00 00 00 00 00 00 00 00 00; \
         sg_start --start /dev/sg0",
    ] {
        vm.exec(nothing).unwrap();
        blocks_can_be_read(&vm);
    }
    ends_clean(vm);
}

#[test]
fn without_the_capacity_no_blocks_are_read() {
    let vm = two_volumes().no_load().boot().unwrap();
    ok(&vm, "rmmod sd_mod; modprobe apple_raid; modprobe sg");
    let refused = vm.exec(READ_ONE_BLOCK).unwrap();
    assert_ne!(refused.status, 0);
    assert_eq!(attribute(&vm, "refused_commands"), "1");

    // The first answer is the unit attention of power-on.
    ok(&vm, "sg_readcap /dev/sg0 || sg_readcap /dev/sg0");
    ok(&vm, READ_ONE_BLOCK);
    ends_clean(vm);
}
