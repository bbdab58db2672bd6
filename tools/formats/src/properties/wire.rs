// SPDX-License-Identifier: GPL-2.0

//! Formats: what the driver writes, the twin's decoder reads as it was meant, and the reverse.

use core::num::NonZero;

use apple_raid_twin::{
    CardParams,
    card::wire::{self as twin, Descriptor},
};
use arbitrary::Arbitrary;

use crate::wire::{self, ADDRESS_BITS, Entry, MAX_WORDS, Response, SENSE_LEN};

/// What a card might answer.
#[derive(Arbitrary, Clone, Debug)]
pub struct Answer {
    header: [u8; 8],
    tag: [u8; 2],
}

/// What a driver might ask for.
#[derive(Arbitrary, Clone, Debug)]
pub struct Request {
    address: [u8; 8],
    len: u32,
    index: NonZero<u16>,
    tag: u16,
    lun: [u8; 4],
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

/// A header is an answer to one tag or to none, and never announces more sense than there is room
/// for.
fn answers_are_read_with_care(Answer { header, tag }: &Answer) {
    let tag = u16::from_be_bytes(*tag);
    let [kind, flags, tag_hi, tag_lo, len_hi, len_lo, status, zero] = *header;
    let announced = usize::from(u16::from_be_bytes([len_hi, len_lo]));
    let ours = kind == 2 && [tag_hi, tag_lo] == tag.to_be_bytes();
    match wire::response(*header, tag) {
        None => assert!(!ours, "{header:02x?}"),
        Some(Response::Garbled) => assert!(
            ours && !(zero == 0 && (flags == 1 && announced == 0 || flags == 5 && announced > 0)),
            "{header:02x?}"
        ),
        Some(Response::Done {
            status: read,
            sense_len,
        }) => {
            assert!(ours && zero == 0 && read == status, "{header:02x?}");
            assert_eq!(sense_len, announced.min(SENSE_LEN), "{header:02x?}");
            assert_eq!(flags, if sense_len > 0 { 5 } else { 1 }, "{header:02x?}");
        }
    }

    let done = |status, sense_len| Some(Response::Done { status, sense_len });
    let (good, check) = (twin::good(tag), twin::check_condition(tag));
    assert_eq!(wire::response(good, tag), done(0, 0));
    assert_eq!(wire::response(check, tag), done(2, SENSE_LEN));
    for other in [tag ^ 1, tag.swap_bytes(), !tag] {
        assert_eq!(wire::response(good, other).is_some(), other == tag);
    }
}

/// A slot holds what it was built from, and an entry covers no less than it should, and at most
/// the rest of a word more.
fn requests_are_read_as_they_were_meant(request: &Request) {
    let params = CardParams::default();
    let address = u64::from_be_bytes(request.address);
    let entry = Entry::new(address, request.len);
    let expressible = address < 1 << ADDRESS_BITS && (1..=MAX_WORDS * 4).contains(&request.len);
    assert_eq!(entry.is_some(), expressible, "{request:02x?}");

    let descriptors = [Some(Entry::ZERO), Some(Entry::list(request.index)), entry];
    for descriptor in descriptors.into_iter().flatten() {
        let raw = wire::slot(request.tag, request.lun, &request.cdb, descriptor);
        let slot = twin::Slot::decode(&raw, request.tag, &params).expect("a slot");
        assert_eq!(slot.tag, request.tag);
        assert_eq!(slot.lun, u32::from_be_bytes(request.lun));
        assert_eq!(slot.cdb, request.cdb);
        match slot.descriptor {
            Descriptor::None => assert_eq!(descriptor, Entry::ZERO),
            Descriptor::List(index) => {
                assert_eq!(descriptor, Entry::list(request.index));
                assert_eq!(index, request.index.get());
            }
            Descriptor::Direct(read) => {
                assert_eq!(Some(descriptor), entry);
                assert_eq!(read.address, address);
                let more = read.bytes().checked_sub(request.len.into());
                assert!(more.is_some_and(|more| more < 4), "{request:02x?}");
                // Whichever width the count has.
                assert_eq!(read.words >> 16, 0);
            }
        }
    }
}
