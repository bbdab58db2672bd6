// SPDX-License-Identifier: GPL-2.0

//! The card on other buses than a plain PCI Express port: behind a bridge to conventional PCI
//! (which has no extended configuration space, and whose own id the DMA carries), and with an
//! IOMMU that passes everything through.

use crate::common::{ends_clean, ok_within, two_volumes};
use vmtest::{Builder, Iommu};

fn verified_io(builder: Builder) {
    let vm = builder.boot().unwrap();
    ok_within(
        &vm,
        200,
        "fio --name=verify --filename=/dev/sda --direct=1 --ioengine=libaio --rw=randrw \
         --bsrange=512-256k --blockalign=512 --iodepth=16 --size=32m --verify=crc32c \
         --verify_fatal=1 --output-format=terse && sg_inq /dev/sg1",
    );
    ends_clean(vm);
}

#[test]
fn behind_a_bridge_with_a_strict_iommu() {
    verified_io(two_volumes().behind_bridge().iommu(Iommu::Strict));
}

#[test]
fn with_an_iommu_that_passes_through() {
    verified_io(two_volumes().iommu(Iommu::Passthrough).memory(7 << 30));
}
