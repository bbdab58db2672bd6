// SPDX-License-Identifier: GPL-2.0

//! MODE SENSE and MODE SELECT, and what the write cache bit does.

use super::*;

const INVALID_CDB: (u8, u8, u8) = (5, 0x24, 0);
const INVALID_LIST: (u8, u8, u8) = (5, 0x26, 0);
const LIST_LENGTH: (u8, u8, u8) = (5, 0x1a, 0);

/// MODE SENSE(6) without block descriptor.
fn sense(target: &Target, control_and_page: u8) -> Vec<u8> {
    good(target, 0, &[0x1a, 8, control_and_page, 0, 255, 0])
}

/// Byte 2 of the caching page.
fn caching(target: &Target, control: u8) -> u8 {
    sense(target, (control << 6) | 0x08)[6]
}

/// The list that sets WCE so, for MODE SELECT(6).
fn list(caching: u8) -> Vec<u8> {
    let mut list = vec![0; 24];
    list[4..7].copy_from_slice(&[0x08, 0x12, caching]);
    list
}

/// MODE SELECT(6) of `list`, with PF and perhaps SP.
fn select(list: &[u8], save: u8) -> [u8; 6] {
    [0x15, 0x10 | save, 0, 0, list.len() as u8, 0]
}

#[test]
fn all_pages_come_in_order() {
    let target = target();
    let data = sense(&target, 0x3f);
    assert_eq!(data.len(), 4 + 12 + 20 + 12 + 12);
    assert_eq!(data[..4], [59, 0, 0x10, 0]);
    assert_eq!(
        [data[4], data[16], data[36], data[48]],
        [0x01, 0x88, 0x0a, 0x1c]
    );
    assert_eq!(good(&target, 0, &[0x1a, 8, 0x3f, 0xff, 255, 0]), data);
    let cut = good(&target, 0, &[0x1a, 8, 0x3f, 0, 4, 0]);
    assert_eq!(cut, data[..4]);
    check(&target, 0, &[0x1a, 8, 0x19, 0, 255, 0], INVALID_CDB);
    check(&target, 0, &[0x1a, 8, 0x08, 1, 255, 0], INVALID_CDB);
}

#[test]
fn block_descriptors_are_short_or_long_or_absent() {
    let target = target();
    let data = good(&target, 0, &[0x1a, 0, 0x08, 0, 255, 0]);
    assert_eq!(data[..12], [31, 0, 0x10, 8, 0, 0, 8, 0, 0, 0, 2, 0]);
    let data = good(&target, 0, &[0x5a, 0, 0x08, 0, 0, 0, 0, 0, 255, 0]);
    assert_eq!(
        data[..16],
        [0, 34, 0, 0x10, 0, 0, 0, 8, 0, 0, 8, 0, 0, 0, 2, 0]
    );
    let data = good(&target, 0, &[0x5a, 0x10, 0x08, 0, 0, 0, 0, 0, 255, 0]);
    assert_eq!(data[..8], [0, 42, 0, 0x10, 1, 0, 0, 16]);
    assert_eq!(
        data[8..24],
        [0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0]
    );
    let data = good(&target, 0, &[0x5a, 0x18, 0x08, 0, 0, 0, 0, 0, 255, 0]);
    assert_eq!(data[..8], [0, 26, 0, 0x10, 0, 0, 0, 0]);
}

#[test]
fn only_wce_is_changeable() {
    let target = target();
    let changeable = sense(&target, 0x40 | 0x3f);
    let mut expected = sense(&target, 0x3f);
    for (page, len) in [(4, 12), (16, 20), (36, 12), (48, 12)] {
        expected[page + 2..page + len].fill(0);
    }
    expected[18] = 0x04;
    assert_eq!(changeable, expected);
}

#[test]
fn turning_the_cache_off_flushes_it() {
    let target = target();
    good_out(&target, 0, &[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[1; 512]);
    good_out(&target, 0, &select(&list(0), 0), &list(0));
    assert_eq!(target.dirty_bytes(), 0);
    assert_eq!(
        [0, 1, 2, 3].map(|control| caching(&target, control)),
        [0, 4, 4, 4]
    );
    good_out(&target, 0, &[0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0], &[2; 512]);
    assert_eq!(target.dirty_bytes(), 0);
    target.power_cut();
    good(&target, 0, &[0x03]);
    assert_eq!(caching(&target, 0), 4);
    let data = good(&target, 0, &[0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    assert_eq!(data, [[1u8; 512], [2; 512]].concat());
}

#[test]
fn a_saved_page_survives_a_power_cut() {
    let target = target();
    good_out(&target, 0, &select(&list(0), 1), &list(0));
    target.power_cut();
    good(&target, 0, &[0x03]);
    assert_eq!(
        [0, 2, 3].map(|control| caching(&target, control)),
        [0, 4, 0]
    );
}

#[test]
fn what_mode_sense_returned_may_be_sent_back() {
    let target = target();
    for (at, opcode, flags) in [
        (0, 0x5a, 0x00),
        (0, 0x5a, 0x10),
        (0, 0x5a, 0x08),
        (2, 0x1a, 0x00),
    ] {
        let cdb: &[u8] = match opcode {
            0x5a => &[0x5a, flags, 0x3f, 0, 0, 0, 0, 0, 255, 0],
            _ => &[0x1a, flags, 0x3f, 0, 255, 0],
        };
        let mut list = good(&target, 0, cdb);
        let (header, descriptor) = if at == 0 { (8, list[7]) } else { (4, list[3]) };
        list[..2].fill(0); // mode data length
        list[if at == 0 { 3 } else { 2 }] = 0; // device-specific parameter
        list[1] = 0;
        let caching = header + usize::from(descriptor) + 12;
        assert_eq!(list[caching], 0x88);
        list[caching] = 0x08; // PS
        let length = list.len() as u8;
        let select: &[u8] = match opcode {
            0x5a => &[0x55, 0x11, 0, 0, 0, 0, 0, 0, length, 0],
            _ => &[0x15, 0x11, 0, 0, length, 0],
        };
        if opcode == 0x1a {
            list[0] = 0;
        }
        good_out(&target, 0, select, &list);
    }
    assert_eq!(caching(&target, 0), 4);
}

#[test]
fn a_list_that_is_cut_is_refused() {
    let target = target();
    let whole = list(0);
    good(&target, 0, &[0x15, 0x10, 0, 0, 0, 0]);
    for length in 1..whole.len() {
        let cut = &whole[..length];
        let bare = length == 4; // a header without pages
        match execute(&target, 0, &select(cut, 0), cut).sense {
            Some(sense) => assert_eq!((sense[2], sense[12], sense[13]), LIST_LENGTH),
            None => assert!(bare, "{length}"),
        }
    }
    assert_eq!(caching(&target, 0), 4);
    check_out(&target, 0, &[0x15, 0, 0, 0, 24, 0], &whole, INVALID_CDB);
    check_out(&target, 0, &select(&whole, 0), &whole[1..], (0x0b, 0x4b, 0));
}

#[test]
fn a_list_that_changes_more_is_refused() {
    let target = target();
    for (at, value) in [
        (0, 1),
        (1, 1),
        (4, 0x88),
        (4, 0x48),
        (4, 0x19),
        (5, 0x0a),
        (6, 1),
        (23, 1),
    ] {
        let mut list = list(0);
        list[at] = value;
        let sense = check_out(&target, 0, &select(&list, 0), &list, INVALID_LIST);
        assert_eq!(sense[15..], [0x80, 0, at as u8]);
    }
    // A descriptor that names other blocks, or is of no known length.
    for (at, value, named) in [(7, 1, 4), (8, 1, 4), (10, 4, 9), (3, 7, 3)] {
        let mut list = vec![0, 0, 0, 8, 0, 0, 8, 0, 0, 0, 2, 0];
        list[at] = value;
        let sense = check_out(&target, 0, &select(&list, 0), &list, INVALID_LIST);
        assert_eq!(sense[15..], [0x80, 0, named]);
    }
    assert_eq!(caching(&target, 0), 4);
}
