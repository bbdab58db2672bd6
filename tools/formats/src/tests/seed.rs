// SPDX-License-Identifier: GPL-2.0

//! Byte for byte what stands in the macOS trace, and in the tables of apple_raid_hw.rst.

use crate::wire::{
    Body, Descriptor, Entry, Function, MAX_ENTRY_LEN, Response, SLOT_WORDS, Slot, UNANSWERED,
};

const TAG: u16 = 0x3b;

fn bytes(slot: Slot) -> [u8; 32] {
    let mut bytes = [0; 8 * SLOT_WORDS];
    for (to, word) in bytes.chunks_exact_mut(8).zip(slot.0) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

fn slot(command: &[u8], data: Descriptor) -> [u8; 32] {
    let mut cdb = [0; 16];
    cdb[..command.len()].copy_from_slice(command);
    bytes(Slot::command(TAG, 0, &cdb, data))
}

fn entry(address: u64, len: u32) -> Entry {
    Entry::new(address, len).expect("an entry that can be expressed")
}

#[test]
fn an_entry_in_place() {
    // INQUIRY of 6 bytes: all of them are the tail.
    assert_eq!(
        slot(
            &[0x12, 0, 0, 0, 6],
            Descriptor::InPlace(entry(0x1799_d1d8, 8))
        ),
        [
            0x01, 0x01, 0x00, 0x3b, 0, 0, 0, 0, //
            0x12, 0x00, 0x00, 0x00, 0x06, 0, 0, 0, //
            0, 0, 0, 0, 0, 0, 0, 0, //
            0x00, 0x17, 0x99, 0xd1, 0xd8, 0x00, 0x00, 0x02,
        ]
    );
}

#[test]
fn a_list_is_an_index_and_zeros() {
    let list = |marked| Descriptor::List {
        unit: 0x0887,
        marked,
    };
    let mut expected = [
        0x01, 0x01, 0x00, 0x3b, 0, 0, 0, 0, //
        0x12, 0x01, 0x80, 0x0d, 0, 0, 0, 0, //
        0, 0, 0, 0, 0, 0, 0, 0, //
        0x08, 0x87, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];
    assert_eq!(slot(&[0x12, 1, 0x80, 0x0d], list(true)), expected);
    // By K.
    expected[1] = 0;
    assert_eq!(slot(&[0x12, 1, 0x80, 0x0d], list(false)), expected);
}

#[test]
fn the_list_of_13_bytes_has_two_entries_of_two_words() {
    assert_eq!(
        entry(0x02_319b_5900, 8).to_word().to_ne_bytes(),
        [0x02, 0x31, 0x9b, 0x59, 0x00, 0x00, 0x00, 0x02]
    );
    assert_eq!(
        entry(0x00_0b59_d1d8, 8).to_word().to_ne_bytes(),
        [0x00, 0x0b, 0x59, 0xd1, 0xd8, 0x00, 0x00, 0x02]
    );
}

#[test]
fn test_unit_ready_has_no_data() {
    let mut expected = [0; 32];
    expected[..4].copy_from_slice(&[0x01, 0x00, 0x00, 0x3b]);
    assert_eq!(slot(&[0], Descriptor::None), expected);
}

#[test]
fn a_unit_is_named_by_two_bytes() {
    let slot = bytes(Slot::command(TAG, 0x0102, &[0; 16], Descriptor::None));
    assert_eq!(slot[..8], [1, 0, 0, 0x3b, 1, 2, 0, 0]);
}

#[test]
fn task_management() {
    let mut expected = [0; 32];
    expected[..10].copy_from_slice(&[4, 0, 0, 61, 0, 5, 0, 1, 0, 0x3b]);
    let abort = Slot::task(61, 5, Function::AbortTask(TAG));
    assert_eq!(bytes(abort), expected);
    expected[7..10].copy_from_slice(&[8, 0, 0]);
    let reset = Slot::task(61, 5, Function::LogicalUnitReset);
    assert_eq!(bytes(reset), expected);
}

fn header(bytes: [u8; 8]) -> Option<Response> {
    Response::of_command(u64::from_ne_bytes(bytes), TAG)
}

fn ended(status: u8, body: Body) -> Option<Response> {
    Some(Response { status, body })
}

#[test]
fn responses() {
    let good = [0x02, 0x01, 0x00, 0x3b, 0, 0, 0, 0];
    assert_eq!(header(good), ended(0, Body::None));
    let check = [0x02, 0x05, 0x00, 0x3b, 0x00, 0x12, 0x02, 0x00];
    assert_eq!(header(check), ended(2, Body::Sense(18)));
    let inline = [0x02, 0x03, 0x00, 0x3b, 0x00, 0x18, 0x00, 0x00];
    assert_eq!(header(inline), ended(0, Body::Data(24)));
    // More sense than there is room for is cut.
    let long = [0x02, 0x05, 0x00, 0x3b, 0xff, 0xff, 0x02, 0x00];
    assert_eq!(header(long), ended(2, Body::Sense(24)));
    // A second status byte has no influence.
    let second = [0x02, 0x01, 0x00, 0x3b, 0, 0, 0, 0x77];
    assert_eq!(header(second), ended(0, Body::None));
}

#[test]
fn responses_that_are_missing_or_make_no_sense() {
    assert_eq!(Response::of_command(UNANSWERED, 0), None);
    assert_eq!(header([0x02, 0x01, 0x00, 0x3c, 0, 0, 0, 0]), None);
    assert_eq!(header([0x03, 0x01, 0x00, 0x3b, 0, 0, 0, 0]), None);
    // Inline data without bit 0, or longer than there is room for; what never comes
    let garbled = ended(0, Body::Garbled);
    assert_eq!(header([0x02, 0x02, 0x00, 0x3b, 0, 8, 0, 0]), garbled);
    assert_eq!(header([0x02, 0x03, 0x00, 0x3b, 0, 25, 0, 0]), garbled);
    assert_eq!(header([0x02, 0x07, 0x00, 0x3b, 0, 8, 0, 0]), garbled);
}

#[test]
fn answers_to_task_management() {
    let task = |bytes| Response::of_task(u64::from_ne_bytes(bytes), 61);
    assert_eq!(task([2, 1, 0, 61, 0, 0, 0, 0]), Some(0));
    assert_eq!(task([5, 0, 0, 61, 0, 0, 5, 0]), Some(5));
    assert_eq!(task([2, 1, 0, 62, 0, 0, 0, 0]), None);
    assert_eq!(task([0; 8]), None);
}

#[test]
fn entries_that_cannot_be_expressed() {
    assert_eq!(Entry::new(1 << 40, 512), None);
    assert_eq!(Entry::new(0x1004, 512), None);
    assert_eq!(Entry::new(0x1000, 4), None);
    assert_eq!(Entry::new(0x1000, 0), None);
    assert_eq!(Entry::new(0x1000, MAX_ENTRY_LEN + 8), None);
    assert!(Entry::new((1 << 40) - 8, MAX_ENTRY_LEN).is_some());
}
