// SPDX-License-Identifier: GPL-2.0

//! How the data of a command travels, for whatever user space sends.

#[kernel::prelude::kunit_tests(apple_raid_transfer)]
mod tests {
    use super::super::{
        cdb,
        read10,
        write10, //
    };
    use crate::transfer::{
        plan,
        Buffer,
        Plan,
        Refusal,
        Way,
        BOUNCE_MAX, //
    };
    use core::num::NonZero;

    const BLOCK: Option<NonZero<u32>> = NonZero::new(512);

    #[test]
    fn what_agrees_goes_straight() {
        for (blocks, len) in [(1, 512), (8, 4096), (2048, 1 << 20)] {
            let read = plan(&read10(blocks), Buffer::In(len), BLOCK);
            assert_eq!(read, Ok(Plan::Straight(Way::In)));
            let write = plan(&write10(blocks), Buffer::Out(len), BLOCK);
            assert_eq!(write, Ok(Plan::Straight(Way::Out)));
            let either = plan(&read10(blocks), Buffer::Either(len), BLOCK);
            assert_eq!(either, Ok(Plan::Straight(Way::In)));
        }
        for len in [1, 13, 36, 255] {
            let inquiry = plan(&cdb(&[0x12, 0, 0, 0, len]), Buffer::In(len.into()), None);
            assert_eq!(inquiry, Ok(Plan::Straight(Way::In)));
        }
        let odd = plan(&read10(1), Buffer::In(520), NonZero::new(520));
        assert_eq!(odd, Ok(Plan::Straight(Way::In)));
    }

    /// A buffer of user space's own may change at any time, also when the answer has come.
    #[test]
    fn what_the_driver_reads_goes_to_its_own_memory() {
        let read_capacity = plan(&cdb(&[0x25]), Buffer::In(8), None);
        assert_eq!(read_capacity, Ok(Plan::Bounce(Way::In, 8)));
        let mut cdb = cdb(&[0x9e, 0x10]);
        cdb[13] = 32;
        let read_capacity = plan(&cdb, Buffer::In(32), None);
        assert_eq!(read_capacity, Ok(Plan::Bounce(Way::In, 32)));
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
        for buffer in [Buffer::Out(512), Buffer::None] {
            let write = plan(&write10(8), buffer, BLOCK);
            assert_eq!(write, Err(Refusal::BufferTooShort));
        }
    }

    #[test]
    fn cdb_that_wants_less_than_the_buffer_has() {
        let read = plan(&read10(1), Buffer::In(4096), BLOCK);
        assert_eq!(read, Ok(Plan::Bounce(Way::In, 512)));
        let write = plan(&write10(1), Buffer::Out(4096), BLOCK);
        assert_eq!(write, Ok(Plan::Bounce(Way::Out, 512)));
        assert_eq!(plan(&read10(0), Buffer::In(512), None), Ok(Plan::NoData));
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
        let large = plan(&read10(1), Buffer::In(512), NonZero::new(4096));
        assert_eq!(large, Ok(Plan::Bounce(Way::In, 4096)));
        // More bytes than 32 bits can count.
        let read16 = cdb(&[0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        let overflow = plan(&read16, Buffer::In(512), BLOCK);
        assert_eq!(overflow, Err(Refusal::TooLong));
    }

    #[test]
    fn longest_bounce() {
        let report_luns = |len: u32| {
            let mut cdb = cdb(&[0xa0]);
            cdb[6..10].copy_from_slice(&len.to_be_bytes());
            plan(&cdb, Buffer::None, None)
        };
        let longest = Ok(Plan::Bounce(Way::In, BOUNCE_MAX));
        assert_eq!(report_luns(BOUNCE_MAX), longest);
        assert_eq!(report_luns(BOUNCE_MAX + 1), Err(Refusal::TooLong));
        assert_eq!(report_luns(u32::MAX), Err(Refusal::TooLong));
    }
}
