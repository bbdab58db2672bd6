// SPDX-License-Identifier: GPL-2.0

//! What is written to a disk is what is read, whatever the size; what is too long for
//! one command is refused.

use std::time::Duration;

use crate::common::{Unit, ends_clean, ok, ok_within, unit};
use vmtest::{Vm, VolumeSpec};

/// The sizes that an earlier driver for the card broke down at, and their like.
const SIZES: &str = "512,64K,128K,512K,768K,2M,10M,1G";

#[test]
#[ignore = "left to make check-all"]
fn sizes_and_limits() {
    let vm = Vm::builder()
        .volume(VolumeSpec::Size(2 << 30))
        .exec_limit(Duration::from_secs(900))
        .boot()
        .unwrap();
    all_sizes_read_back_what_was_written(&vm);
    single_commands_do_up_to_the_limit(&vm);
    ends_clean(vm);
}

/// Buffers need not lie on a boundary of 512 bytes: 8 are enough, and what they are not at is copied.
#[test]
fn buffers_of_any_alignment() {
    let vm = Vm::builder().boot().unwrap();
    let disk = unit(&vm, 0).disk;
    for align in [8, 256, 4096] {
        let fio = format!(
            "fio --name=a --filename={disk} --direct=1 --iomem_align={align} --ioengine=libaio \
             --rw=randrw --bsrange=512-256k --blockalign=512 --iodepth=16 --size=16m \
             --verify=crc32c --verify_fatal=1 --output-format=terse >/dev/null"
        );
        ok_within(&vm, 60, &fio);
    }
    let queue = format!("/sys/block/{}/queue", disk.trim_start_matches("/dev/"));
    assert_eq!(ok(&vm, &format!("cat {queue}/dma_alignment")), "7\n");
    assert_eq!(ok(&vm, &format!("cat {queue}/max_segments")), "257\n");
    assert_eq!(ok(&vm, &format!("cat {queue}/max_hw_sectors_kb")), "1024\n");
    ends_clean(vm);
}

fn all_sizes_read_back_what_was_written(vm: &Vm) {
    let blkio = vm.guest_tool("blkio").unwrap();
    let text = ok(vm, &format!("{blkio} --sizes {SIZES} {}", unit(vm, 0).disk));
    let same = text.lines().filter(|line| line.ends_with(": the same"));
    assert_eq!(same.count(), 2 * SIZES.split(',').count());
}

fn single_commands_do_up_to_the_limit(vm: &Vm) {
    let sgio = vm.guest_tool("sgio").unwrap();
    let Unit { disk, generic } = unit(vm, 0);
    for allow_dio in [0, 1] {
        let set = format!("echo {allow_dio} >/sys/module/sg/parameters/allow_dio");
        ok(vm, &format!("{set}; {sgio} limits {generic}"));
    }
    let text = ok(vm, &format!("{sgio} limits {disk}"));
    assert!(text.contains("the host's limit is 1M"), "{text}");
}
