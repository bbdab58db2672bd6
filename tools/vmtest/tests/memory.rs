// SPDX-License-Identifier: GPL-2.0

//! Guests of different sizes: bus addresses whose top byte is 0x00, 0x01 and 0x02, as on the real
//! machine (O).

mod common;

use std::collections::BTreeSet;

use common::{ends_clean, ok, ok_within};
use vmtest::{Vm, VolumeSpec};

const FIO: &str = "fio --name=verify --filename=/dev/sda --direct=1 --ioengine=libaio \
    --rw=randrw --bsrange=512-256k --bs_unaligned=0 --blockalign=512 --iodepth=16 \
    --size=64m --verify=crc32c --verify_fatal=1 --output-format=terse";

/// Top bytes of the addresses at which blocks were read and written.
fn top_bytes(lines: &[String]) -> BTreeSet<u8> {
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

/// Fills all memory but the upper end, from which the kernel then has to take what it needs.
fn fill_memory(vm: &Vm, mebibytes: u64) {
    ok_within(
        vm,
        120,
        &format!(
            "mkdir -p /tmp/fill && mount -t tmpfs -o size=100% none /tmp/fill && \
             head -c {mebibytes}M /dev/zero >/tmp/fill/zeros"
        ),
    );
}

fn addresses_of_a_guest_with(memory: u64, fill: Option<u64>) -> BTreeSet<u8> {
    let vm = Vm::builder()
        .memory(memory)
        .volume(VolumeSpec::Size(1 << 30))
        .trace()
        .boot()
        .unwrap();
    let before = vm.twin().trace().mark();
    ok_within(&vm, 120, FIO);
    if let Some(mebibytes) = fill {
        fill_memory(&vm, mebibytes);
        ok_within(&vm, 120, FIO);
    }
    let seen = top_bytes(&vm.twin().trace().since(before));
    ok(&vm, "umount /tmp/fill 2>/dev/null; true");
    ends_clean(vm);
    seen
}

#[test]
fn half_a_gibibyte() {
    assert_eq!(
        addresses_of_a_guest_with(512 << 20, None),
        BTreeSet::from([0])
    );
}

#[test]
fn four_gibibytes() {
    let seen = addresses_of_a_guest_with(4 << 30, None);
    assert!(seen.contains(&1) && !seen.contains(&2), "{seen:?}");
}

#[test]
fn seven_gibibytes() {
    let seen = addresses_of_a_guest_with(7 << 30, Some(4300));
    assert!(seen.contains(&1) && seen.contains(&2), "{seen:?}");
}
