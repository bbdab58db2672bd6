// SPDX-License-Identifier: GPL-2.0

//! From the segments of a buffer to entries for the card.

#[kernel::prelude::kunit_tests(apple_raid_segments)]
mod tests {
    use crate::{
        cdb::Way,
        transfer::Transfer,
        wire::Entry,
        LIMITS, //
    };
    use kernel::prelude::*;

    const OWN: u64 = 0x1799_d1d8;
    const SINK: u64 = 0x2000_0000;

    /// The entries of data-in of `len` bytes in some segments, given by address and length.
    fn listed(len: u32, segments: &[(u64, u32)]) -> Result<KVec<Entry>> {
        let shared = len.min(segments.iter().map(|(_, len)| len).sum());
        let transfer = Transfer {
            way: Way::In,
            len,
            straight: shared - shared % 8,
            own: shared % 8,
        };
        let mut list = KVec::new();
        transfer
            .entries(segments.iter().copied(), OWN, SINK, |entry| {
                list.push(entry, GFP_KERNEL).ok()
            })
            .ok_or(EINVAL)?;
        Ok(list)
    }

    fn entry(address: u64, len: u32) -> Result<Entry> {
        Entry::new(address, len).ok_or(EINVAL)
    }

    #[test]
    fn last_bytes_travel_through_the_tail() -> Result {
        let whole = listed(4096, &[(0x8000, 4096)])?;
        assert_eq!(whole[..], [entry(0x8000, 4096)?]);
        for rest in 1..8 {
            let short = listed(rest, &[(0x8000, rest)])?;
            assert_eq!(short[..], [entry(OWN, 8)?]);
            let long = listed(4160 + rest, &[(0x9000, 4096), (0x8000, 64 + rest)])?;
            let expected = [entry(0x9000, 4096)?, entry(0x8000, 64)?, entry(OWN, 8)?];
            assert_eq!(long[..], expected);
        }
        Ok(())
    }

    #[test]
    fn buffers_that_are_shorter_or_longer() -> Result {
        let cut = listed(20, &[(0x8000, 16), (0x9000, 16), (0xa000, 16)])?;
        assert_eq!(cut[..], [entry(0x8000, 16)?, entry(OWN, 8)?]);
        let shorter = listed(36, &[(0x8000, 13)])?;
        let expected = [entry(0x8000, 8)?, entry(OWN, 8)?, entry(SINK, 24)?];
        assert_eq!(shorter[..], expected);
        let none = listed(36, &[])?;
        assert_eq!(none[..], [entry(SINK, 40)?]);
        Ok(())
    }

    /// Nothing but the end of the buffer may lie within a unit of the card's.
    #[test]
    fn what_the_card_cannot_be_told() {
        for segments in [
            &[(0x8004, 4096)][..],
            &[(0x8000, 4093), (0x9000, 4096)],
            &[(1 << 40, 8)],
            &[(0x8000, LIMITS.max_segment_size + 8)],
        ] {
            let len = segments.iter().map(|(_, len)| len).sum();
            assert!(listed(len, segments).is_err());
        }
    }
}
