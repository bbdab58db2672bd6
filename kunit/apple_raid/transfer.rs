// SPDX-License-Identifier: GPL-2.0

//! How the data of a command travels: the two hazards of the card, for whatever user space sends.

#[kernel::prelude::kunit_tests(apple_raid_transfer)]
mod tests {
    use super::super::inputs::{
        any_buffer,
        any_cdb,
        any_len,
        cdb,
        read10,
        write10, //
    };
    use crate::{
        cdb::{
            self,
            Amount,
            Phase, //
        },
        scsi::kunit::{
            ensure,
            holds, //
        },
        transfer::{
            plan,
            Buffer,
            Plan,
            Refusal,
            Way,
            BOUNCE_MAX,
            BOUNDARY, //
        },
    };
    use core::num::NonZero;

    const BLOCK: Option<NonZero<u32>> = NonZero::new(512);

    #[test]
    fn whole_blocks_that_fit_go_directly() {
        for (blocks, len) in [(1, 512), (8, 4096), (2048, 1 << 20)] {
            let read = plan(&read10(blocks), Buffer::In(len), BLOCK);
            assert_eq!(read, Ok(Plan::Direct(Way::In)));
            let write = plan(&write10(blocks), Buffer::Out(len), BLOCK);
            assert_eq!(write, Ok(Plan::Direct(Way::Out)));
        }
        let either = plan(&read10(1), Buffer::Either(512), BLOCK);
        assert_eq!(either, Ok(Plan::Direct(Way::In)));
    }

    #[test]
    fn cdb_that_wants_more_than_the_buffer_has() {
        // The card never sees the caller's buffer.
        let short = plan(&read10(8), Buffer::In(512), BLOCK);
        assert_eq!(short, Ok(Plan::Bounce(Way::In, 4096)));
        let none = plan(&read10(8), Buffer::None, BLOCK);
        assert_eq!(none, Ok(Plan::Bounce(Way::In, 4096)));
        let long = plan(&read10(u16::MAX), Buffer::In(512), BLOCK);
        assert_eq!(long, Err(Refusal::TooLong));
        // No bytes are invented.
        let write = plan(&write10(8), Buffer::Out(512), BLOCK);
        assert_eq!(write, Err(Refusal::BufferTooShort));
        let nothing = plan(&write10(8), Buffer::None, BLOCK);
        assert_eq!(nothing, Err(Refusal::BufferTooShort));
    }

    #[test]
    fn cdb_that_goes_the_other_way() {
        let read = plan(&read10(1), Buffer::Out(512), BLOCK);
        assert_eq!(read, Err(Refusal::WrongDirection));
        let write = plan(&write10(1), Buffer::In(512), BLOCK);
        assert_eq!(write, Err(Refusal::WrongDirection));
    }

    #[test]
    fn blocks_of_other_lengths() {
        let unknown = plan(&read10(1), Buffer::In(512), None);
        assert_eq!(unknown, Err(Refusal::UnknownBlockLength));
        // None of them need no length.
        assert_eq!(plan(&read10(0), Buffer::None, None), Ok(Plan::NoData));
        let large = plan(&read10(1), Buffer::In(512), NonZero::new(4096));
        assert_eq!(large, Ok(Plan::Bounce(Way::In, 4096)));
        // Blocks that do not end on a boundary are bounced, although the lengths are equal.
        let odd = plan(&read10(1), Buffer::In(520), NonZero::new(520));
        assert_eq!(odd, Ok(Plan::Bounce(Way::In, 520)));
        // More bytes than 32 bits can count.
        let read16 = cdb(&[0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        let overflow = plan(&read16, Buffer::In(512), BLOCK);
        assert_eq!(overflow, Err(Refusal::TooLong));
    }

    #[test]
    fn allocation_lengths_are_bounced() {
        for len in [1, 36, 255, 512, 4096, 0xffff] {
            let [high, low] = u16::to_be_bytes(len);
            let inquiry = cdb(&[0x12, 0, 0, high, low]);
            let expected = Ok(Plan::Bounce(Way::In, len.into()));
            for buffer in [Buffer::In(len.into()), Buffer::In(1 << 20), Buffer::None] {
                assert_eq!(plan(&inquiry, buffer, None), expected);
            }
        }
    }

    #[test]
    fn longest_bounce() {
        let report_luns = |len: u32| {
            let mut cdb = cdb(&[0xa0]);
            cdb[6..10].copy_from_slice(&len.to_be_bytes());
            plan(&cdb, Buffer::In(len), None)
        };
        let longest = Ok(Plan::Bounce(Way::In, BOUNCE_MAX));
        assert_eq!(report_luns(BOUNCE_MAX), longest);
        assert_eq!(report_luns(BOUNCE_MAX + 1), Err(Refusal::TooLong));
        assert_eq!(report_luns(u32::MAX), Err(Refusal::TooLong));
    }

    /// Bytes that a CDB moves, counted without the driver's arithmetic.
    fn moved(phase: Phase, block: u32) -> u64 {
        match phase {
            Phase::None => 0,
            Phase::In(Amount::Bytes(n)) | Phase::Out(Amount::Bytes(n)) => n.into(),
            Phase::In(Amount::Blocks(n)) | Phase::Out(Amount::Blocks(n)) => {
                u64::from(n) * u64::from(block)
            }
        }
    }

    /// Hazard 2: the card moves what the CDB says, to where the plan says. Hazard 1: what it
    /// writes behind that is not the caller's.
    fn is_safe(plan: Plan, phase: Phase, buffer: Buffer, block: u32) -> bool {
        let len = moved(phase, block);
        let (way, readable, writable) = match buffer {
            Buffer::None => (None, 0, 0),
            Buffer::In(len) => (Some(Way::In), 0, len),
            Buffer::Out(len) => (Some(Way::Out), len, 0),
            Buffer::Either(len) => (None, len, len),
        };
        let right_way = |to| way.is_none() || way == Some(to);
        match (plan, phase) {
            (Plan::NoData, _) => len == 0,
            (Plan::Direct(Way::In), Phase::In(Amount::Blocks(_))) => {
                right_way(Way::In) && len == writable.into() && len % u64::from(BOUNDARY) == 0
            }
            (Plan::Direct(Way::Out), Phase::Out(Amount::Blocks(_))) => {
                right_way(Way::Out) && len == readable.into() && len % u64::from(BOUNDARY) == 0
            }
            // The bounce buffer is long enough, and what does not fit the caller's is not copied.
            (Plan::Bounce(Way::In, bounced), Phase::In(_)) => {
                right_way(Way::In) && len == bounced.into() && bounced <= BOUNCE_MAX
            }
            (Plan::Bounce(Way::Out, bounced), Phase::Out(_)) => {
                right_way(Way::Out) && len == bounced.into() && bounced <= BOUNCE_MAX.min(readable)
            }
            _ => false,
        }
    }

    #[test]
    fn no_plan_lets_the_card_out_of_bounds() {
        let mut kinds = [0; 4];
        assert!(holds(100_000, |any| {
            let cdb = any_cdb(any);
            let len = any_len(any);
            let buffer = any_buffer(any, len);
            let block = any.pick(&[512, 512, 520, 4096]);
            let plan = plan(&cdb, buffer, NonZero::new(block));
            let safe = match (plan, cdb::phase(&cdb)) {
                (Ok(plan), Some(phase)) => is_safe(plan, phase, buffer, block),
                (Ok(_), None) => false,
                (Err(refusal), phase) => (refusal == Refusal::UnknownCommand) == phase.is_none(),
            };
            kinds[match plan {
                Ok(Plan::NoData) => 0,
                Ok(Plan::Direct(_)) => 1,
                Ok(Plan::Bounce(..)) => 2,
                Err(_) => 3,
            }] += 1;
            ensure(safe, (cdb, buffer, block, plan))
        }));
        // The inputs are worth something only if they lead everywhere.
        assert!(kinds.iter().all(|&count| count > 0));
    }

    /// CDBs of chance rarely fit their buffer: these do, nearly.
    #[test]
    fn reads_and_writes_around_the_length_of_the_buffer() {
        let mut direct = 0;
        assert!(holds(50_000, |any| {
            let block = any.pick(&[512, 520, 4096]);
            let blocks = any.below(300);
            let len = match any.below(4) {
                0 => (blocks * block + any.below(3)).saturating_sub(1),
                _ => blocks * block,
            };
            // CAST: Below 300.
            let (blocks, buffer) = (blocks as u16, any_buffer(any, len));
            let cdb = if any.coin() {
                read10(blocks)
            } else {
                write10(blocks)
            };
            let plan = plan(&cdb, buffer, NonZero::new(block));
            let safe = match (plan, cdb::phase(&cdb)) {
                (Ok(plan), Some(phase)) => is_safe(plan, phase, buffer, block),
                (Err(refusal), Some(_)) => refusal != Refusal::UnknownCommand,
                (_, None) => false,
            };
            direct += u32::from(matches!(plan, Ok(Plan::Direct(_))));
            ensure(safe, (cdb, buffer, block, plan))
        }));
        assert!(direct > 5_000);
    }
}
