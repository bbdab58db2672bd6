// SPDX-License-Identifier: GPL-2.0

//! Byte for byte what stands in the macOS trace.

use core::num::NonZero;

use crate::wire::{self, Entry, Response};

const TAG: u16 = 0x3b;

fn cdb(bytes: &[u8]) -> [u8; 16] {
    let mut cdb = [0; 16];
    cdb[..bytes.len()].copy_from_slice(bytes);
    cdb
}

fn slot(command: &[u8], descriptor: Entry) -> [u8; 32] {
    wire::slot(TAG, [0; 4], &cdb(command), descriptor)
}

fn entry(address: u64, len: u32) -> Entry {
    Entry::new(address, len).expect("an entry that can be expressed")
}

#[test]
fn inquiry_of_6_bytes_goes_directly() {
    assert_eq!(
        slot(&[0x12, 0, 0, 0, 6], entry(0x1799_d1d8, 6)),
        [
            0x01, 0x01, 0x00, 0x3b, 0, 0, 0, 0, //
            0x12, 0x00, 0x00, 0x00, 0x06, 0, 0, 0, //
            0, 0, 0, 0, 0, 0, 0, 0, //
            0x00, 0x17, 0x99, 0xd1, 0xd8, 0x00, 0x00, 0x02,
        ]
    );
}

#[test]
fn an_address_above_4_gib_has_five_bytes() {
    assert_eq!(
        slot(&[0x12, 1, 0x83, 4], entry(0x02_3294_c000, 4)),
        [
            0x01, 0x01, 0x00, 0x3b, 0, 0, 0, 0, //
            0x12, 0x01, 0x83, 0x04, 0, 0, 0, 0, //
            0, 0, 0, 0, 0, 0, 0, 0, //
            0x02, 0x32, 0x94, 0xc0, 0x00, 0x00, 0x00, 0x01,
        ]
    );
}

#[test]
fn a_list_is_an_index_and_zeros() {
    let index = NonZero::new(0x0887).expect("not zero");
    assert_eq!(
        slot(&[0x12, 1, 0x80, 0x0d], Entry::list(index)),
        [
            0x01, 0x01, 0x00, 0x3b, 0, 0, 0, 0, //
            0x12, 0x01, 0x80, 0x0d, 0, 0, 0, 0, //
            0, 0, 0, 0, 0, 0, 0, 0, //
            0x08, 0x87, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        ]
    );
}

#[test]
fn the_list_of_13_bytes_has_two_entries_of_two_words() {
    assert_eq!(
        entry(0x02_319b_5900, 8).to_bytes(),
        [0x02, 0x31, 0x9b, 0x59, 0x00, 0x00, 0x00, 0x02]
    );
    assert_eq!(
        entry(0x00_0b59_d1d8, 5).to_bytes(),
        [0x00, 0x0b, 0x59, 0xd1, 0xd8, 0x00, 0x00, 0x02]
    );
}

#[test]
fn test_unit_ready_has_no_data() {
    let mut expected = [0; 32];
    expected[..4].copy_from_slice(&[0x01, 0x01, 0x00, 0x3b]);
    assert_eq!(slot(&[0], Entry::ZERO), expected);
}

#[test]
fn a_good_response() {
    let header = [0x02, 0x01, 0x00, 0x3b, 0, 0, 0, 0];
    let done = Response::Done {
        status: 0,
        sense_len: 0,
    };
    assert_eq!(wire::response(header, TAG), Some(done));
    assert_eq!(wire::response(header, TAG + 1), None);
    assert_eq!(wire::response(wire::UNANSWERED, 0), None);
}

#[test]
fn a_check_condition() {
    let header = [0x02, 0x05, 0x00, 0x3b, 0x00, 0x12, 0x02, 0x00];
    let done = Response::Done {
        status: 2,
        sense_len: 18,
    };
    assert_eq!(wire::response(header, TAG), Some(done));
}

#[test]
fn sense_is_cut_to_what_there_is_room_for() {
    let done = Response::Done {
        status: 2,
        sense_len: 18,
    };
    for len in [[0x00, 0x13], [0xff, 0xff]] {
        let header = [0x02, 0x05, 0x00, 0x3b, len[0], len[1], 0x02, 0x00];
        assert_eq!(wire::response(header, TAG), Some(done));
    }
}

#[test]
fn responses_that_make_no_sense() {
    for header in [
        // sense that is announced, but has no length, and the reverse
        [0x02, 0x05, 0x00, 0x3b, 0x00, 0x00, 0x02, 0x00],
        [0x02, 0x01, 0x00, 0x3b, 0x00, 0x12, 0x02, 0x00],
        // flags that were never seen, and a byte that was always zero
        [0x02, 0x00, 0x00, 0x3b, 0, 0, 0, 0],
        [0x02, 0xff, 0x00, 0x3b, 0, 0, 0, 0],
        [0x02, 0x01, 0x00, 0x3b, 0, 0, 0, 1],
    ] {
        assert_eq!(
            wire::response(header, TAG),
            Some(Response::Garbled),
            "{header:02x?}"
        );
    }
}

#[test]
fn entries_that_cannot_be_expressed() {
    assert_eq!(Entry::new(1 << 40, 512), None);
    assert_eq!(Entry::new(0x1000, 0), None);
    assert_eq!(Entry::new(0x1000, wire::MAX_WORDS * 4 + 1), None);
    assert_eq!(Entry::new(0x1000, u32::MAX), None);
    assert!(Entry::new((1 << 40) - 512, wire::MAX_WORDS * 4).is_some());
}
