// SPDX-License-Identifier: GPL-2.0

//! How data travels, case by case.

use core::num::NonZero;

use crate::transfer::{Buffer, Plan, Refusal, Way, plan};

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
