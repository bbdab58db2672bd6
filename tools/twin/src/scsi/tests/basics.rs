// SPDX-License-Identifier: GPL-2.0

//! Discovery, and blocks there and back.

use super::*;

const INVALID_CDB: (u8, u8, u8) = (5, 0x24, 0);

#[test]
fn a_disk_introduces_itself() {
    let data = good(&target(), 0, &[0x12, 0, 0, 0, 255, 0]);
    assert_eq!(data.len(), 96);
    assert_eq!(data[0..8], [0, 0, 6, 2, 91, 0, 0, 2]);
    assert_eq!(&data[8..36], b"Apple   RAID Card Vol   2210");
    let data = good(&target(), 0, &[0x12, 0, 0, 0, 36, 0]);
    assert_eq!((data.len(), data[4]), (36, 91));
}

#[test]
fn a_disk_can_be_disconnected() {
    let target = target();
    target.disconnect(0, true).unwrap();
    assert_eq!(good(&target, 0, &[0x12, 0, 0, 0, 36, 0])[0], 0x20);
    assert_eq!(good(&target, 0, &[0x12, 1, 0x83, 0, 36, 0])[0], 0x20);
    target.disconnect(0, false).unwrap();
    assert_eq!(good(&target, 0, &[0x12, 0, 0, 0, 36, 0])[0], 0);
}

#[test]
fn vital_data_fail_as_often_as_asked() {
    let target = target();
    target.fail_vital_data(0, 2).unwrap();
    good(&target, 0, &[0x12, 0, 0, 0, 36, 0]);
    check(&target, 0, &[0x12, 1, 0, 0, 36, 0], (4, 0x44, 0));
    check(&target, 0, &[0x12, 1, 0x83, 0, 36, 0], (4, 0x44, 0));
    good(&target, 0, &[0x12, 1, 0x83, 0, 36, 0]);
}

#[test]
fn blocks_come_back_as_they_went() {
    let target = target();
    let data: Vec<u8> = (0..4096u32).map(|n| (n % 251) as u8).collect();
    good_out(&target, 0, &[0x2a, 0, 0, 0, 0, 3, 0, 0, 8, 0], &data);
    assert_eq!(target.dirty_bytes(), 4096);
    assert_eq!(good(&target, 0, &[0x28, 0, 0, 0, 0, 3, 0, 0, 8, 0]), data);
    assert_eq!(good(&target, 0, &[0x08, 0, 0, 4, 1, 0]), data[512..1024]);
    assert_eq!(good(&target, 0, &[0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 8]), data);
    good(&target, 0, &[0x35]);
    assert_eq!(target.dirty_bytes(), 0);
    let read16 = [0x88, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0];
    assert_eq!(good(&target, 0, &read16), data);
}

#[test]
fn addresses_beyond_the_end_are_refused() {
    let target = target();
    check(&target, 0, &[0x28, 0, 0, 0, 8, 0, 0, 0, 1, 0], (5, 0x21, 0));
    check(
        &target,
        0,
        &[0x28, 0, 0, 0, 7, 255, 0, 0, 2, 0],
        (5, 0x21, 0),
    );
    good(&target, 0, &[0x28, 0, 0, 0, 7, 255, 0, 0, 1, 0]);
    let mut last = [0xff; 16];
    last[..2].copy_from_slice(&[0x88, 0]);
    last[10..].copy_from_slice(&[0, 0, 0, 1, 0, 0]);
    check(&target, 0, &last, (5, 0x21, 0));
}

#[test]
fn bits_that_mean_nothing_are_refused() {
    let target = target();
    let sense = check(
        &target,
        0,
        &[0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0],
        INVALID_CDB,
    );
    assert_eq!(sense[15..], [0xcd, 0, 1]); // RDPROTECT
    let sense = check(&target, 0, &[0x00, 0, 0, 0, 0, 0x04], INVALID_CDB);
    assert_eq!(sense[15..], [0xca, 0, 5]); // NACA
    check(&target, 0, &[0xc1], (5, 0x20, 0));
    check(&target, 0, &[0x9e, 0x12], INVALID_CDB);
}

#[test]
fn an_absent_unit_answers_as_the_standard_says() {
    let target = Target::default();
    target
        .add_volume(3, Volume::temporary(BYTES).unwrap())
        .unwrap();
    assert_eq!(
        good(&target, 0, &[0x12, 0, 0, 0, 255, 0])[..3],
        [0x7f, 0, 6]
    );
    let luns = good(&target, 0, &[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(luns, [0, 0, 0, 8, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        good(&target, 0, &[0x03, 0, 0, 0, 18, 0])[2..14],
        [5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0]
    );
    check(&target, 0, &[0x00], (5, 0x25, 0));
    check(&target, 0, &[0xc1], (5, 0x25, 0));
}
