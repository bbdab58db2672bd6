// SPDX-License-Identifier: GPL-2.0

//! How data travels, case by case. The rest of them are in kunit/apple_raid/transfer.rs.

use core::num::NonZero;

use crate::{
    cdb::Way,
    transfer::{Refusal, SINK_LEN, Transfer, plan},
    wire::Entry,
};

const OWN: u64 = 0x1000;
const SINK: u64 = 0x2000;

fn cdb(bytes: &[u8]) -> [u8; 16] {
    let mut cdb = [0; 16];
    cdb[..bytes.len()].copy_from_slice(bytes);
    cdb
}

/// The entries of an INQUIRY, by address and length, with the caller's buffer at 0x8000.
fn inquiry(len: u8, segments: &[(u64, u32)]) -> Option<Vec<Entry>> {
    let room = segments.iter().map(|(_, len)| len).sum();
    let plan = plan(&cdb(&[0x12, 0, 0, 0, len]), Some(Way::In), room, None);
    entries(&plan.expect("a plan").expect("data"), segments)
}

fn entries(transfer: &Transfer, segments: &[(u64, u32)]) -> Option<Vec<Entry>> {
    let mut list = Vec::new();
    transfer.entries(segments.iter().copied(), OWN, SINK, |entry| {
        list.push(entry);
        Some(())
    })?;
    Some(list)
}

fn listed(places: &[(u64, u32)]) -> Option<Vec<Entry>> {
    let entry = |&(address, len)| Entry::new(address, len);
    places.iter().map(entry).collect()
}

#[test]
fn what_agrees_goes_straight_but_for_the_last_bytes() {
    assert_eq!(inquiry(16, &[(0x8000, 16)]), listed(&[(0x8000, 16)]));
    for rest in 1..8 {
        assert_eq!(inquiry(rest, &[(0x8000, rest.into())]), listed(&[(OWN, 8)]));
        assert_eq!(
            inquiry(72 + rest, &[(0x9000, 64), (0x8000, 8 + u32::from(rest))]),
            listed(&[(0x9000, 64), (0x8000, 8), (OWN, 8)])
        );
    }
}

#[test]
fn what_the_caller_has_no_room_for_goes_to_the_sink() {
    assert_eq!(inquiry(36, &[]), listed(&[(SINK, 40)]));
    assert_eq!(
        inquiry(36, &[(0x8000, 16)]),
        listed(&[(0x8000, 16), (SINK, 24)])
    );
    // The unit in which the buffer ends holds what follows, too.
    assert_eq!(
        inquiry(20, &[(0x8000, 13)]),
        listed(&[(0x8000, 8), (OWN, 8), (SINK, 8)])
    );
    assert_eq!(
        inquiry(16, &[(0x8000, 13)]),
        listed(&[(0x8000, 8), (OWN, 8)])
    );
}

#[test]
fn a_longer_buffer_is_cut() {
    assert_eq!(
        inquiry(20, &[(0x8000, 16), (0x9000, 16), (0xa000, 16)]),
        listed(&[(0x8000, 16), (OWN, 8)])
    );
    assert_eq!(
        inquiry(36, &[(0x8000, 4096)]),
        listed(&[(0x8000, 32), (OWN, 8)])
    );
}

#[test]
fn the_longest_that_the_sink_takes() {
    let report_luns = |len: u32, room| {
        let mut cdb = cdb(&[0xa0]);
        cdb[6..10].copy_from_slice(&len.to_be_bytes());
        plan(&cdb, Some(Way::In), room, None).map(|plan| plan.is_some())
    };
    for room in [0, 8, 4096, 4099] {
        assert_eq!(report_luns(room + SINK_LEN, room), Ok(true));
        assert_eq!(
            report_luns(room + SINK_LEN + 8, room),
            Err(Refusal::TooLong)
        );
    }
    for room in [0, u32::MAX - 7, u32::MAX] {
        let described = room > 0;
        assert_eq!(report_luns(u32::MAX, room).is_ok(), described);
    }
}

#[test]
fn segments_that_the_card_cannot_be_told_of() {
    let read = |len| {
        let block = NonZero::new(len);
        let read10 = cdb(&[0x28, 0, 0, 0, 0, 0, 0, 0, 1]);
        let plan = plan(&read10, Some(Way::In), len, block);
        plan.expect("a plan").expect("data")
    };
    assert_eq!(entries(&read(16), &[]), None);
    assert_eq!(entries(&read(16), &[(0x8000, 8)]), None);
    assert_eq!(entries(&read(16), &[(0x8004, 16)]), None);
    assert_eq!(entries(&read(28), &[(0x8000, 12), (0x9000, 16)]), None);
    assert_eq!(entries(&read(16), &[(1 << 40, 16)]), None);
    let long = (1 << 20) + 8;
    assert_eq!(entries(&read(long), &[(0x8000, long)]), None);
}
