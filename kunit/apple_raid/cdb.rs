// SPDX-License-Identifier: GPL-2.0

//! What CDBs move.

#[kernel::prelude::kunit_tests(apple_raid_cdb)]
mod tests {
    use super::super::{
        cdb,
        read10,
        write10, //
    };
    use crate::cdb::{
        block_length_in_answer,
        phase,
        Amount,
        Phase,
        Way,
        NO_DATA, //
    };

    fn blocks_in(blocks: u32) -> Option<Phase> {
        Some((Way::In, Amount::Blocks(blocks)))
    }

    fn blocks_out(blocks: u32) -> Option<Phase> {
        Some((Way::Out, Amount::Blocks(blocks)))
    }

    fn bytes_in(bytes: u32) -> Option<Phase> {
        Some((Way::In, Amount::Bytes(bytes)))
    }

    fn bytes_out(bytes: u32) -> Option<Phase> {
        Some((Way::Out, Amount::Bytes(bytes)))
    }

    #[test]
    fn reads_and_writes() {
        // In READ(6) and WRITE(6), 0 stands for 256, and byte 1 belongs to the address.
        assert_eq!(phase(&cdb(&[0x08, 0x1f, 0xff, 0xff, 1])), blocks_in(1));
        assert_eq!(phase(&cdb(&[0x08, 0, 0, 0, 0])), blocks_in(256));
        assert_eq!(phase(&cdb(&[0x0a, 0, 0, 0, 0])), blocks_out(256));
        // In all others, 0 stands for nothing.
        assert_eq!(phase(&read10(0)), blocks_in(0));
        assert_eq!(phase(&read10(0x0102)), blocks_in(0x0102));
        assert_eq!(phase(&write10(u16::MAX)), blocks_out(0xffff));
        let length_at_6 = [0, 9, 9, 9, 9, 0x01, 0x02, 0x03, 0x04];
        let length_at_10 = [0, 9, 9, 9, 9, 9, 9, 9, 9, 0xff, 0xff, 0xff, 0xfe];
        for (opcode, expected) in [
            (0xa8, blocks_in(0x0102_0304)),
            (0xaa, blocks_out(0x0102_0304)),
        ] {
            let mut bytes = cdb(&[opcode]);
            bytes[1..10].copy_from_slice(&length_at_6);
            assert_eq!(phase(&bytes), expected);
        }
        for (opcode, expected) in [
            (0x88, blocks_in(u32::MAX - 1)),
            (0x8a, blocks_out(u32::MAX - 1)),
        ] {
            let mut bytes = cdb(&[opcode]);
            bytes[1..14].copy_from_slice(&length_at_10);
            assert_eq!(phase(&bytes), expected);
        }
    }

    #[test]
    fn lengths_in_bytes() {
        assert_eq!(phase(&cdb(&[0x12, 0, 0, 0x01, 0x02])), bytes_in(0x0102));
        assert_eq!(phase(&cdb(&[0x03, 0, 0, 0xff, 0x12])), bytes_in(0x12));
        assert_eq!(phase(&cdb(&[0x25])), bytes_in(8));
        assert_eq!(phase(&cdb(&[0x1a, 0, 0, 0, 0xc0])), bytes_in(0xc0));
        assert_eq!(phase(&cdb(&[0x15, 0x10, 0, 0, 0x18])), bytes_out(0x18));
        let long = [0xa0, 0, 0, 0, 0, 0, 0x80, 0, 0, 1];
        assert_eq!(phase(&cdb(&long)), bytes_in(0x8000_0001));
        let mode_sense = [0x5a, 0, 0, 0, 0, 0, 0, 0x12, 0x34];
        assert_eq!(phase(&cdb(&mode_sense)), bytes_in(0x1234));
    }

    #[test]
    fn security_protocol_counts_units_of_512() {
        let bytes = [0xa2, 0, 0, 0, 0, 0, 0, 0, 0, 2];
        assert_eq!(phase(&cdb(&bytes)), bytes_in(2));
        let units = [0xa2, 0, 0, 0, 0x80, 0, 0, 0, 0, 2];
        assert_eq!(phase(&cdb(&units)), bytes_in(1024));
        // More than fits into 32 bits.
        let overflow = [0xb5, 0, 0, 0, 0x80, 0, 0x00, 0x80, 0, 0];
        assert_eq!(phase(&cdb(&overflow)), None);
    }

    #[test]
    fn verify_moves_data_only_to_compare() {
        let verify = |bytchk: u8| phase(&cdb(&[0x2f, bytchk << 1, 0, 0, 0, 0, 0, 0, 5]));
        assert_eq!(verify(0), Some(NO_DATA));
        assert_eq!(verify(1), blocks_out(5));
        assert_eq!(verify(2), None);
        assert_eq!(verify(3), None);
    }

    #[test]
    fn nothing_younger_than_the_card() {
        // RDPROTECT, WRPROTECT, VRPROTECT: blocks would be longer than they are.
        for opcode in [
            0x28, 0x2a, 0x2e, 0x2f, 0x41, 0x88, 0x8a, 0x8e, 0x8f, 0x93, 0xa8, 0xaa,
        ] {
            for protect in 1..8 {
                assert_eq!(phase(&cdb(&[opcode, protect << 5])), None);
            }
            assert!(phase(&cdb(&[opcode])).is_some());
        }
        // WRITE SAME(16) without data.
        assert_eq!(phase(&cdb(&[0x93, 0x01])), None);
    }

    #[test]
    fn commands_that_are_not_offered() {
        // FORMAT UNIT, ATA PASS-THROUGH(12) and (16), READ LONG, variable length, vendor specific
        for opcode in [0x04, 0xa1, 0x85, 0x3e, 0x7f, 0xc0, 0xff] {
            assert_eq!(phase(&cdb(&[opcode])), None);
        }
    }

    #[test]
    fn who_tells_the_length() {
        // READ CAPACITY(10): behind the last address of 4 bytes; (16): of 8 bytes.
        assert_eq!(block_length_in_answer(&cdb(&[0x25])[..10]), Some(4));
        assert_eq!(block_length_in_answer(&cdb(&[0x9e, 0x10])), Some(8));
        // The upper bits of a service action are something else.
        assert_eq!(block_length_in_answer(&cdb(&[0x9e, 0xf0])), Some(8));
        // GET LBA STATUS, INQUIRY, nothing.
        assert_eq!(block_length_in_answer(&cdb(&[0x9e, 0x12])), None);
        assert_eq!(block_length_in_answer(&cdb(&[0x12])[..6]), None);
        assert_eq!(block_length_in_answer(&[]), None);
    }
}
