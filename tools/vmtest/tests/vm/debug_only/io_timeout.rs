// SPDX-License-Identifier: GPL-2.0

//! Completions that the block layer loses on purpose (fail_io_timeout): the card has ended the
//! command, the driver has handed it back, and the midlayer has not heard of it. Its timeout finds
//! a command that nobody has.

use crate::common::{disks_appear, driver_log, ends_clean, ok, ok_within, two_volumes};
use vmtest::Flavour;

#[test]
fn completions_that_the_block_layer_loses() {
    let vm = two_volumes().kernel(Flavour::Debug).boot().unwrap();
    disks_appear(&vm);
    ok(
        &vm,
        "for d in sda sdb; do echo 1 >/sys/block/$d/device/timeout; \
         echo 1 >/sys/block/$d/io-timeout-fail; done; cd /sys/kernel/debug/fail_io_timeout && \
         echo 0 >verbose && echo 10 >probability && echo 8 >times",
    );
    ok_within(
        &vm,
        60,
        "fio --name=a --filename=/dev/sda --direct=1 --ioengine=libaio --rw=randrw --bs=16k \
         --iodepth=8 --size=4m --verify=crc32c --verify_fatal=1 --allow_file_create=0 \
         --output-format=terse",
    );
    assert_eq!(
        ok(&vm, "cat /sys/kernel/debug/fail_io_timeout/times"),
        "0\n"
    );
    let log = driver_log(&vm);
    assert!(
        !log.contains("restarting") && !log.contains("I/O error"),
        "{log}"
    );
    assert_eq!(vm.twin().report().handshakes, 1);
    ends_clean(vm);
}
