// SPDX-License-Identifier: GPL-2.0

//! From the segments of a buffer to entries for the card.

#[kernel::prelude::kunit_tests(apple_raid_segments)]
mod tests {
    use crate::{
        transfer::{
            covered,
            entries,
            tail_of, //
        },
        wire::Entry,
        LIMITS,
    };
    use kernel::prelude::*;

    const TAIL: u64 = 0x1799_d1d8;

    /// The entries of some segments, given by address and length.
    fn listed(segments: &[(u64, u32)]) -> Result<KVec<Entry>> {
        let mut list = KVec::new();
        entries(segments.iter().copied(), TAIL, |entry| {
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
        let whole = listed(&[(0x8000, 4096)])?;
        assert_eq!(whole[..], [entry(0x8000, 4096)?]);
        for rest in 1..8 {
            let short = listed(&[(0x8000, rest)])?;
            assert_eq!(short[..], [entry(TAIL, 8)?]);
            let long = listed(&[(0x9000, 4096), (0x8000, 64 + rest)])?;
            let expected = [entry(0x9000, 4096)?, entry(0x8000, 64)?, entry(TAIL, 8)?];
            assert_eq!(long[..], expected);
        }
        Ok(())
    }

    /// Nothing but the last segment may end within a unit of the card's, and none may begin there.
    #[test]
    fn what_the_card_cannot_be_told() {
        for segments in [
            &[(0x8004, 4096)][..],
            &[(0x8000, 4093), (0x9000, 4096)],
            &[(1 << 40, 8)],
            &[(0x8000, LIMITS.max_segment_size + 8)],
            &[],
        ] {
            assert!(listed(segments).is_err());
        }
    }

    #[test]
    fn a_bounce_buffer_is_described_in_whole_units() {
        for len in 1..=64 {
            assert_eq!(covered(len) % 8, 0);
            assert!(covered(len) >= len && covered(len) < len + 8);
            assert_eq!((tail_of(len) == 0), (covered(len) == len));
        }
    }
}
