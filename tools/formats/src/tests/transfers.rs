// SPDX-License-Identifier: GPL-2.0

//! The two hazards: whatever CDB and buffer are, nothing is described that is not there, and data
//! never ends in the caller's buffer where the card might write junk.

use core::num::NonZero;

use proptest::prelude::*;

use crate::{
    cdb::{self, Amount, Phase},
    transfer::{BOUNCE_MAX, BOUNDARY, Buffer, Plan, Refusal, Way, aligned, plan},
};

const BLOCK: Option<NonZero<u32>> = NonZero::new(512);

fn cdb(bytes: &[u8]) -> [u8; 16] {
    let mut cdb = [0; 16];
    cdb[..bytes.len()].copy_from_slice(bytes);
    cdb
}

fn read10(blocks: u16) -> [u8; 16] {
    let [high, low] = blocks.to_be_bytes();
    cdb(&[0x28, 0, 0, 0, 0, 0, 0, high, low])
}

fn write10(blocks: u16) -> [u8; 16] {
    let mut cdb = read10(blocks);
    cdb[0] = 0x2a;
    cdb
}

#[test]
fn whole_blocks_that_fit_go_directly() {
    assert_eq!(
        plan(&read10(8), Buffer::In(4096), BLOCK),
        Ok(Plan::Direct(Way::In))
    );
    assert_eq!(
        plan(&write10(8), Buffer::Out(4096), BLOCK),
        Ok(Plan::Direct(Way::Out))
    );
}

#[test]
fn a_cdb_that_wants_more_than_the_buffer_has() {
    assert_eq!(
        plan(&read10(8), Buffer::In(512), BLOCK),
        Ok(Plan::Bounce(Way::In, 4096))
    );
    assert_eq!(
        plan(&read10(0xffff), Buffer::In(512), BLOCK),
        Err(Refusal::TooLong)
    );
    assert_eq!(
        plan(&write10(8), Buffer::Out(512), BLOCK),
        Err(Refusal::BufferTooShort)
    );
}

#[test]
fn a_cdb_that_goes_the_other_way() {
    assert_eq!(
        plan(&read10(1), Buffer::Out(512), BLOCK),
        Err(Refusal::WrongDirection)
    );
    assert_eq!(
        plan(&write10(1), Buffer::In(512), BLOCK),
        Err(Refusal::WrongDirection)
    );
}

#[test]
fn blocks_of_unknown_length_are_refused() {
    assert_eq!(
        plan(&read10(1), Buffer::In(512), None),
        Err(Refusal::UnknownBlockLength)
    );
    // The length of a block is what counts, not 512.
    assert_eq!(
        plan(&read10(1), Buffer::In(512), NonZero::new(4096)),
        Ok(Plan::Bounce(Way::In, 4096))
    );
}

#[test]
fn inquiry_is_always_bounced() {
    let inquiry = cdb(&[0x12, 0, 0, 0, 36]);
    assert_eq!(
        plan(&inquiry, Buffer::In(36), None),
        Ok(Plan::Bounce(Way::In, 36))
    );
    let long = cdb(&[0x12, 0, 0, 2, 0]);
    assert_eq!(
        plan(&long, Buffer::In(512), None),
        Ok(Plan::Bounce(Way::In, 512))
    );
    assert_eq!(
        plan(&long, Buffer::None, None),
        Ok(Plan::Bounce(Way::In, 512))
    );
}

fn buffer() -> impl Strategy<Value = Buffer> {
    let len = prop_oneof![0..=64u32, (0..=64u32).prop_map(|n| n * 512), 0..=1u32 << 20];
    (len, 0..4).prop_map(|(len, kind)| match (kind, len) {
        (0, _) | (_, 0) => Buffer::None,
        (1, len) => Buffer::In(len),
        (2, len) => Buffer::Out(len),
        (_, len) => Buffer::Either(len),
    })
}

/// Random CDBs would rarely be known ones, with lengths that matter.
fn command() -> impl Strategy<Value = [u8; 16]> {
    let opcode = prop_oneof![
        prop::sample::select(vec![
            0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x25, 0x28, 0x2a, 0x2f, 0x3b, 0x3c, 0x41,
            0x42, 0x4d, 0x55, 0x5a, 0x5e, 0x5f, 0x88, 0x8a, 0x8f, 0x93, 0x9e, 0xa0, 0xa2, 0xa3,
            0xa8, 0xaa, 0xb5,
        ]),
        any::<u8>(),
    ];
    (opcode, any::<[u8; 15]>(), any::<[bool; 15]>()).prop_map(|(opcode, bytes, keep)| {
        let mut cdb = [0; 16];
        cdb[0] = opcode;
        for i in 0..15 {
            cdb[i + 1] = if keep[i] { bytes[i] } else { 0 };
        }
        cdb
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_is_described_is_what_the_cdb_moves(
        cdb in command(),
        buffer in buffer(),
        block in prop_oneof![Just(512u32), Just(520), Just(4096)],
    ) {
        let bytes = |amount| match amount {
            Amount::Bytes(bytes) => u64::from(bytes),
            Amount::Blocks(blocks) => u64::from(blocks) * u64::from(block),
        };
        let Ok(plan) = plan(&cdb, buffer, NonZero::new(block)) else { return Ok(()) };
        let phase = cdb::phase(&cdb).expect("an unknown command was not refused");
        match plan {
            Plan::NoData => match phase {
                Phase::None => {}
                Phase::In(amount) | Phase::Out(amount) => prop_assert_eq!(bytes(amount), 0),
            },
            Plan::Direct(way) => {
                prop_assert_eq!(way == Way::In, matches!(phase, Phase::In(_)));
                let (Phase::In(amount) | Phase::Out(amount)) = phase else {
                    panic!("data without a data phase")
                };
                let len = match (phase, buffer) {
                    (_, Buffer::Either(len)) => len,
                    (Phase::In(_), Buffer::In(len)) => len,
                    (Phase::Out(_), Buffer::Out(len)) => len,
                    _ => panic!("the wrong way"),
                };
                prop_assert_eq!(bytes(amount), u64::from(len));
                prop_assert_eq!(len % BOUNDARY, 0);
            }
            Plan::Bounce(Way::In, len) => {
                let Phase::In(amount) = phase else { panic!("the wrong way") };
                prop_assert_eq!(bytes(amount), u64::from(len));
                prop_assert!(len <= BOUNCE_MAX);
                prop_assert!(!matches!(buffer, Buffer::Out(_)));
            }
            Plan::Bounce(Way::Out, len) => {
                let Phase::Out(amount) = phase else { panic!("the wrong way") };
                prop_assert_eq!(bytes(amount), u64::from(len));
                prop_assert!(len <= BOUNCE_MAX);
                let (Buffer::Out(has) | Buffer::Either(has)) = buffer else {
                    panic!("no buffer")
                };
                prop_assert!(has >= len, "bytes would be invented");
            }
        }
    }

    #[test]
    fn aligned_segments_leave_no_room_for_junk(address in 0..1u64 << 36, len in 1..1u32 << 20) {
        if aligned(address, len) {
            prop_assert_eq!((address + u64::from(len)) % u64::from(BOUNDARY), 0);
            prop_assert_eq!(address % u64::from(BOUNDARY), 0);
        }
    }
}
