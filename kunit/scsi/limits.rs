// SPDX-License-Identifier: GPL-2.0

//! Which limits a host may state.

#[kernel::prelude::kunit_tests(rust_scsi_limits)]
mod tests {
    use super::super::{
        super::Limits,
        ensure,
        holds, //
    };
    use kernel::{
        dma::DmaMask,
        page::PAGE_SIZE, //
    };

    const PAGE: u32 = PAGE_SIZE as u32;

    /// Limits at the very edge: 8 pages, which can lie in 9.
    const TIGHT: Limits = Limits {
        can_queue: 1,
        cmd_per_lun: 1,
        sg_tablesize: 9,
        max_segment_size: PAGE,
        max_sectors: 8 * PAGE / 512,
        dma_alignment: 0,
        dma_mask: DmaMask::new::<32>(),
        max_lun: 1,
        max_cdb_len: 16,
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
            Limits {
                max_sectors: 1,
                sg_tablesize: 2,
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
                dma_alignment: u32::MAX,
                ..TIGHT
            },
        ];
        for limits in good {
            assert!(limits.check().is_ok());
        }
        assert_eq!(TIGHT.max_transfer(), 8 * u64::from(PAGE));
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
            // One segment less, one sector more.
            Limits {
                sg_tablesize: 8,
                ..TIGHT
            },
            Limits {
                max_sectors: 8 * PAGE / 512 + 1,
                ..TIGHT
            },
            Limits {
                sg_tablesize: 0,
                max_segment_size: u32::MAX,
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
            // More than can be counted.
            Limits {
                max_sectors: u32::MAX,
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
        ];
        for limits in bad {
            assert!(limits.check().is_err());
        }
    }

    /// The worst that user space can hand in: a buffer of single pages that begins and ends inside
    /// of a page.
    #[test]
    fn every_buffer_that_is_admitted_fits() {
        assert!(holds(50_000, |any| {
            let limits = Limits {
                sg_tablesize: any.below(40) as u16,
                max_segment_size: PAGE * any.below(4) + any.below(2) * any.below(PAGE),
                max_sectors: any.below(40) * PAGE / 512 + any.below(2) * any.below(8),
                dma_alignment: any.pick(&[0, 3, 511]),
                ..TIGHT
            };
            if limits.check().is_err() {
                return Ok(());
            }
            let (start, len) = (any.below(PAGE), 1 + any.below(limits.max_sectors * 512));
            let pages = (start + len).div_ceil(PAGE);
            ensure(pages <= limits.sg_tablesize.into(), (limits, start, len))
        }));
    }
}
