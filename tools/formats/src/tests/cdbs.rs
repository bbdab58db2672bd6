// SPDX-License-Identifier: GPL-2.0

//! What CDBs move, case by case.

use crate::cdb::{Amount, NO_DATA, Way, phase};

fn cdb(bytes: &[u8]) -> [u8; 16] {
    let mut cdb = [0; 16];
    cdb[..bytes.len()].copy_from_slice(bytes);
    cdb
}

#[test]
fn lengths_of_reads_and_writes() {
    let blocks = |n| Some((Way::In, Amount::Blocks(n)));
    assert_eq!(phase(&cdb(&[0x08, 0, 0, 0, 1])), blocks(1));
    assert_eq!(phase(&cdb(&[0x08, 0, 0, 0, 0])), blocks(256));
    assert_eq!(phase(&cdb(&[0x28, 0, 0, 0, 0, 0, 0, 1, 2])), blocks(0x102));
    assert_eq!(
        phase(&cdb(&[0xa8, 0, 0, 0, 0, 0, 1, 2, 3, 4])),
        blocks(0x0102_0304)
    );
    assert_eq!(
        phase(&cdb(&[
            0x88, 0, 9, 9, 9, 9, 9, 9, 9, 9, 0xff, 0xff, 0xff, 0xff
        ])),
        blocks(u32::MAX)
    );
    assert_eq!(
        phase(&cdb(&[0x0a, 0, 0, 0, 0])),
        Some((Way::Out, Amount::Blocks(256)))
    );
}

#[test]
fn verify_moves_data_only_to_compare() {
    let verify = |bytchk: u8| phase(&cdb(&[0x2f, bytchk << 1, 0, 0, 0, 0, 0, 0, 5]));
    assert_eq!(verify(0), Some(NO_DATA));
    assert_eq!(verify(1), Some((Way::Out, Amount::Blocks(5))));
    assert_eq!(verify(2), None);
    assert_eq!(verify(3), None);
}

#[test]
fn what_is_younger_than_the_card_is_not_offered() {
    // RDPROTECT, WRPROTECT
    assert_eq!(phase(&cdb(&[0x28, 0x20, 0, 0, 0, 0, 0, 0, 1])), None);
    assert_eq!(phase(&cdb(&[0x8a, 0xe0])), None);
    // READ(6) has an address there.
    assert!(phase(&cdb(&[0x08, 0x1f, 0, 0, 1])).is_some());
    // WRITE SAME(16) with NDOB
    assert_eq!(phase(&cdb(&[0x93, 1])), None);
}

#[test]
fn commands_that_are_not_offered() {
    // FORMAT UNIT, ATA PASS-THROUGH(12) and (16), READ LONG, vendor specific, variable length
    for opcode in [0x04, 0xa1, 0x85, 0x3e, 0xc0, 0xff, 0x7f] {
        assert_eq!(phase(&cdb(&[opcode])), None, "{opcode:#04x}");
    }
}
