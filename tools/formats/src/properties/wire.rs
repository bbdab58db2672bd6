// SPDX-License-Identifier: GPL-2.0

//! Formats: what the driver writes, the twin's decoder reads as it was meant, and the reverse.

use apple_raid_twin::card::{
    params::ListFlag,
    wire::{self as twin, Kind},
};
use arbitrary::Arbitrary;

use crate::wire::{
    ADDRESS_BITS, BODY_LEN, Body, Descriptor, Entry, Function, MAX_ENTRY_LEN, Response, Slot, UNIT,
};

/// What a card might answer.
#[derive(Arbitrary, Clone, Debug)]
pub struct Answer {
    header: [u8; 8],
    tag: u16,
}

/// What a driver might ask for.
#[derive(Arbitrary, Clone, Debug)]
pub struct Request {
    address: u64,
    len: u32,
    unit: u16,
    tag: u16,
    lun: u16,
    cdb: [u8; 16],
}

/// Both.
#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    answer: Answer,
    request: Request,
}

/// Both directions.
pub fn both_sides_agree(input: &Input) {
    answers_are_read_with_care(&input.answer);
    requests_are_read_as_they_were_meant(&input.request);
}

/// The bytes of a slot, as they lie in memory.
pub(crate) fn bytes(slot: Slot) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, word) in bytes.chunks_exact_mut(8).zip(slot.0) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

fn first_word(answer: &twin::Answer) -> u64 {
    u64::from_ne_bytes(*answer.0.first_chunk().expect("32 bytes"))
}

/// A header is an answer to one tag or to none, and never announces more than there is room for.
fn answers_are_read_with_care(Answer { header, tag }: &Answer) {
    let read = Response::of_command(u64::from_ne_bytes(*header), *tag);
    let ours = header[0] == 2 && header[2..4] == tag.to_be_bytes();
    assert_eq!(read.is_some(), ours, "{header:02x?}");
    if let Some(Response { status, body }) = read {
        assert_eq!(status, header[6], "{header:02x?}");
        if let Body::Data(len) | Body::Sense(len) = body {
            assert!(len <= BODY_LEN, "{header:02x?}");
        }
    }
    let is = |answer: twin::Answer, status, body| {
        let read = Response::of_command(first_word(&answer), *tag);
        assert_eq!(read, Some(Response { status, body }));
        let other = Response::of_command(first_word(&answer), !*tag);
        assert_eq!(other, None);
    };
    is(twin::Answer::good(*tag), 0, Body::None);
    is(twin::Answer::inline(*tag, &[1; 24]), 0, Body::Data(24));
    is(twin::Answer::sense(*tag, 5, 0x24, 0), 2, Body::Sense(18));
}

/// A slot holds what it was built from.
fn requests_are_read_as_they_were_meant(request: &Request) {
    let &Request {
        len,
        unit,
        tag,
        lun,
        ref cdb,
        ..
    } = request;
    // Often one that can be expressed.
    let address = request.address >> 23 & !7;
    let len = len % (2 * MAX_ENTRY_LEN);
    let entry = Entry::new(address, len);
    let expressible = address < 1 << ADDRESS_BITS
        && address % u64::from(UNIT) == 0
        && len % UNIT == 0
        && (1..=MAX_ENTRY_LEN).contains(&len);
    assert_eq!(entry.is_some(), expressible, "{request:02x?}");

    let list = |marked| Some(Descriptor::List { unit, marked });
    let all = [
        Some(Descriptor::None),
        list(false),
        list(true),
        entry.map(Descriptor::InPlace),
    ];
    for descriptor in all.into_iter().flatten() {
        let raw = bytes(Slot::command(tag, lun, cdb, descriptor));
        let slot = twin::Slot::decode(&raw, tag).expect("a slot");
        assert_eq!((slot.kind, slot.tag, slot.lun), (Kind::Scsi, tag, lun));
        assert_eq!((slot.how, slot.cdb), (0, *cdb));
        match descriptor {
            Descriptor::None => assert_eq!((slot.descriptor, slot.in_place()), ([0; 8], false)),
            Descriptor::List { marked, .. } => {
                let flag = if marked {
                    ListFlag::Set
                } else {
                    ListFlag::Clear
                };
                assert_eq!(slot.descriptor(flag), twin::Descriptor::List(unit));
            }
            Descriptor::InPlace(_) => {
                let twin::Descriptor::InPlace(read) = slot.descriptor(ListFlag::Clear) else {
                    panic!("{request:02x?}: not in place");
                };
                assert_eq!((read.address, read.bytes()), (address, len.into()));
            }
        }
    }

    for (function, number, victim) in [
        (Function::AbortTask(unit), 1, unit),
        (Function::LogicalUnitReset, 8, 0),
    ] {
        let raw = bytes(Slot::task(tag, lun, function));
        let slot = twin::Slot::decode(&raw, tag).expect("a slot");
        assert_eq!((slot.kind, slot.lun), (Kind::Task, lun));
        assert_eq!((slot.function(), slot.victim()), (number, victim));
    }
}
