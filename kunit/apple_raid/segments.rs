// SPDX-License-Identifier: GPL-2.0

//! The tail hazard: whichever segments a buffer has, the card writes no junk into memory that is
//! not meant for it.

#[kernel::prelude::kunit_tests(apple_raid_segments)]
mod tests {
    use crate::{
        model::CardModel,
        scsi::kunit::{
            ensure,
            holds,
            Generator, //
        },
        transfer::{
            aligned,
            route,
            Plan,
            Refusal,
            Way,
            BOUNCE_MAX,
            BOUNDARY, //
        },
        wire::Entry,
    };
    use kernel::prelude::*;

    /// Address and length.
    type Segment = (u64, u32);

    /// Highest bus address, and one more: the card's window (P).
    const WINDOW: u64 = 1 << 36;

    /// Any segment that the host's limits admit, were it not for its alignment.
    fn any_segment(any: &mut Generator, alignment: u64) -> Segment {
        let len = match any.below(4) {
            0 => 1 + any.below(4096),
            1 => 512 * (1 + any.below(8)),
            2 => 4096,
            _ => 1 + any.below(CardModel::MAX_SEGMENT_SIZE),
        };
        let address = any.any_u64() % (WINDOW - u64::from(CardModel::MAX_SEGMENT_SIZE));
        let mask = alignment - 1;
        // CAST: The length fits into 32 bits.
        let len = (u64::from(len) + mask & !mask).min(CardModel::MAX_SEGMENT_SIZE.into()) as u32;
        (address & !mask, len)
    }

    /// Any list of segments: most often all of them are aligned, or all but one.
    fn any_segments(any: &mut Generator) -> Result<KVec<Segment>> {
        let most = any.pick(&[1, 2, 8, CardModel::MAX_SEGMENTS.into()]);
        let count = 1 + any.below(most);
        let odd_one = any.coin().then(|| any.below(count));
        let alignment = any.pick(&[512, 512, 512, 4096, 4, 1]);
        let mut segments = KVec::with_capacity(count as usize, GFP_KERNEL)?;
        for n in 0..count {
            let alignment = match odd_one {
                Some(odd) if odd == n => any.pick(&[1, 4, 256]),
                _ => alignment,
            };
            segments.push(any_segment(any, alignment), GFP_KERNEL)?;
        }
        Ok(segments)
    }

    /// Where the card may write junk: behind a segment that does not end on a boundary. One that
    /// does not begin on one ends inside of a unit of the card's, too.
    fn invites_junk((address, len): Segment) -> bool {
        address % u64::from(BOUNDARY) != 0 || (address + u64::from(len)) % u64::from(BOUNDARY) != 0
    }

    #[test]
    fn only_segments_without_junk_behind_them_go_directly() {
        let (mut direct, mut bounced, mut refused) = (0, 0, 0);
        assert!(holds(20_000, |any| {
            let Ok(segments) = any_segments(any) else {
                return Err((KVec::new(), Err(Refusal::TooLong)));
            };
            let len = segments
                .iter()
                .fold(0u32, |sum, (_, len)| sum.saturating_add(*len));
            let way = if any.coin() { Way::In } else { Way::Out };
            let route = route(way, len, segments.iter().copied());
            let junk = segments.iter().any(|&segment| invites_junk(segment));
            let right = match route {
                Ok(Plan::Direct(to)) => {
                    direct += 1;
                    !junk && to == way
                }
                // All of it, and what the card writes behind it is the driver's.
                Ok(Plan::Bounce(to, bounce)) => {
                    bounced += 1;
                    junk && to == way && bounce == len && bounce <= BOUNCE_MAX
                }
                Ok(Plan::NoData) => false,
                Err(refusal) => {
                    refused += 1;
                    junk && len > BOUNCE_MAX && refusal == Refusal::TooLong
                }
            };
            ensure(right, (segments, route))
        }));
        assert!(direct > 1_000);
        assert!(bounced > 1_000);
        assert!(refused > 1_000);
    }

    /// One segment that is not aligned spoils all, wherever it is.
    #[test]
    fn one_odd_segment_anywhere() -> Result {
        let count = CardModel::MAX_SEGMENTS.into();
        let mut segments = KVec::with_capacity(count, GFP_KERNEL)?;
        for n in 0..count {
            segments.push((n as u64 * 4096, 512), GFP_KERNEL)?;
        }
        let route = |segments: &[Segment]| route(Way::In, 4096, segments.iter().copied());
        assert_eq!(route(&segments), Ok(Plan::Direct(Way::In)));
        let bounce = Ok(Plan::Bounce(Way::In, 4096));
        for n in 0..count {
            for odd in [(256, 512), (0, 508), (0, 1), (1, 511), (512, 13)] {
                let even = core::mem::replace(&mut segments[n], odd);
                assert_eq!(route(&segments), bounce);
                segments[n] = even;
            }
        }
        Ok(())
    }

    #[test]
    fn every_address_and_length_around_a_boundary() {
        for address in 0x1000..0x1000 + 2 * u64::from(BOUNDARY) {
            for len in 1..=2 * BOUNDARY {
                assert_eq!(aligned(address, len), !invites_junk((address, len)));
            }
        }
        assert!(aligned(WINDOW - 512, 512));
        assert!(!aligned(WINDOW - 511, 511));
    }

    /// What goes directly can be told to the card, with the length as it is.
    #[test]
    fn aligned_segments_can_be_described() {
        assert!(holds(20_000, |any| {
            let (address, len) = any_segment(any, 512);
            let words = Entry::new(address, len).map(|entry| {
                let [.., a, b, c] = entry.to_bytes();
                u32::from_be_bytes([0, a, b, c])
            });
            ensure(words == Some(len / 4), (address, len, words))
        }));
    }

    #[test]
    fn bounced_data_can_be_described() {
        for len in 1..=BOUNCE_MAX {
            let entry = Entry::new(
                WINDOW - u64::from(BOUNCE_MAX + CardModel::LEAST_MARGIN),
                len,
            );
            assert!(entry.is_some());
            // A length that is rounded up to words ends in the margin.
            assert!(len.div_ceil(4) * 4 <= BOUNCE_MAX + CardModel::LEAST_MARGIN);
        }
    }
}
