// SPDX-License-Identifier: GPL-2.0

//! The card on other buses than a plain PCI Express port: behind a bridge to conventional PCI
//! (which has no extended configuration space, and whose own id the DMA carries), and with other
//! ways from memory to a bus address: an IOMMU that passes everything through, one that uses all
//! of the card's 36 bits, and bounce buffers.

use std::collections::BTreeSet;

use crate::common::{ends_clean, ok, ok_within, two_volumes};
use crate::memory::top_bytes;
use vmtest::{Builder, Flavour, Iommu, Vm, VolumeSpec};

fn verified_io(builder: Builder) {
    let vm = builder.boot().unwrap();
    verify(&vm);
    ends_clean(vm);
}

fn verify(vm: &Vm) {
    ok_within(
        vm,
        200,
        "fio --name=verify --filename=/dev/sda --direct=1 --ioengine=libaio --rw=randrw \
         --bsrange=512-256k --blockalign=512 --iodepth=16 --size=32m --verify=crc32c \
         --verify_fatal=1 --output-format=terse && sg_inq /dev/sg1",
    );
}

#[test]
fn behind_a_bridge_with_a_strict_iommu() {
    verified_io(two_volumes().behind_bridge().iommu(Iommu::Strict));
}

#[test]
fn with_an_iommu_that_passes_through() {
    verified_io(two_volumes().iommu(Iommu::Passthrough).memory(7 << 30));
}

/// The uppermost addresses that the mask allows come first, but for those below 4 GiB that memory
/// of the checks had, and that are used again. The twin refuses those above.
#[test]
fn up_to_the_last_of_36_bits() {
    let vm = two_volumes()
        .iommu(Iommu::Strict)
        .memory(7 << 30)
        .append("iommu.forcedac=1")
        .trace()
        .boot()
        .unwrap();
    let before = vm.twin().trace().mark();
    verify(&vm);
    let seen = top_bytes(&vm.twin().trace().since(before));
    assert!(seen.contains(&0xf), "{seen:x?}");
    assert!(seen.is_subset(&BTreeSet::from([0, 0xf])), "{seen:x?}");
    ends_clean(vm);
}

/// The most that the bounce buffers of the DMA layer ever held, in slots of 2 KiB, on a kernel that
/// keeps track of that.
fn bounced(vm: &Vm) -> u64 {
    let most = ok(vm, "cat /sys/kernel/debug/swiotlb/io_tlb_used_hiwater");
    most.trim().parse().unwrap()
}

#[test]
fn with_every_transfer_bounced() {
    let vm = two_volumes()
        .append("swiotlb=force,track_hiwater")
        .boot()
        .unwrap();
    verify(&vm);
    assert!(bounced(&vm) > 0);
    ends_clean(vm);
}

/// Memory that lies where the card cannot reach it. It is plugged in, which the debug kernel does
/// not know.
#[test]
fn with_memory_above_64_gib() {
    let vm = Vm::builder()
        .kernel(Flavour::Stock)
        .memory(1 << 30)
        .high_memory(1 << 30)
        .volume(VolumeSpec::Size(1 << 30))
        .volume(VolumeSpec::Size(1 << 30))
        .append("swiotlb=track_hiwater")
        .trace()
        .boot()
        .unwrap();
    ok(
        &vm,
        "for block in /sys/devices/system/memory/memory*; do \
         grep -q online $block/state || echo online >$block/state; done; \
         [ $(free -m | awk '/^Mem/ { print $2 }') -gt 1700 ]",
    );
    let before = vm.twin().trace().mark();
    verify(&vm);
    let mut fill = 0;
    // Whichever memory is taken first: some of it is above in the end.
    while bounced(&vm) == 0 && fill < 6 {
        fill += 1;
        ok_within(&vm, 60, &format!("head -c 128M /dev/zero >/dev/shm/{fill}"));
        verify(&vm);
    }
    assert!(bounced(&vm) > 0, "nothing was bounced");
    assert_eq!(
        top_bytes(&vm.twin().trace().since(before)),
        BTreeSet::from([0])
    );
    ends_clean(vm);
}
