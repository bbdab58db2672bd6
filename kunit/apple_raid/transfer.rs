// SPDX-License-Identifier: GPL-2.0

//! How the data of a command travels, for whatever user space sends.

#[kernel::prelude::kunit_tests(apple_raid_transfer)]
mod tests {
    use super::super::{
        cdb,
        read10,
        write10, //
    };
    use crate::{
        cdb::Way,
        transfer::{
            plan,
            Refusal,
            Transfer,
            SINK_LEN, //
        },
    };
    use core::num::NonZero;

    const BLOCK: Option<NonZero<u32>> = NonZero::new(512);
    const IN: Option<Way> = Some(Way::In);
    const OUT: Option<Way> = Some(Way::Out);

    type Plan = Result<Option<Transfer>, Refusal>;

    /// What the CDB moves, and of that what goes straight, and through memory of the tag's own.
    fn travels(way: Way, len: u32, straight: u32, own: u32) -> Plan {
        Ok(Some(Transfer {
            way,
            len,
            straight,
            own,
        }))
    }

    #[test]
    fn what_agrees_goes_straight() {
        for (blocks, len) in [(1, 512), (8, 4096), (2048, 1 << 20)] {
            let read = travels(Way::In, len, len, 0);
            assert_eq!(plan(&read10(blocks), IN, len, BLOCK), read);
            assert_eq!(plan(&read10(blocks), None, len, BLOCK), read);
            let write = travels(Way::Out, len, len, 0);
            assert_eq!(plan(&write10(blocks), OUT, len, BLOCK), write);
        }
        for (len, straight, tail) in [(1, 0, 1), (13, 8, 5), (36, 32, 4), (255, 248, 7)] {
            let inquiry = plan(&cdb(&[0x12, 0, 0, 0, len]), IN, len.into(), None);
            assert_eq!(inquiry, travels(Way::In, len.into(), straight, tail));
        }
        let odd = plan(&write10(1), OUT, 524, NonZero::new(524));
        assert_eq!(odd, travels(Way::Out, 524, 520, 4));
    }

    /// A buffer of user space's own may change at any time, also when the answer has come.
    #[test]
    fn what_the_driver_reads_goes_to_its_own_memory() {
        for room in [0, 8, 4096] {
            let read_capacity = plan(&cdb(&[0x25]), IN, room, None);
            assert_eq!(read_capacity, travels(Way::In, 8, 0, 8));
        }
        let mut cdb = cdb(&[0x9e, 0x10]);
        for (len, own) in [(12, 12), (32, 32), (255, 32)] {
            cdb[13] = len;
            let read_capacity = plan(&cdb, IN, len.into(), None);
            assert_eq!(read_capacity, travels(Way::In, len.into(), 0, own));
        }
    }

    #[test]
    fn cdb_that_wants_more_than_the_buffer_has() {
        // The rest goes to the sink.
        let short = plan(&read10(8), IN, 512, BLOCK);
        assert_eq!(short, travels(Way::In, 4096, 512, 0));
        let none = plan(&read10(8), None, 0, BLOCK);
        assert_eq!(none, travels(Way::In, 4096, 0, 0));
        let long = plan(&read10(u16::MAX), IN, 512, BLOCK);
        assert_eq!(long, Err(Refusal::TooLong));
        // No bytes are invented.
        for (offered, room) in [(OUT, 512), (None, 512), (None, 0)] {
            let write = plan(&write10(8), offered, room, BLOCK);
            assert_eq!(write, Err(Refusal::BufferTooShort));
        }
    }

    #[test]
    fn cdb_that_wants_less_than_the_buffer_has() {
        let read = plan(&read10(1), IN, 4096, BLOCK);
        assert_eq!(read, travels(Way::In, 512, 512, 0));
        let write = plan(&write10(1), OUT, 4096, BLOCK);
        assert_eq!(write, travels(Way::Out, 512, 512, 0));
        assert_eq!(plan(&read10(0), IN, 512, None), Ok(None));
    }

    #[test]
    fn cdb_that_goes_the_other_way() {
        let read = plan(&read10(1), OUT, 512, BLOCK);
        assert_eq!(read, Err(Refusal::WrongDirection));
        let write = plan(&write10(1), IN, 512, BLOCK);
        assert_eq!(write, Err(Refusal::WrongDirection));
    }

    #[test]
    fn blocks_of_other_lengths() {
        let unknown = plan(&read10(1), IN, 512, None);
        assert_eq!(unknown, Err(Refusal::UnknownBlockLength));
        let large = plan(&read10(1), IN, 512, NonZero::new(4096));
        assert_eq!(large, travels(Way::In, 4096, 512, 0));
        // More bytes than 32 bits can count.
        let read16 = cdb(&[0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        let overflow = plan(&read16, IN, 512, BLOCK);
        assert_eq!(overflow, Err(Refusal::TooLong));
    }

    #[test]
    fn longest_that_the_sink_takes() {
        let report_luns = |len: u32| {
            let mut cdb = cdb(&[0xa0]);
            cdb[6..10].copy_from_slice(&len.to_be_bytes());
            plan(&cdb, None, 0, None)
        };
        assert_eq!(report_luns(SINK_LEN), travels(Way::In, SINK_LEN, 0, 0));
        assert_eq!(report_luns(SINK_LEN + 1), Err(Refusal::TooLong));
        assert_eq!(report_luns(u32::MAX), Err(Refusal::TooLong));
    }
}
