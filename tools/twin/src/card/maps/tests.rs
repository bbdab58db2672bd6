// SPDX-License-Identifier: GPL-2.0

//! Guest memory, piece by piece.

use super::*;

const BOTH: Access = Access {
    read: true,
    write: true,
};

fn file(length: u64) -> File {
    let file = tempfile::tempfile().unwrap();
    file.set_len(length).unwrap();
    file
}

fn map(maps: &Maps, file: &File, address: u64, size: u64, offset: u64, access: Access) {
    let file = file.try_clone().unwrap();
    maps.map(address, size, Some((file, offset)), access)
        .unwrap();
}

#[test]
fn a_transfer_may_span_pieces() {
    let (maps, low) = (Maps::default(), file(0x4000));
    map(&maps, &low, 0x1000, 0x1000, 0x3000, BOTH);
    map(&maps, &low, 0x2000, 0x1000, 0x0000, BOTH);
    maps.write(0x1ffc, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let mut data = [0; 8];
    maps.read(0x1ffc, &mut data).unwrap();
    assert_eq!(data, [1, 2, 3, 4, 5, 6, 7, 8]);
    let mut raw = [0; 4];
    std::os::unix::fs::FileExt::read_at(&low, &mut raw, 0x3ffc).unwrap();
    assert_eq!(raw, [1, 2, 3, 4]);
    assert_eq!(maps.write(0x2ffe, &[0; 4]), Err(Why::NotMapped));
    assert_eq!(maps.0.read().unwrap().files.len(), 1);
}

#[test]
fn directions_are_kept() {
    let (maps, memory) = (Maps::default(), file(0x2000));
    map(
        &maps,
        &memory,
        0,
        0x1000,
        0,
        Access {
            read: true,
            write: false,
        },
    );
    map(
        &maps,
        &memory,
        0x1000,
        0x1000,
        0x1000,
        Access {
            read: false,
            write: true,
        },
    );
    assert_eq!(maps.write(0x10, &[0; 8]), Err(Why::Protected));
    assert_eq!(maps.read(0x1010, &mut [0; 8]), Err(Why::Protected));
    assert_eq!(maps.write(0xffc, &[0; 8]), Err(Why::Protected));
    maps.read(0x10, &mut [0; 8]).unwrap();
    maps.write(0x1010, &[0; 8]).unwrap();
}

#[test]
fn unmapping_cuts_pieces_and_reaches_the_end_of_the_world() {
    let (maps, memory) = (Maps::default(), file(0x4000));
    map(&maps, &memory, 0x1000, 0x4000, 0, BOTH);
    maps.write(0x4000, &[7]).unwrap();
    assert_eq!(maps.mapped(), 0x4000);
    maps.unmap(0x2000, 0x1000).unwrap();
    assert_eq!(maps.mapped(), 0x3000);
    assert_eq!(maps.read(0x2fff, &mut [0]), Err(Why::NotMapped));
    let mut byte = [0];
    maps.read(0x4000, &mut byte).unwrap();
    assert_eq!(byte, [7]);
    maps.read(0x1fff, &mut byte).unwrap();
    map(&maps, &memory, 0xffff_ffff_ffff_f000, 0x1000, 0, BOTH);
    maps.write(u64::MAX, &[1]).unwrap();
    assert_eq!(maps.write(u64::MAX, &[1, 2]), Err(Why::NotMapped));
    maps.unmap(0x1800, 0xffff_ffff_ffff_e800).unwrap();
    assert_eq!(maps.write(u64::MAX, &[1]), Err(Why::NotMapped));
    maps.read(0x17ff, &mut byte).unwrap();
    assert!(maps.unmap(0x1000, 0).is_err() && maps.unmap(2, u64::MAX).is_err());
}

#[test]
fn pieces_without_memory_are_not_reached() {
    let maps = Maps::default();
    maps.map(0, 0x1000, None, BOTH).unwrap();
    assert_eq!(maps.read(0, &mut [0]), Err(Why::NotMapped));
    let short = file(0x1000);
    assert!(maps.map(0, 0x2000, Some((short, 0)), BOTH).is_err());
}
