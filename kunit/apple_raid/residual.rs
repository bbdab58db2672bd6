// SPDX-License-Identifier: GPL-2.0

//! How much a command has moved, as far as its answer tells.

#[kernel::prelude::kunit_tests(apple_raid_residual)]
mod tests {
    use super::super::{
        cdb,
        read10,
        write10, //
    };
    use crate::residual::{
        moved_by_failed,
        stated_len, //
    };

    fn stated(cdb: &[u8], answer: &[u8]) -> Option<u32> {
        stated_len(cdb, |at| answer.get(at).copied())
    }

    #[test]
    fn answers_that_state_their_length() {
        let cases: [(&[u8], [u8; 8], u32); 6] = [
            // INQUIRY and a page of it, MODE SENSE(6), REPORT LUNS
            (&[0x12, 0, 0], [0, 0, 6, 2, 91, 0, 0, 0], 96),
            (&[0x12, 1, 0x83], [0, 0x83, 1, 4, 0, 0, 0, 0], 0x108),
            (&[0x1a, 0, 0x3f], [0x23, 0, 0, 0, 0, 0, 0, 0], 0x24),
            (&[0xa0, 0, 0], [0, 0, 0, 16, 0, 0, 0, 0], 24),
            // READ CAPACITY(16), and more than a u32 can count
            (&[0x9e, 0x10, 0], [0; 8], 32),
            (&[0xa0, 0, 0], [0xff; 8], u32::MAX),
        ];
        for (command, answer, len) in cases {
            assert_eq!(stated(&cdb(command), &answer), Some(len));
        }
        // Too little of it, or none.
        assert_eq!(stated(&cdb(&[0xa0]), &[0, 0]), None);
        assert_eq!(stated(&read10(1), &[0xff; 8]), None);
    }

    #[test]
    fn blocks_before_a_bad_one_are_good() {
        let sense = [0xf0, 0, 3, 0, 0, 0, 5, 10];
        let moved = |cdb: &_, sense: &[u8], block| moved_by_failed(cdb, sense, block, 16 * 512);
        assert_eq!(moved(&read10(16), &sense, Some(512)), 5 * 512);
        // A block beyond what was read, one of unknown length, a WRITE, no sense.
        assert_eq!(moved(&read10(5), &sense, Some(512)), 0);
        assert_eq!(moved(&read10(16), &sense, None), 0);
        assert_eq!(moved(&write10(16), &sense, Some(512)), 0);
        assert_eq!(moved(&read10(16), &[], Some(512)), 0);
        // Not valid; and a recovered error.
        let mut other = sense;
        other[0] = 0x70;
        assert_eq!(moved(&read10(16), &other, Some(512)), 0);
        other[2] = 1;
        assert_eq!(moved(&read10(16), &other, Some(512)), 16 * 512);
    }
}
