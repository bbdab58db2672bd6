// SPDX-License-Identifier: GPL-2.0

//! Answers that state their own length state it truly, however short they are cut.

use super::*;

/// The length that an answer states, by its command.
fn stated(cdb: &[u8], data: &[u8]) -> usize {
    let be = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |n, byte| (n << 8) | usize::from(*byte))
    };
    match (cdb[0], cdb[1] & 0x1f) {
        (0x03, _) => 8 + be(&data[7..8]),
        (0x12, 0) => 5 + be(&data[4..5]),
        (0x12, _) | (0x4d, _) => 4 + be(&data[2..4]),
        (0x1a, _) => 1 + be(&data[..1]),
        (0x5a, _) => 2 + be(&data[..2]),
        (0x5e, 2) => be(&data[..2]),
        (0x5e, _) => 8 + be(&data[4..8]),
        (0xa0, _) => 8 + be(&data[..4]),
        (0xa3, _) if cdb[2] & 7 == 0 => 4 + be(&data[..4]),
        (0xa3, _) => 4 + be(&data[2..4]) + if data[1] & 0x80 != 0 { 12 } else { 0 },
        // READ CAPACITY(16) has one length only.
        _ => 32,
    }
}

/// The bytes of a CDB that hold its allocation length.
fn allocation(opcode: u8) -> std::ops::Range<usize> {
    match opcode {
        0x03 | 0x1a => 4..5,
        0x12 => 3..5,
        0x4d | 0x5a | 0x5e => 7..9,
        0x9e => 10..14,
        _ => 6..10,
    }
}

fn ask(target: &Target, lun: u16, cdb: &[u8], length: usize) -> Vec<u8> {
    let mut cdb = padded(cdb);
    let place = allocation(cdb[0]);
    let bytes = (length as u64).to_be_bytes();
    cdb[place.clone()].copy_from_slice(&bytes[8 - place.len()..]);
    good(target, lun, &cdb)
}

#[test]
fn every_answer_states_its_length_truly() {
    let target = target();
    target.set_card_unit(true);
    target
        .add_volume(1, Volume::temporary(BYTES).unwrap())
        .unwrap();
    for lun in [0, 1] {
        execute(&target, lun, &[0x00], &[]);
        execute(&target, lun, &[0x00], &[]);
    }
    let mut cdbs: Vec<(u16, Vec<u8>)> = vec![
        (0, vec![0x03]),
        (0, vec![0x12]),
        (0, vec![0x12, 1, 0]),
        (0, vec![0x12, 1, 0x83]),
        (0, vec![0xa0]),
        (1, vec![0x03]),
        (1, vec![0x12]),
        (1, vec![0xa0]),
        (1, vec![0x9e, 0x10]),
        (5, vec![0x12]),
        (5, vec![0x12, 1, 0]),
    ];
    for page in [0, 0x80, 0x83, 0xb0, 0xb1] {
        cdbs.push((1, vec![0x12, 1, page]));
    }
    for dbd in [0, 8] {
        for page in [0x3f, 0x7f, 0xbf, 0xff] {
            cdbs.push((1, vec![0x1a, dbd, page, 0xff]));
            cdbs.push((1, vec![0x5a, dbd, page, 0xff]));
        }
    }
    cdbs.push((1, vec![0x5a, 0x10, 0x3f]));
    for (page, subpage) in [(0, 0), (0, 0xff), (0x0d, 0), (0x2f, 0)] {
        cdbs.push((1, vec![0x4d, 0, 0x40 | page, subpage]));
    }
    for action in 0..3 {
        cdbs.push((1, vec![0x5e, action]));
    }
    for rctd in [0, 0x80] {
        cdbs.push((1, vec![0xa3, 0x0c, rctd]));
        cdbs.push((1, vec![0xa3, 0x0c, rctd | 1, 0x28]));
        cdbs.push((1, vec![0xa3, 0x0c, rctd | 2, 0x9e, 0, 0x10]));
    }
    for (lun, cdb) in cdbs {
        let cdb = padded(&cdb);
        let most = match allocation(cdb[0]).len() {
            1 => 0xff,
            _ => 0xffff,
        };
        let whole = ask(&target, lun, &cdb, most);
        assert_eq!(stated(&cdb, &whole), whole.len(), "{cdb:02x?}");
        for length in [1, 5, 8, 13, whole.len() - 1, whole.len(), whole.len() + 1] {
            let part = ask(&target, lun, &cdb, length.min(most));
            assert_eq!(
                part,
                whole[..length.min(whole.len())],
                "{cdb:02x?}, {length}"
            );
        }
    }
}

#[test]
fn nothing_is_reserved() {
    let target = target();
    assert_eq!(ask(&target, 0, &[0x5e, 0], 255), [0; 8]);
    assert_eq!(ask(&target, 0, &[0x5e, 1], 255), [0; 8]);
    assert_eq!(
        ask(&target, 0, &[0x5e, 2], 255),
        [0, 8, 0, 0x80, 0, 0, 0, 0]
    );
    check(&target, 0, &[0x5e, 3, 0, 0, 0, 0, 0, 0, 8, 0], (5, 0x24, 0));
}
