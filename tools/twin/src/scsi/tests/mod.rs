// SPDX-License-Identifier: GPL-2.0

//! Tests of the device server as a whole, and of the parts that need room.

use super::{DataPhase, MAX_TRANSFER_BLOCKS, Reply, Status, Target, Volume, VolumeError};

/// 1 MiB: 2048 blocks.
const BYTES: u64 = 1 << 20;

/// A target with a volume at LUN 0 that has told of its power-on.
fn target() -> Target {
    let target = Target::default();
    target
        .add_volume(0, Volume::temporary(BYTES).unwrap())
        .unwrap();
    check(&target, 0, &[0x00], (0x06, 0x29, 0x00));
    target
}

fn padded(cdb: &[u8]) -> [u8; 16] {
    let mut padded = [0; 16];
    padded[..cdb.len()].copy_from_slice(cdb);
    padded
}

fn execute(target: &Target, lun: u16, cdb: &[u8], data_out: &[u8]) -> Reply {
    target.execute(lun, &padded(cdb), data_out)
}

/// A command that must succeed; returns its data-in.
#[track_caller]
fn good(target: &Target, lun: u16, cdb: &[u8]) -> Vec<u8> {
    good_out(target, lun, cdb, &[])
}

#[track_caller]
fn good_out(target: &Target, lun: u16, cdb: &[u8], data_out: &[u8]) -> Vec<u8> {
    let reply = execute(target, lun, cdb, data_out);
    assert_eq!(
        (reply.status, reply.sense),
        (Status::Good, None),
        "{cdb:02x?}"
    );
    reply.data_in
}

/// A command that must end in (sense key, ASC, ASCQ).
#[track_caller]
fn check(target: &Target, lun: u16, cdb: &[u8], expected: (u8, u8, u8)) -> [u8; 18] {
    check_out(target, lun, cdb, &[], expected)
}

#[track_caller]
fn check_out(
    target: &Target,
    lun: u16,
    cdb: &[u8],
    data_out: &[u8],
    expected: (u8, u8, u8),
) -> [u8; 18] {
    let reply = execute(target, lun, cdb, data_out);
    let sense = reply
        .sense
        .unwrap_or_else(|| panic!("{cdb:02x?} succeeded"));
    assert_eq!((sense[2], sense[12], sense[13]), expected, "{cdb:02x?}");
    assert_eq!(reply.status, Status::CheckCondition);
    assert!(reply.data_in.is_empty());
    sense
}

mod attention;
mod basics;
mod cache;
mod card_unit;
mod concurrency;
mod lengths;
mod medium;
mod mode;
mod random;
mod reports;
