// SPDX-License-Identifier: GPL-2.0

//! What a command has moved, as far as its answer tells.

use apple_raid_twin::{
    Volume,
    scsi::{Status, Target},
};
use proptest::prelude::*;

use crate::residual::{moved_by_failed, stated_len};

#[rustfmt::skip]
const STATED: &[(&[u8], &[u8], u32)] = &[
    // INQUIRY: standard data, and a page
    (&[0x12, 0, 0, 0, 255], &[0, 0, 6, 2, 91, 0, 0, 0], 96),
    (&[0x12, 1, 0x83, 0, 255], &[0, 0x83, 0x01, 0x04, 1, 2, 3, 4], 0x108),
    // REQUEST SENSE
    (&[0x03, 0, 0, 0, 252], &[0x70, 0, 0, 0, 0, 0, 0, 10], 18),
    (&[0x03, 1, 0, 0, 252], &[0x72, 0, 0, 0, 0, 0, 0, 0], 8),
    // MODE SENSE(6) and (10), LOG SENSE
    (&[0x1a, 0, 0x3f, 0, 255], &[0x23, 0, 0, 0, 0, 0, 0, 0], 0x24),
    (&[0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0], &[0x01, 0x22, 0, 0, 0, 0, 0, 0], 0x124),
    (&[0x4d, 0, 0x40, 0, 0, 0, 0, 1, 0], &[0, 0, 0, 8, 0, 0, 0, 0], 12),
    // PERSISTENT RESERVE IN: READ KEYS, REPORT CAPABILITIES
    (&[0x5e, 0, 0, 0, 0, 0, 0, 1, 0], &[0, 0, 0, 1, 0, 0, 0, 16], 24),
    (&[0x5e, 2, 0, 0, 0, 0, 0, 1, 0], &[0, 8, 0, 0, 0, 0, 0, 0], 8),
    // READ CAPACITY(10) and (16)
    (&[0x25, 0, 0], &[0; 8], 8),
    (&[0x9e, 0x10, 0], &[0; 8], 32),
    // REPORT LUNS
    (&[0xa0, 0, 0], &[0, 0, 0, 16, 0, 0, 0, 0], 24),
    // REPORT SUPPORTED OPERATION CODES: all, one, one with timeouts
    (&[0xa3, 0x0c, 0], &[0, 0, 1, 0, 0, 0, 0, 0], 0x104),
    (&[0xa3, 0x0c, 1], &[0, 3, 0, 10, 0, 0, 0, 0], 14),
    (&[0xa3, 0x0c, 0x81], &[0, 0x83, 0, 10, 0, 0, 0, 0], 26),
];

/// Bytes of an answer that the longest header has.
const HEADER_LEN: usize = 8;

fn stated(cdb: &[u8], answer: &[u8]) -> Option<u32> {
    stated_len(cdb, |at| answer.get(at).copied())
}

#[test]
fn answers_that_state_their_length() {
    for (cdb, answer, len) in STATED {
        assert_eq!(answer.len(), HEADER_LEN);
        assert_eq!(stated(cdb, answer), Some(*len), "{cdb:02x?}");
        // Whatever comes, nothing panics.
        for short in 0..HEADER_LEN {
            let _ = stated(cdb, &answer[..short]);
            let _ = stated(&cdb[..short.min(cdb.len())], answer);
        }
    }
}

#[test]
fn a_read_states_nothing() {
    assert_eq!(stated(&[0x28, 0, 0], &[0xff; 8]), None);
    // Nor do other service actions of the same operation code.
    assert_eq!(stated(&[0x9e, 0x12, 0], &[0xff; 8]), None);
    assert_eq!(stated(&[0xa3, 0x05, 0], &[0xff; 8]), None);
}

/// READ(10), (12) and (16) of 16 blocks from block 0x100.
const READS: [[u8; 16]; 3] = [
    [0x28, 0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0],
    [0xa8, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0],
    [0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 16, 0, 0],
];

fn sense(code: u8, key: u8, lba: u32) -> [u8; 18] {
    let [a, b, c, d] = lba.to_be_bytes();
    [
        code, 0, key, a, b, c, d, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0,
    ]
}

#[test]
fn what_was_read_before_the_bad_block_is_good() {
    const ALL: u32 = 16 * 512;
    let moved = |cdb, sense: &[u8], block| moved_by_failed(cdb, sense, block, ALL);
    for cdb in &READS {
        assert_eq!(moved(cdb, &sense(0xf0, 3, 0x105), Some(512)), 5 * 512);
        assert_eq!(moved(cdb, &sense(0xf0, 3, 0x100), Some(512)), 0);
        // Not valid, outside of what was read, another key, no length of a block
        assert_eq!(moved(cdb, &sense(0x70, 3, 0x105), Some(512)), 0);
        assert_eq!(moved(cdb, &sense(0xf0, 3, 0x110), Some(512)), 0);
        assert_eq!(moved(cdb, &sense(0xf0, 3, 0xff), Some(512)), 0);
        assert_eq!(moved(cdb, &sense(0xf0, 4, 0x105), Some(512)), 0);
        assert_eq!(moved(cdb, &sense(0xf0, 3, 0x105), None), 0);
        // It has succeeded after all.
        assert_eq!(moved(cdb, &sense(0x70, 1, 0), Some(512)), ALL);
        assert_eq!(moved(cdb, &[], Some(512)), 0);
    }
    let mut write = READS[0];
    write[0] = 0x2a;
    assert_eq!(moved(&write, &sense(0xf0, 3, 0x105), Some(512)), 0);
}

/// The twin's unit was written from the standards, without sight of the driver's: however long
/// what it answers is, its answer says so.
#[test]
fn the_twin_states_what_it_answers() {
    let target = Target::default();
    let volume = Volume::temporary(1 << 20).expect("a temporary volume");
    target.add_volume(0, volume).expect("LUN 0 is free");
    let answer = |cdb: &[u8]| {
        let mut padded = [0; 16];
        padded[..cdb.len()].copy_from_slice(cdb);
        let reply = target.execute(0, &padded, &[]);
        (reply.status == Status::Good).then_some(reply.data_in)
    };
    let pages = (0..=255).map(|page| vec![0x12, 1, page, 1, 0]);
    let modes = (0..0x40).flat_map(|page| {
        let ten = [0x5a, 0, page, 0, 0, 0, 0, 1, 0];
        [vec![0x1a, 0, page, 0, 255], ten.to_vec()]
    });
    let logs = (0..0x40).map(|page| vec![0x4d, 0, 0x40 | page, 0, 0, 0, 0, 2, 0]);
    let opcodes = (0..=255).flat_map(|opcode| {
        [1, 0x81, 2, 0x82]
            .map(|options| vec![0xa3, 0x0c, options, opcode, 0, 0x10, 0, 0, 1, 0, 0, 0])
    });
    let all = [0, 0x80].map(|options| vec![0xa3, 0x0c, options, 0, 0, 0, 0, 0, 255, 255]);
    let mut capacity = vec![0x9e; 16];
    capacity[1..].copy_from_slice(&[0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    let others = [
        vec![0x12, 0, 0, 1, 0],
        vec![0x03, 0, 0, 0, 252],
        vec![0x25, 0, 0],
        capacity,
        vec![0xa0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
    ];
    let cdbs = pages.chain(modes).chain(logs).chain(opcodes).chain(all);
    let mut compared = 0;
    for cdb in cdbs.chain(others) {
        if let Some(data) = answer(&cdb) {
            let head = &data[..data.len().min(HEADER_LEN)];
            let len = data.len() as u32;
            assert_eq!(stated(&cdb, head), Some(len), "{cdb:02x?}");
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} answers");
}

proptest! {
    /// Whatever sense a card makes up, no more has moved than was to move.
    #[test]
    fn no_more_has_moved_than_was_to_move(
        cdb in prop::sample::select(&READS[..]),
        mut sense in prop::collection::vec(any::<u8>(), 0..=24),
        near in any::<bool>(),
        block in prop::option::of(any::<u32>()),
        len in any::<u32>(),
    ) {
        if near {
            for (at, byte) in sense.iter_mut().zip([0xf0, 0, 3, 0, 0, 1]) {
                *at = byte;
            }
        }
        prop_assert!(moved_by_failed(&cdb, &sense, block, len) <= len);
    }
}
