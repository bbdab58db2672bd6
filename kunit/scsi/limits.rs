// SPDX-License-Identifier: GPL-2.0

//! Which limits a host may state.

#[kernel::prelude::kunit_tests(rust_scsi_limits)]
mod tests {
    use super::super::super::Limits;
    use kernel::page::PAGE_SIZE;

    const PAGE: u32 = PAGE_SIZE as u32;

    /// A host that can do hardly anything.
    const TIGHT: Limits = Limits {
        can_queue: 1,
        cmd_per_lun: 1,
        sg_tablesize: 1,
        max_segment_size: PAGE,
        max_sectors: PAGE / 512,
        dma_alignment: 0,
        no_write_same: true,
        ..Limits::DEFAULT
    };

    #[test]
    fn good_ones() {
        let good = [
            TIGHT,
            Limits {
                can_queue: u16::MAX,
                cmd_per_lun: 64,
                max_lun: u64::MAX,
                ..TIGHT
            },
            Limits {
                max_segment_size: u32::MAX,
                sg_tablesize: u16::MAX,
                ..TIGHT
            },
            // As pvscsi and mptsas have them.
            Limits {
                max_sectors: 0xffff,
                sg_tablesize: 128,
                ..TIGHT
            },
            Limits {
                max_sectors: 8192,
                sg_tablesize: 40,
                ..TIGHT
            },
            // 1 MiB in single pages.
            Limits {
                max_sectors: 2048,
                sg_tablesize: 256,
                ..TIGHT
            },
            Limits {
                dma_alignment: 3,
                ..TIGHT
            },
            Limits {
                dma_alignment: 511,
                ..TIGHT
            },
            Limits {
                dma_alignment: PAGE - 1,
                max_channel: 255,
                ..TIGHT
            },
            Limits {
                dma_boundary: PAGE_SIZE - 1,
                ..TIGHT
            },
            Limits {
                dma_boundary: usize::MAX,
                ..TIGHT
            },
            Limits {
                nr_hw_queues: 8,
                host_tagset: true,
                this_id: Some(7),
                max_id: 16,
                max_channel: 1,
                ..TIGHT
            },
            Limits::DEFAULT,
        ];
        for limits in good {
            assert!(limits.check().is_ok());
        }
    }

    #[test]
    fn bad_ones() {
        let bad = [
            Limits {
                can_queue: 0,
                ..TIGHT
            },
            Limits {
                cmd_per_lun: 0,
                ..TIGHT
            },
            Limits {
                max_lun: 0,
                ..TIGHT
            },
            Limits {
                max_sectors: 0,
                ..TIGHT
            },
            Limits {
                sg_tablesize: 0,
                ..TIGHT
            },
            // A page must be a segment.
            Limits {
                max_segment_size: PAGE - 1,
                sg_tablesize: u16::MAX,
                ..TIGHT
            },
            Limits {
                max_segment_size: 0,
                ..TIGHT
            },
            // A page must be a transfer, and can be aligned.
            Limits {
                max_sectors: PAGE / 512 - 1,
                ..TIGHT
            },
            Limits {
                dma_alignment: 2 * PAGE - 1,
                ..TIGHT
            },
            Limits {
                dma_alignment: u32::MAX,
                ..TIGHT
            },
            // The midlayer would count to it, for ever.
            Limits {
                max_channel: u32::MAX,
                ..TIGHT
            },
            // Not masks.
            Limits {
                dma_alignment: 1 << 9,
                ..TIGHT
            },
            Limits {
                dma_alignment: 5,
                ..TIGHT
            },
            Limits {
                dma_boundary: 0xfff_0000,
                ..TIGHT
            },
            Limits {
                dma_boundary: 511,
                ..TIGHT
            },
            Limits {
                cmd_per_lun: 1 << 15,
                ..TIGHT
            },
            Limits {
                nr_hw_queues: 0,
                ..TIGHT
            },
            Limits { max_id: 0, ..TIGHT },
            Limits {
                max_cdb_len: 0,
                ..TIGHT
            },
            Limits {
                this_id: Some(u32::MAX),
                ..TIGHT
            },
        ];
        for limits in bad {
            assert!(limits.check().is_err());
        }
    }
}
