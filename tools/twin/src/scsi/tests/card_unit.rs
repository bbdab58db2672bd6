// SPDX-License-Identifier: GPL-2.0

//! LUN 0 as the card's own unit, and volumes at LUNs far apart.

use super::super::TargetError;
use super::*;

fn volume() -> Volume {
    Volume::temporary(BYTES).unwrap()
}

fn with_card() -> Target {
    let target = Target::default();
    target.set_card_unit(true);
    target
}

/// What REPORT LUNS says.
fn luns(target: &Target, lun: u16) -> Vec<u8> {
    let data = good(target, lun, &[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(
        u32::from_be_bytes(data[..4].try_into().unwrap()) as usize,
        data.len() - 8
    );
    data[8..].chunks(8).map(|lun| lun[1]).collect()
}

#[test]
fn it_is_a_controller_and_ready() {
    let target = with_card();
    good(&target, 0, &[0x00]);
    let data = good(&target, 0, &[0x12, 0, 0, 0, 255, 0]);
    assert_eq!((data.len(), data[0], data[4]), (96, 0x0c, 91));
    assert_eq!(&data[8..32], b"APPLE   RAID Card       ");
    assert_eq!(
        good(&target, 0, &[0x12, 1, 0, 0, 255, 0]),
        [0x0c, 0, 0, 2, 0, 0x83]
    );
    let names = good(&target, 0, &[0x12, 1, 0x83, 0, 255, 0]);
    assert_eq!(names[..4], [0x0c, 0x83, 0, 24]);
    // SAS, binary; valid, of the target device, NAA; then of the target port.
    assert_eq!(names[4..8], [0x61, 0xa3, 0, 8]);
    assert_eq!(names[16..20], [0x61, 0x93, 0, 8]);
    check(&target, 0, &[0x12, 1, 0x80, 0, 255, 0], (5, 0x24, 0));
    assert_eq!(good(&target, 0, &[0x03, 0, 0, 0, 18, 0])[2], 0);
    assert_eq!(luns(&target, 0), [0]);
}

#[test]
fn it_has_no_medium() {
    let target = with_card();
    let long_capacity = [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0];
    let write = [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    for cdb in [
        &[0x25][..],
        &long_capacity,
        &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0],
        &[0x35],
    ] {
        check(&target, 0, cdb, (5, 0x20, 0));
    }
    check_out(&target, 0, &write, &[0; 512], (5, 0x20, 0));
}

#[test]
fn volumes_begin_at_lun_1() {
    let target = with_card();
    assert!(matches!(
        target.add_volume(0, volume()),
        Err(TargetError::Card(0))
    ));
    target.add_volume(1, volume()).unwrap();
    assert_eq!(luns(&target, 0), [0, 1]);
    // The list has changed since somebody asked.
    target.add_volume(2, volume()).unwrap();
    check(&target, 0, &[0x00], (6, 0x3f, 0x0e));
    good(&target, 0, &[0x00]);
    check(&target, 1, &[0x00], (6, 0x29, 0));
    good(&target, 1, &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(good(&target, 3, &[0x12, 0, 0, 0, 36, 0])[0], 0x7f);
}

#[test]
fn a_volume_at_lun_0_stays_unseen() {
    let target = target();
    target.set_card_unit(true);
    check(&target, 0, &[0x25], (5, 0x20, 0));
    assert_eq!(luns(&target, 0), [0]);
    target.set_card_unit(false);
    good(&target, 0, &[0x25]);
}

#[test]
fn volumes_far_apart_and_none_at_lun_0() {
    let target = Target::default();
    for lun in [1, 9, 63] {
        target.add_volume(lun, volume()).unwrap();
    }
    assert!(matches!(
        target.add_volume(64, volume()),
        Err(TargetError::BeyondLimit(64))
    ));
    assert_eq!(good(&target, 0, &[0x12, 0, 0, 0, 36, 0])[0], 0x7f);
    check(&target, 0, &[0x00], (5, 0x25, 0));
    for lun in [0, 1, 9, 63] {
        assert_eq!(luns(&target, lun), [1, 9, 63]);
    }
    check(&target, 63, &[0x00], (6, 0x29, 0));
    good(&target, 63, &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
}
