// SPDX-License-Identifier: GPL-2.0

//! What a unit says about itself: VPD pages, log pages, its commands.

use super::super::opcodes::COMMANDS;
use super::*;

const INVALID_CDB: (u8, u8, u8) = (5, 0x24, 0);

/// A VPD page without its header.
fn vpd(target: &Target, page: u8) -> Vec<u8> {
    let data = good(target, 0, &[0x12, 1, page, 2, 0, 0]);
    assert_eq!(data[..2], [0, page]);
    assert_eq!(
        usize::from(u16::from_be_bytes([data[2], data[3]])),
        data.len() - 4
    );
    data[4..].to_vec()
}

fn log(target: &Target, page: u8, subpage: u8, pointer: u8) -> Vec<u8> {
    good(
        target,
        0,
        &[0x4d, 0, 0x40 | page, subpage, 0, 0, pointer, 0, 255, 0],
    )
}

#[test]
fn every_vpd_page_of_the_list_can_be_read() {
    let target = target();
    let pages = vpd(&target, 0);
    assert_eq!(pages, [0x00, 0x80, 0x83, 0xb0, 0xb1]);
    for page in 0..=255 {
        match pages.contains(&page) {
            true => drop(vpd(&target, page)),
            false => drop(check(&target, 0, &[0x12, 1, page, 0, 255, 0], INVALID_CDB)),
        }
    }
    check(&target, 0, &[0x12, 0, 0x80, 0, 255, 0], INVALID_CDB);
    assert_eq!(
        good(&target, 5, &[0x12, 1, 0, 0, 255, 0]),
        [0x7f, 0, 0, 1, 0]
    );
}

#[test]
fn a_unit_has_names_of_its_own() {
    let target = Target::default();
    let volume = || Volume::temporary(BYTES).unwrap();
    target
        .add_volume(0, volume().with_identity(0x1122_3344_5566_7788))
        .unwrap();
    target.add_volume(1, volume()).unwrap();
    target.add_volume(2, volume()).unwrap();
    assert_eq!(vpd(&target, 0x80), b"1122334455667788");
    let names = vpd(&target, 0x83);
    assert_eq!(names[..4], [0x01, 0x03, 0, 8]);
    assert_eq!(names[4..12], 0x3122_3344_5566_7788u64.to_be_bytes());
    assert_eq!(names[12..16], [0x02, 0x01, 0, 40]);
    assert_eq!(&names[16..], b"Apple   RAID Card Vol   1122334455667788");
    let serial = |lun| good(&target, lun, &[0x12, 1, 0x80, 0, 255, 0]);
    assert_ne!(serial(1), serial(2));
}

#[test]
fn block_limits_name_the_limit() {
    let limits = vpd(&target(), 0xb0);
    assert_eq!(limits.len(), 0x3c);
    let number = |at: usize| u32::from_be_bytes(limits[at - 4..at].try_into().unwrap());
    assert_eq!(number(12 - 4), MAX_TRANSFER_BLOCKS); // MAXIMUM TRANSFER LENGTH
    assert_eq!((number(40 - 4), number(44 - 4)), (0, MAX_TRANSFER_BLOCKS)); // WRITE SAME
    assert_eq!(limits.iter().filter(|byte| **byte != 0).count(), 2);
}

#[test]
fn log_pages_say_that_all_is_well() {
    let target = target();
    assert_eq!(log(&target, 0, 0, 0), [0, 0, 0, 3, 0x00, 0x0d, 0x2f]);
    let pairs = log(&target, 0, 0xff, 0);
    assert_eq!(pairs, [0x40, 0xff, 0, 8, 0, 0, 0, 0xff, 0x0d, 0, 0x2f, 0]);
    let both = [0x0d, 0, 0, 12, 0, 0, 3, 2, 0, 35, 0, 1, 3, 2, 0, 65];
    assert_eq!(log(&target, 0x0d, 0, 0), both);
    assert_eq!(log(&target, 0x0d, 0, 1), [0x0d, 0, 0, 6, 0, 1, 3, 2, 0, 65]);
    assert_eq!(
        log(&target, 0x2f, 0, 0),
        [0x2f, 0, 0, 8, 0, 0, 3, 4, 0, 0, 35, 65]
    );
    check(
        &target,
        0,
        &[0x4d, 0, 0x4d, 0, 0, 0, 2, 0, 255, 0],
        INVALID_CDB,
    );
    check(
        &target,
        0,
        &[0x4d, 0, 0x42, 0, 0, 0, 0, 0, 255, 0],
        INVALID_CDB,
    );
    check(
        &target,
        0,
        &[0x4d, 0, 0x4d, 1, 0, 0, 0, 0, 255, 0],
        INVALID_CDB,
    );
    check(
        &target,
        0,
        &[0x4d, 1, 0x4d, 0, 0, 0, 0, 0, 255, 0],
        INVALID_CDB,
    );
}

#[test]
fn all_commands_are_listed_with_their_timeouts() {
    let target = target();
    for (rctd, step, flags) in [(0, 8, 0), (0x80, 20, 2)] {
        let data = good(
            &target,
            0,
            &[0xa3, 0x0c, rctd, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0],
        );
        let length = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        assert_eq!(length, data.len() - 4);
        assert_eq!(length, COMMANDS.len() * step);
        for (listed, command) in data[4..].chunks(step).zip(COMMANDS) {
            let (action, with_action) = command.service_action.map_or((0, 0), |sa| (sa, 1));
            let length = command.usage_map().len() as u8;
            let expected = [
                command.opcode,
                0,
                0,
                action,
                0,
                flags | with_action,
                0,
                length,
            ];
            assert_eq!(listed[..8], expected, "{}", command.name);
            if rctd != 0 {
                assert_eq!(listed[8..], [0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60]);
            }
        }
    }
}

#[test]
fn one_command_is_described_by_the_way_it_is_named() {
    let target = target();
    let ask = |option, opcode, action| {
        execute(
            &target,
            0,
            &[0xa3, 0x0c, option, opcode, 0, action, 0, 0, 1, 0, 0, 0],
            &[],
        )
    };
    let read10 = [0, 3, 0, 10, 0x28, 0x18, 255, 255, 255, 255, 0, 255, 255, 0];
    assert_eq!(ask(1, 0x28, 0).data_in, read10);
    assert_eq!(ask(3, 0x28, 0).data_in, read10);
    assert_eq!(ask(3, 0x28, 1).data_in, [0, 1, 0, 0]);
    let capacity = ask(2, 0x9e, 0x10).data_in;
    assert_eq!(capacity[..6], [0, 3, 0, 16, 0x9e, 0x10]);
    assert_eq!(ask(3, 0x9e, 0x10).data_in, capacity);
    assert_eq!(ask(2, 0x9e, 0x11).data_in, [0, 1, 0, 0]);
    assert_eq!(ask(1, 0xc1, 0).data_in, [0, 1, 0, 0]);
    assert_eq!(ask(0x81, 0x28, 0).data_in[1], 0x83);
    assert_eq!(ask(0x81, 0x28, 0).data_in.len(), 14 + 12);
    for (option, opcode) in [(1, 0x9e), (2, 0x28), (4, 0x28)] {
        assert_eq!(ask(option, opcode, 0x10).status, Status::CheckCondition);
    }
}

#[test]
fn the_table_is_sound() {
    for command in COMMANDS {
        let length = match command.opcode >> 5 {
            0 => 6,
            1 | 2 => 10,
            4 => 16,
            5 => 12,
            group => panic!("group {group}"),
        };
        let map = command.usage_map();
        assert_eq!(
            (map.len(), map[0]),
            (length, command.opcode),
            "{}",
            command.name
        );
        assert_eq!(map[length - 1], 0, "{}: control", command.name);
        let same = COMMANDS.iter().filter(|other| {
            (other.opcode, other.service_action) == (command.opcode, command.service_action)
        });
        assert_eq!(same.count(), 1, "{}", command.name);
    }
    assert!(COMMANDS.is_sorted_by_key(|command| command.opcode));
}

#[test]
fn report_luns_selects() {
    let target = target();
    target
        .add_volume(63, Volume::temporary(BYTES).unwrap())
        .unwrap();
    let ask = |select, length| {
        good(
            &target,
            0,
            &[0xa0, 0, select, 0, 0, 0, 0, 0, 0, length, 0, 0],
        )
    };
    let both = [
        0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(ask(0, 255), both);
    assert_eq!(ask(2, 255), both);
    assert_eq!(ask(2, 18), both[..18]);
    assert_eq!(ask(1, 255), [0; 8]);
    check(
        &target,
        0,
        &[0xa0, 0, 3, 0, 0, 0, 0, 0, 0, 255, 0, 0],
        INVALID_CDB,
    );
}
