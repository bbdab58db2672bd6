// SPDX-License-Identifier: GPL-2.0

//! What the checks of a card conclude from what they saw.

use std::fmt;

use crate::learn::{
    answers::{
        FILL, INQUIRY_LEN, Identity, PAGE_LEN, doorbell, find_response, inquiry, one_of, other_lun,
        ring, stride,
    },
    landing::{AREA, AREAS, Marks, Piece, Span, choose, landed, pattern},
    misfit::Misfit,
};
use crate::model::{CardModel, DoorbellKind, Evidence, LunEncoding, Ring};

const WHAT: &str = "a test";

const fn piece(area: usize, len: usize) -> Piece {
    Piece { area, len }
}

/// Marks of areas that were written from their beginning.
fn marks(written: &[(usize, usize)]) -> Marks {
    let mut marks = [None; AREAS];
    for (area, end) in written {
        marks[*area] = Some(Span {
            first: 0,
            end: *end as u16,
        });
    }
    marks
}

/// Region F, with a response of tag 1 that many bytes from its beginning.
fn region_f(at: usize, header: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![FILL; 4096];
    bytes[at..at + 8].fill(0);
    bytes[at..at + 4].copy_from_slice(&header);
    bytes
}

#[test]
fn strides_that_can_be_and_strides_that_cannot() {
    for at in CardModel::RESPONSE_STRIDES {
        assert_eq!(stride(at), Ok(at));
    }
    for at in [0, 4, 16, 20, 48, 1024] {
        assert_eq!(stride(at), Err(Misfit::Stride(at)));
    }
}

#[test]
fn responses_wherever_they_are() {
    for at in [0, 20, 64, 1024] {
        let found = find_response(&region_f(at, [2, 1, 0, 1]));
        assert_eq!(found, Some((at, 1)));
        let found = find_response(&region_f(at, [2, 5, 1, 0]));
        assert_eq!(found, Some((at, 0x100)));
        assert_eq!(find_response(&region_f(at, [1, 1, 0, 1])), None);
    }
    assert_eq!(find_response(&[FILL; 4096]), None);
}

#[test]
fn doorbells() {
    assert_eq!(doorbell(4, 5, 5), Ok(DoorbellKind::Counter));
    assert_eq!(doorbell(4, 5, 4), Ok(DoorbellKind::Constant));
    assert_eq!(doorbell(u32::MAX, 0, 0), Ok(DoorbellKind::Counter));
    let misfit = Misfit::Doorbell {
        before: 4,
        written: 5,
        after: 6,
    };
    assert_eq!(doorbell(4, 5, 6), Err(misfit));
}

#[test]
fn spans() {
    let mut bytes: Vec<u8> = (0..AREA).map(pattern).collect();
    assert_eq!(Span::of(&bytes), None);
    bytes[7] ^= 1;
    assert_eq!(Span::of(&bytes), Some(Span { first: 7, end: 8 }));
    bytes[AREA - 1] ^= 1;
    let whole = Span {
        first: 7,
        end: AREA as u16,
    };
    assert_eq!(Span::of(&bytes), Some(whole));
}

#[test]
fn data_that_landed_where_it_was_sent() {
    let pieces = [piece(0, 8), piece(2, 13)];
    for (end, overrun) in [(13, 0), (16, 0), (17, 1), (80, 64)] {
        let marks = marks(&[(0, 8), (2, end)]);
        assert_eq!(landed(WHAT, &marks, &pieces), Ok(overrun));
    }
    // Junk may be behind each piece.
    let marks = marks(&[(0, 11), (2, 13)]);
    assert_eq!(landed(WHAT, &marks, &pieces), Ok(3));
}

#[test]
fn data_that_did_not() {
    let pieces = [piece(0, 8), piece(2, 13)];
    let check = |written: &[(usize, usize)]| landed(WHAT, &marks(written), &pieces);
    assert_eq!(check(&[]), Err(Misfit::Nowhere(WHAT)));
    assert_eq!(check(&[(0, 8)]), Err(Misfit::Elsewhere(WHAT)));
    assert_eq!(check(&[(5, 8)]), Err(Misfit::Elsewhere(WHAT)));
    assert_eq!(check(&[(0, 8), (3, 13)]), Err(Misfit::Elsewhere(WHAT)));
    // All in the first piece.
    assert_eq!(check(&[(0, 21)]), Err(Misfit::Elsewhere(WHAT)));
    // Less than was asked for.
    assert_eq!(check(&[(0, 8), (2, 12)]), Err(Misfit::Elsewhere(WHAT)));
    let beyond = check(&[(0, 8), (2, 13), (30, 64)]);
    assert_eq!(beyond, Err(Misfit::Beyond(WHAT)));
    let endless = check(&[(0, 8), (2, AREA)]);
    assert_eq!(endless, Err(Misfit::Overrun(AREA - 16)));
    // Not from its beginning on.
    let mut marks = marks(&[(0, 8), (2, 13)]);
    marks[2] = Some(Span { first: 1, end: 13 });
    let shifted = landed(WHAT, &marks, &pieces);
    assert_eq!(shifted, Err(Misfit::Elsewhere(WHAT)));
}

#[test]
fn one_way_of_two() {
    let (small, large) = ([piece(0, 36)], [piece(1, 36)]);
    let ways = [(8, small.as_slice()), (64, large.as_slice())];
    let check = |written: &[(usize, usize)]| choose(WHAT, &marks(written), &ways);
    assert_eq!(check(&[(0, 36)]), Ok((8, 0)));
    assert_eq!(check(&[(1, 40)]), Ok((64, 4)));
    assert_eq!(check(&[]), Err(Misfit::Nowhere(WHAT)));
    assert_eq!(check(&[(30, 36)]), Err(Misfit::Elsewhere(WHAT)));
    assert_eq!(check(&[(0, 36), (30, 64)]), Err(Misfit::Beyond(WHAT)));
    assert_eq!(check(&[(1, 36), (30, 64)]), Err(Misfit::Beyond(WHAT)));
    assert_eq!(check(&[(0, 36), (1, 36)]), Err(Misfit::Beyond(WHAT)));
}

#[test]
fn data_of_inquiry() {
    let mut data = [b' '; INQUIRY_LEN];
    data[..8].copy_from_slice(&[0, 0, 5, 2, 31, 0, 0, 2]);
    assert_eq!(inquiry(&data), Ok(()));
    for (at, byte, sense) in [
        (0, 0x7f, true),
        (0, 0x0c, true),
        (0, 0x05, false),
        (0, 0x60, false),
        (3, 0x12, true),
        (3, 0x03, false),
        (20, 0, true),
        (20, 0x1f, false),
        (35, 0xa5, false),
    ] {
        let mut data = data;
        data[at] = byte;
        assert_eq!(inquiry(&data).is_ok(), sense, "{byte:#x} at {at}");
    }
}

#[test]
fn lists_of_units() {
    let list = |luns: &[u8]| -> Vec<u8> {
        let mut data = vec![0, 0, 0, luns.len() as u8 * 8, 0, 0, 0, 0];
        luns.iter()
            .for_each(|lun| data.extend([0, *lun, 0, 0, 0, 0, 0, 0]));
        data.extend([pattern(0); 100]);
        data
    };
    assert_eq!(other_lun(&list(&[]), 256), Ok(None));
    assert_eq!(other_lun(&list(&[0]), 256), Ok(None));
    assert_eq!(other_lun(&list(&[0, 7, 9]), 256), Ok(Some(7)));
    assert_eq!(other_lun(&list(&[7]), 256), Ok(Some(7)));
    assert_eq!(other_lun(&list(&[7]), 7), Ok(None));
    for (at, byte) in [(3, 9), (4, 1)] {
        let mut data = list(&[0, 7]);
        data[at] = byte;
        assert_eq!(other_lun(&data, 256), Err(Misfit::ReportLuns));
    }
    assert_eq!(other_lun(&[0; 7], 256), Err(Misfit::ReportLuns));
    // A length that is longer than the data.
    let long = other_lun(&[0xff, 0xff, 0xff, 0xf8, 0, 0, 0, 0], 256);
    assert_eq!(long, Ok(None));
}

fn page(device: u8, body: &[u8]) -> [u8; PAGE_LEN] {
    let mut page = [0x99; PAGE_LEN];
    page[..4].copy_from_slice(&[device, 0x83, 0, body.len() as u8]);
    page[4..4 + body.len()].copy_from_slice(body);
    page
}

#[test]
fn who_a_unit_is() {
    let first = Identity::of_page(0x83, &page(0, b"one"));
    let other = Identity::of_page(0x83, &page(0, b"two"));
    let nobody = Identity::of_page(0x83, &page(0, b""));
    let absent = Identity::of_page(0x83, &page(0x7f, b"two"));
    assert!(other.is_another_than(&first) && first.is_another_than(&absent));
    assert!(nobody.is_another_than(&absent));
    for (unit, than) in [
        (&first, &first),
        (&nobody, &first),
        (&first, &nobody),
        (&absent, &first),
        (&absent, &absent),
    ] {
        assert!(!unit.is_another_than(than), "{unit:?} {than:?}");
    }
    // Junk behind the page makes no other unit.
    let mut junk = page(0, b"one");
    junk[7..].fill(0x11);
    assert_eq!(Identity::of_page(0x83, &junk), first);
    assert_eq!(Identity::of_page(0x80, &page(0, b"one")), nobody);
}

#[test]
fn encodings() {
    let [a, b] = LunEncoding::CANDIDATES;
    assert_eq!(one_of([(a, true), (b, false)]), Some(a));
    assert_eq!(one_of([(a, false), (b, true)]), Some(b));
    assert_eq!(one_of([(a, false), (b, false)]), None);
    assert_eq!(one_of([(a, true), (b, true)]), None);
    assert_eq!(a.encode(1), [0, 0, 0, 1]);
    assert_eq!(b.encode(1), [0, 1, 0, 0]);
}

#[test]
fn rings() {
    assert_eq!(ring(&[FILL; 8], [1, 127]), Ring::None);
    assert_eq!(ring(&[0, 0, 0, 1, 0, 0, 0, 127], [1, 127]), Ring::Tag32);
    let [f, ..] = [FILL; 1];
    assert_eq!(ring(&[0, 1, 0, 127, f, f, f, f], [1, 127]), Ring::Tag16);
    assert_eq!(ring(&[1, 0, 0, 0, 127, 0, 0, 0], [1, 127]), Ring::Unknown);
}

#[test]
fn evidence() {
    let mut card = CardModel::REFERENCE;
    assert_eq!(card.list_unit.evidence, Evidence::Assumed);
    card.list_unit.see(64);
    assert_eq!(card.list_unit.evidence, Evidence::Confirmed);
    let mut card = CardModel::REFERENCE;
    card.list_unit.see(8);
    assert_eq!(card.list_unit.evidence, Evidence::Learned);
    assert_eq!(card.list_unit.value, 8);
}

/// Something that writes itself.
struct Written<F>(F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Written<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0(f)
    }
}

#[test]
fn the_model_in_a_line_and_in_a_table() {
    let mut card = CardModel::REFERENCE;
    card.response_stride.see(128);
    card.doorbell.see(DoorbellKind::Counter);
    assert_eq!(
        Written(|f: &mut fmt::Formatter<'_>| card.write_line(f)).to_string(),
        "response stride 128 (learned), list unit 64 (assumed), doorbell Counter (confirmed), \
         LUN U32 (assumed), bytes behind data 0 (assumed), entry count bits 24 (assumed), \
         address bits 36 (assumed), ring Tag32 (assumed)"
    );
    let table = Written(|f: &mut fmt::Formatter<'_>| card.write_table(f)).to_string();
    assert_eq!(table.lines().count(), 8);
    assert!(
        table.starts_with("learned    response stride    128\nassumed "),
        "{table}"
    );
}

#[test]
fn a_misfit_says_what_did_not_fit() {
    let text =
        |misfit: Misfit| Written(move |f: &mut fmt::Formatter<'_>| misfit.write(f)).to_string();
    assert_eq!(text(Misfit::Stride(48)), "responses lie 48 bytes apart");
    assert_eq!(
        text(Misfit::Address(0x1_2345_6ffc)),
        "a buffer at 0x123456ffc was not reached: are addresses cut to 32 bits? \
         4 bytes of memory at 0x23456ffc may have been overwritten"
    );
}
