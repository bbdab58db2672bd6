// SPDX-License-Identifier: GPL-2.0

//! Unit attention: raised when it must be, told once, and kept by the commands
//! that may not take it.

use super::*;

const POWER_ON: (u8, u8, u8) = (6, 0x29, 0);
const LUNS_CHANGED: (u8, u8, u8) = (6, 0x3f, 0x0e);
const CAPACITY_CHANGED: (u8, u8, u8) = (6, 0x2a, 9);

const READY: &[u8] = &[0x00];
const INQUIRY: &[u8] = &[0x12, 0, 0, 0, 36, 0];
const REPORT_LUNS: &[u8] = &[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
const REQUEST_SENSE: &[u8] = &[0x03, 0, 0, 0, 18, 0];

fn volume() -> Volume {
    Volume::temporary(BYTES).unwrap()
}

/// What REQUEST SENSE returns: key, ASC, ASCQ.
fn requested(target: &Target, lun: u16) -> (u8, u8, u8) {
    let sense = good(target, lun, REQUEST_SENSE);
    (sense[2], sense[12], sense[13])
}

#[test]
fn power_on_is_told_once_by_every_unit() {
    let target = Target::default();
    target.add_volume(0, volume()).unwrap();
    target.add_volume(1, volume()).unwrap();
    good(&target, 0, INQUIRY);
    good(&target, 0, REPORT_LUNS);
    check(&target, 0, &[0x28], POWER_ON);
    good(&target, 0, READY);
    assert_eq!(requested(&target, 1), POWER_ON);
    assert_eq!(requested(&target, 1), (0, 0, 0));
    good(&target, 1, READY);
}

#[test]
fn a_new_volume_is_told_by_one_of_the_others() {
    let target = target();
    target.add_volume(1, volume()).unwrap();
    target.add_volume(2, volume()).unwrap();
    check(&target, 0, READY, LUNS_CHANGED);
    good(&target, 0, READY);
    check(&target, 1, READY, POWER_ON);
    good(&target, 1, READY);
    target.remove_volume(2).unwrap();
    check(&target, 2, READY, (5, 0x25, 0));
    assert_eq!(requested(&target, 0), LUNS_CHANGED);
    good(&target, 1, READY);
}

#[test]
fn report_luns_takes_a_changed_list_from_all() {
    let target = target();
    target.add_volume(1, volume()).unwrap();
    good(&target, 7, REPORT_LUNS);
    good(&target, 1, REPORT_LUNS);
    good(&target, 0, READY);
    check(&target, 1, READY, POWER_ON);
}

#[test]
fn a_resized_volume_tells_of_its_capacity() {
    let target = target();
    target.resize(0, 2 * BYTES).unwrap();
    good(&target, 0, INQUIRY);
    check(&target, 0, &[0x25], CAPACITY_CHANGED);
    assert_eq!(good(&target, 0, &[0x25]), [0, 0, 0x0f, 0xff, 0, 0, 2, 0]);
    assert!(target.resize(0, 100).is_err());
    assert!(target.resize(5, BYTES).is_err());
    good(&target, 0, READY);
}

#[test]
fn a_replaced_volume_tells_of_its_inquiry_data() {
    let target = target();
    let before = good(&target, 0, &[0x12, 1, 0x83, 0, 255, 0]);
    target.replace_volume(0, volume()).unwrap();
    assert!(target.replace_volume(5, volume()).is_err());
    assert_ne!(good(&target, 0, &[0x12, 1, 0x83, 0, 255, 0]), before);
    check(&target, 0, READY, (6, 0x3f, 3));
    good(&target, 0, READY);
}

#[test]
fn a_power_cut_stands_for_everything_before() {
    let target = target();
    target.add_volume(1, volume()).unwrap();
    target.resize(0, 2 * BYTES).unwrap();
    target.power_cut();
    check(&target, 0, READY, POWER_ON);
    good(&target, 0, READY);
    check(&target, 1, READY, POWER_ON);
    good(&target, 1, READY);
}

#[test]
fn a_unit_attention_comes_before_a_bad_command() {
    let target = Target::default();
    target.add_volume(0, volume()).unwrap();
    check(&target, 0, &[0xc1], POWER_ON);
    check(&target, 0, &[0xc1], (5, 0x20, 0));
}

#[test]
fn a_stopped_unit_says_so() {
    let target = target();
    good_out(&target, 0, &[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[1; 512]);
    good(&target, 0, &[0x1b, 0x01, 0, 0, 0, 0]);
    assert_eq!(target.dirty_bytes(), 0);
    check(&target, 0, READY, (2, 4, 2));
    check(&target, 0, &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], (2, 4, 2));
    assert_eq!(requested(&target, 0), (2, 4, 2));
    good(&target, 0, &[0x25]);
    good(&target, 0, &[0x1b, 0, 0, 0, 1, 0]);
    good(&target, 0, READY);
    check(&target, 0, &[0x1b, 0, 0, 0, 2, 0], (5, 0x24, 0));
    good(&target, 0, &[0x1b]);
    target.power_cut();
    check(&target, 0, READY, POWER_ON);
    good(&target, 0, READY);
}

#[test]
fn luns_are_taken_once_and_within_limits() {
    let target = target();
    assert!(target.add_volume(0, volume()).is_err());
    assert!(target.add_volume(64, volume()).is_err());
    assert!(target.remove_volume(1).is_err());
    good(&target, 0, READY);
    target.add_volume(63, volume()).unwrap();
    assert_eq!(target.luns(), [0, 63]);
    assert_eq!(good(&target, 0, REPORT_LUNS)[16..18], [0, 63]);
}
