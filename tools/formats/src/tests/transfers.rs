// SPDX-License-Identifier: GPL-2.0

//! How data travels, case by case.

use core::num::NonZero;

use crate::{
    transfer::{Buffer, Plan, Refusal, Way, entries, plan},
    wire::Entry,
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
fn what_fits_goes_straight() {
    assert_eq!(
        plan(&read10(8), Buffer::In(4096), BLOCK),
        Ok(Plan::Straight(Way::In))
    );
    assert_eq!(
        plan(&write10(8), Buffer::Out(4096), BLOCK),
        Ok(Plan::Straight(Way::Out))
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
fn an_inquiry_goes_straight_only_if_the_buffer_is_as_long() {
    let inquiry = cdb(&[0x12, 0, 0, 0, 36]);
    assert_eq!(
        plan(&inquiry, Buffer::In(36), None),
        Ok(Plan::Straight(Way::In))
    );
    assert_eq!(
        plan(&inquiry, Buffer::In(37), None),
        Ok(Plan::Bounce(Way::In, 36))
    );
    assert_eq!(
        plan(&inquiry, Buffer::None, None),
        Ok(Plan::Bounce(Way::In, 36))
    );
}

/// The entries of these segments, with the tail at 0x1000.
fn listed(segments: &[(u64, u32)]) -> Option<Vec<Entry>> {
    let mut list = Vec::new();
    entries(segments.iter().copied(), 0x1000, |entry| {
        list.push(entry);
        Some(())
    })?;
    Some(list)
}

#[test]
fn the_last_bytes_travel_through_the_tail() {
    let entry = |address, len| Entry::new(address, len).expect("an entry");
    assert_eq!(listed(&[(0x8000, 16)]), Some(vec![entry(0x8000, 16)]));
    for tail in 1..8 {
        assert_eq!(listed(&[(0x8000, tail)]), Some(vec![entry(0x1000, 8)]));
        assert_eq!(
            listed(&[(0x9000, 64), (0x8000, 8 + tail)]),
            Some(vec![entry(0x9000, 64), entry(0x8000, 8), entry(0x1000, 8)])
        );
    }
}

#[test]
fn segments_that_the_card_cannot_be_told_of() {
    assert_eq!(listed(&[]), None);
    assert_eq!(listed(&[(0x8004, 16)]), None);
    assert_eq!(listed(&[(0x8000, 12), (0x9000, 16)]), None);
    assert_eq!(listed(&[(1 << 40, 16)]), None);
    assert_eq!(listed(&[(0x8000, (1 << 20) + 8)]), None);
}
