// SPDX-License-Identifier: GPL-2.0

//! Guests of different sizes: bus addresses whose top byte is 0x00, 0x01 and 0x02, as on the real
//! machine (O).

use std::collections::BTreeSet;

use crate::common::{ends_clean, ok, ok_within};
use vmtest::{Vm, VolumeSpec};

const FIO: &str = "fio --name=verify --filename=/dev/sda --direct=1 --ioengine=libaio \
    --rw=randrw --bsrange=512-1m --blockalign=512 --iodepth=64 \
    --size=128m --verify=crc32c --verify_fatal=1 --output-format=terse";

/// Top bytes of the addresses at which blocks were read and written.
pub fn top_bytes(lines: &[String]) -> BTreeSet<u8> {
    let mut bytes = BTreeSet::new();
    for line in lines {
        let data = line.contains(" entry ")
            || line.contains(" slot ") && (line.contains("READ-") || line.contains("WRITE-"));
        if !data {
            continue;
        }
        for word in line.split(' ') {
            if let Some(address) = word.strip_prefix("addr=0x") {
                bytes.insert((u64::from_str_radix(address, 16).unwrap() >> 32) as u8);
            }
        }
    }
    bytes
}

fn guest_with(memory: u64) -> Vm {
    Vm::builder()
        .memory(memory)
        .volume(VolumeSpec::Size(1 << 30))
        .trace()
        .boot()
        .unwrap()
}

/// Verified I/O; gives the top bytes of the addresses that the card saw.
fn verified_io(vm: &Vm) -> BTreeSet<u8> {
    let before = vm.twin().trace().mark();
    ok_within(vm, 200, FIO);
    top_bytes(&vm.twin().trace().since(before))
}

#[test]
#[ignore = "left to make check-all"]
fn half_a_gibibyte() {
    let vm = guest_with(512 << 20);
    assert_eq!(verified_io(&vm), BTreeSet::from([0]));
    ends_clean(vm);
}

#[test]
fn four_gibibytes() {
    let vm = guest_with(4 << 30);
    let seen = verified_io(&vm);
    assert!(seen.contains(&1) && !seen.contains(&2), "{seen:?}");
    ends_clean(vm);
}

#[test]
#[ignore = "left to make check-all"]
fn seven_gibibytes() {
    let vm = guest_with(7 << 30);
    let mut seen = verified_io(&vm);
    ok(
        &vm,
        "mkdir -p /tmp/fill && mount -t tmpfs -o size=100% none /tmp/fill",
    );
    // The kernel takes the upper end of its memory last: fill the rest until it has to.
    for step in 0..24 {
        if seen.contains(&2) {
            break;
        }
        ok_within(
            &vm,
            100,
            &format!("head -c 256M /dev/zero >/tmp/fill/{step}"),
        );
        seen.extend(verified_io(&vm));
    }
    assert!(seen.contains(&1) && seen.contains(&2), "{seen:?}");
    ok(&vm, "umount /tmp/fill");
    ends_clean(vm);
}
