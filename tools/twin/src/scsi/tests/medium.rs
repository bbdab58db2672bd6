// SPDX-License-Identifier: GPL-2.0

//! VERIFY, WRITE SAME, FUA, large volumes and media that fail.

use std::fs;
use std::os::unix::fs::FileExt;

use super::*;

const INVALID_CDB: (u8, u8, u8) = (5, 0x24, 0);
const OUT_OF_RANGE: (u8, u8, u8) = (5, 0x21, 0);

fn write(target: &Target, lba: u8, data: &[u8]) {
    let blocks = (data.len() / 512) as u8;
    good_out(target, 0, &[0x2a, 0, 0, 0, 0, lba, 0, 0, blocks, 0], data);
}

fn read(target: &Target, lba: u8, blocks: u8) -> Vec<u8> {
    good(target, 0, &[0x28, 0, 0, 0, 0, lba, 0, 0, blocks, 0])
}

#[test]
fn verify_compares_if_asked_to() {
    let target = target();
    let data = [[7u8; 512], [8; 512], [8; 512]].concat();
    write(&target, 1, &data);
    good(&target, 0, &[0x2f, 0, 0, 0, 0, 1, 0, 0, 3, 0]);
    assert_eq!(target.dirty_bytes(), 0);
    good_out(&target, 0, &[0x2f, 2, 0, 0, 0, 1, 0, 0, 3, 0], &data);
    let verify16 = [0x8f, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0];
    let sense = check_out(&target, 0, &verify16, &data, (0x0e, 0x1d, 0));
    assert_eq!((sense[0], &sense[3..7]), (0xf0, [0, 0, 0, 0].as_slice()));
    let one_block = [0x2f, 6, 0, 0, 0, 1, 0, 0, 3, 0];
    let sense = check_out(&target, 0, &one_block, &[7; 512], (0x0e, 0x1d, 0));
    assert_eq!(sense[6], 2);
    good_out(&target, 0, &[0x2f, 6, 0, 0, 0, 2, 0, 0, 2, 0], &[8; 512]);
    check(&target, 0, &[0x2f, 4, 0, 0, 0, 1, 0, 0, 3, 0], INVALID_CDB);
    check(&target, 0, &[0x2f, 0, 0, 0, 8, 0, 0, 0, 1, 0], OUT_OF_RANGE);
}

#[test]
fn missing_data_ends_a_write() {
    let target = target();
    let write = [0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0];
    check_out(&target, 0, &write, &[1; 1023], (0x0b, 0x4b, 0));
    assert_eq!(read(&target, 0, 2), [0; 1024]);
    good_out(&target, 0, &write, &[1; 2048]);
    assert_eq!(read(&target, 1, 2), [[1u8; 512], [0; 512]].concat());
}

#[test]
fn write_same_repeats_one_block() {
    let target = target();
    let block: Vec<u8> = (0..512u32).map(|n| n as u8).collect();
    good_out(&target, 0, &[0x41, 0, 0, 0, 0, 2, 0, 0, 3, 0], &block);
    assert_eq!(read(&target, 2, 3), block.repeat(3));
    assert_eq!(read(&target, 5, 1), [0; 512]);
    // Zero blocks: to the end.
    good_out(&target, 0, &[0x41, 0, 0, 0, 7, 0, 0, 0, 0, 0], &block);
    assert_eq!(
        good(&target, 0, &[0x28, 0, 0, 0, 7, 255, 0, 0, 1, 0]),
        block
    );
    // No data-out: zeroes.
    good(
        &target,
        0,
        &[0x93, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0],
    );
    assert_eq!(
        read(&target, 2, 3),
        [block.as_slice(), &[0; 512], &block].concat()
    );
    let unmap = [0x93, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0];
    check_out(&target, 0, &unmap, &block, INVALID_CDB);
    check_out(
        &target,
        0,
        &[0x41, 0, 0, 0, 8, 0, 0, 0, 0, 0],
        &block,
        OUT_OF_RANGE,
    );
}

#[test]
fn no_command_moves_more_than_the_limit() {
    let target = Target::default();
    target
        .add_volume(0, Volume::temporary(1 << 40).unwrap())
        .unwrap();
    good(&target, 0, &[0x03]);
    let block = [1; 512];
    for opcode in [0x88, 0x8a, 0x8f, 0x93] {
        let data = if opcode == 0x93 {
            block.as_slice()
        } else {
            &[]
        };
        let cdb = [opcode, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0];
        let sense = check_out(&target, 0, &cdb, data, INVALID_CDB);
        assert_eq!(sense[15..], [0xc0, 0, 10]);
    }
    check_out(
        &target,
        0,
        &[0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &block,
        INVALID_CDB,
    );
    let read = padded(&[
        0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0,
    ]);
    assert_eq!(
        target.data_phase(0, &read),
        DataPhase::In(0xffff_ffff * 512)
    );
    let most = [0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(good(&target, 0, &most).len(), 32 << 20);
    good(&target, 0, &[0x91]); // any number of blocks may be flushed
}

#[test]
fn a_volume_may_be_larger_than_16_tib() {
    let target = Target::default();
    target
        .add_volume(0, Volume::temporary(17 << 40).unwrap())
        .unwrap();
    good(&target, 0, &[0x03]);
    assert_eq!(good(&target, 0, &[0x25])[..4], [0xff; 4]);
    let capacity = good(
        &target,
        0,
        &[0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0],
    );
    assert_eq!(
        capacity[..12],
        [0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 2, 0]
    );
    assert_eq!(capacity.len(), 32);
    let cdb = [
        0x8a, 8, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0,
    ];
    good_out(&target, 0, &cdb, &[9; 512]);
    target.power_cut();
    good(&target, 0, &[0x03]);
    let cdb = [
        0x88, 0, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0,
    ];
    assert_eq!(good(&target, 0, &cdb), [9; 512]);
}

#[test]
fn only_what_was_flushed_survives_a_power_cut() {
    let target = target();
    write(&target, 0, &[1; 512]);
    good(&target, 0, &[0x35, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    good_out(&target, 0, &[0x2a, 8, 0, 0, 0, 1, 0, 0, 1, 0], &[2; 512]); // FUA
    write(&target, 2, &[3; 512]);
    good(&target, 0, &[0x28, 8, 0, 0, 0, 2, 0, 0, 1, 0]); // a FUA read flushes
    write(&target, 3, &[4; 512]);
    write(&target, 0, &[5; 512]);
    assert_eq!(target.dirty_bytes(), 1024);
    target.power_cut();
    good(&target, 0, &[0x03]);
    assert_eq!(
        read(&target, 0, 4),
        [[1u8; 512], [2; 512], [3; 512], [0; 512]].concat()
    );
}

#[test]
fn a_full_cache_is_written_back() {
    let volume = Volume::temporary(BYTES).unwrap().with_cache_limit(2048);
    let target = Target::default();
    target.add_volume(0, volume).unwrap();
    good(&target, 0, &[0x03]);
    write(&target, 0, &[1; 2048]);
    assert_eq!(target.dirty_bytes(), 2048);
    write(&target, 9, &[1; 512]);
    assert_eq!(target.dirty_bytes(), 0);
}

#[test]
fn files_are_made_opened_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("volume");
    let target = Target::default();
    target
        .add_volume(0, Volume::create(&path, BYTES).unwrap())
        .unwrap();
    let identity = Volume::open(&path).unwrap().identity();
    assert!(matches!(
        Volume::create(&path, BYTES),
        Err(VolumeError::Io { .. })
    ));
    good(&target, 0, &[0x03]);
    write(&target, 1, &[1; 512]);
    assert_eq!(fs::read(&path).unwrap()[512], 0);
    target.shutdown().unwrap();
    assert_eq!(fs::read(&path).unwrap()[512], 1);
    write(&target, 1, &[2; 512]);
    drop(target);
    assert_eq!(fs::read(&path).unwrap()[512], 2);
    let volume = Volume::open(&path).unwrap();
    assert_eq!((volume.blocks(), volume.identity()), (2048, identity));
}

#[test]
fn sizes_that_make_no_volume_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("volume");
    assert!(matches!(Volume::temporary(0), Err(VolumeError::Empty)));
    assert!(matches!(
        Volume::temporary(513),
        Err(VolumeError::NotWholeBlocks(513))
    ));
    assert!(Volume::create(&path, 511).is_err());
    assert!(matches!(Volume::open(&path), Err(VolumeError::Io { .. })));
    fs::write(&path, [0; 1000]).unwrap();
    let error = Volume::open(&path).err().unwrap().to_string();
    assert_eq!(
        error,
        "a volume of 1000 bytes does not consist of whole 512-byte blocks"
    );
}

#[test]
fn a_medium_that_fails_names_the_block() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("volume");
    let target = Target::default();
    target
        .add_volume(0, Volume::create(&path, BYTES).unwrap())
        .unwrap();
    good(&target, 0, &[0x03]);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[3; 512], 0).unwrap();
    file.set_len(3 * 512).unwrap(); // behind the volume's back
    assert_eq!(read(&target, 0, 1), [3; 512]);
    let sense = check(&target, 0, &[0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0], (3, 0x11, 0));
    assert_eq!((sense[0], &sense[3..7]), (0xf0, [0, 0, 0, 3].as_slice()));
    check(&target, 0, &[0x2f, 0, 0, 0, 0, 9, 0, 0, 1, 0], (3, 0x11, 0));
}

#[test]
fn a_medium_that_takes_nothing_keeps_the_blocks_dirty() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("volume");
    drop(Volume::create(&path, BYTES).unwrap());
    let target = Target::default();
    target.add_volume(0, Volume::read_only(&path)).unwrap();
    good(&target, 0, &[0x03]);
    write(&target, 5, &[1; 512]);
    for flush in [&[0x35][..], &[0x1b], &[0x28, 8, 0, 0, 0, 5, 0, 0, 1, 0]] {
        let sense = check(&target, 0, flush, (3, 0x0c, 0));
        assert_eq!(sense[3..7], [0, 0, 0, 5]);
    }
    assert!(target.shutdown().is_err());
    assert_eq!(target.dirty_bytes(), 512);
    good(&target, 0, &[0x00]); // it did not stop
    let fua = [0x2a, 8, 0, 0, 0, 6, 0, 0, 1, 0];
    check_out(&target, 0, &fua, &[1; 512], (3, 0x0c, 0));
    target.power_cut();
}
