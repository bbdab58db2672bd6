// SPDX-License-Identifier: GPL-2.0

//! What was written is what is read: under load, and across a power cut.

use crate::common::{ends_clean, ok, ok_within, two_volumes};

#[test]
fn twenty_thousand_verified_io_on_two_luns() {
    let vm = two_volumes().boot().unwrap();
    let kilobytes = vm.repetitions(40 << 10);
    let log = "dmesg --level=emerg,alert,crit,err,warn | wc -l";
    let before = ok(&vm, log);
    for depth in [1, 32] {
        let out = ok_within(
            &vm,
            400,
            &format!(
                "fio --output-format=json --direct=1 --ioengine=libaio --rw=randrw --bs=4k \
                 --iodepth={depth} --size={kilobytes}k --verify=crc32c --verify_fatal=1 --group_reporting \
                 --name=a --filename=/dev/sda --name=b --filename=/dev/sdb >/tmp/fio.json && \
                 python3 -c \"import json; j = json.load(open('/tmp/fio.json'))['jobs']; \
                 print(sum(x['read']['total_ios'] + x['write']['total_ios'] for x in j), \
                 sum(x['error'] for x in j))\""
            ),
        );
        let numbers: Vec<u64> = out.split_whitespace().map(|n| n.parse().unwrap()).collect();
        assert!(
            numbers[0] >= vm.repetitions(20_000),
            "only {} I/Os",
            numbers[0]
        );
        assert_eq!(numbers[1], 0);
    }
    assert_eq!(ok(&vm, log), before, "something stands in the kernel log");
    ends_clean(vm);
}

/// Writes a mebibyte of a letter to a place.
fn write(letter: char, at: u32, how: &str) -> String {
    format!(
        "head -c 1M /dev/zero | tr '\\0' {letter} | \
         dd of=/dev/sda bs=1M seek={at} iflag=fullblock status=none {how}"
    )
}

fn letters(at: u32) -> String {
    format!("dd if=/dev/sda bs=1M skip={at} count=1 status=none iflag=direct | tr -s A-Z")
}

#[test]
fn a_power_cut_takes_what_was_not_flushed() {
    let vm = two_volumes().boot().unwrap();
    ok(&vm, &write('A', 0, "oflag=direct conv=fsync"));
    ok(&vm, &write('K', 1, "oflag=direct conv=fsync"));
    ok(&vm, &write('F', 2, "oflag=direct,dsync"));
    // Last, because a flush is one for the whole volume.
    ok(&vm, &write('B', 0, "oflag=direct"));
    assert_eq!(ok(&vm, &letters(0)), "B", "the cache is not read through");

    vm.twin().power_cut();
    vm.reset().unwrap();
    vm.load_driver().unwrap();

    assert_eq!(ok(&vm, &letters(0)), "A", "not flushed, but kept");
    assert_eq!(ok(&vm, &letters(1)), "K", "flushed by fsync, but lost");
    assert_eq!(ok(&vm, &letters(2)), "F", "written through, but lost");
    ends_clean(vm);
}
