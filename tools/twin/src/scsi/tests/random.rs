// SPDX-License-Identifier: GPL-2.0

//! Any CDB gets an answer, and no more data than it announced.

use proptest::prelude::*;

use super::super::opcodes::COMMANDS;
use super::*;

/// The data-out that the card would have fetched, if it fetches so much at all.
fn data_out(phase: DataPhase, seed: u8) -> Vec<u8> {
    match phase {
        DataPhase::Out(bytes) if bytes <= 1 << 20 => vec![seed; bytes as usize],
        _ => Vec::new(),
    }
}

/// What holds of every reply.
fn sound(target: &Target, lun: u16, cdb: &[u8; 16], data_out: &[u8]) {
    let phase = target.data_phase(lun, cdb);
    let reply = target.execute(lun, cdb, data_out);
    let room = if let DataPhase::In(bytes) = phase {
        bytes
    } else {
        0
    };
    assert!(reply.data_in.len() as u64 <= room, "{cdb:02x?}");
    assert_eq!(
        reply.sense.is_some(),
        reply.status == Status::CheckCondition
    );
    if let Some(sense) = reply.sense {
        assert_eq!((sense[0] & 0x7f, sense[7]), (0x70, 10));
        assert!(reply.data_in.is_empty());
    }
}

/// A CDB whose bits are all ones that its command evaluates, by a mask.
fn sensible() -> impl Strategy<Value = [u8; 16]> {
    let command = 0..COMMANDS.len();
    (command, any::<[u8; 16]>(), any::<[u8; 16]>()).prop_map(|(command, random, sparse)| {
        let command = &COMMANDS[command];
        let mut cdb = padded(&command.usage_map());
        for (at, byte) in cdb.iter_mut().enumerate().skip(1) {
            // Few bits, so that addresses and lengths are often in range.
            *byte &= random[at] & sparse[at];
        }
        if let Some(action) = command.service_action {
            cdb[1] |= action;
        }
        cdb
    })
}

proptest! {
    #[test]
    fn any_bytes_of_any_opcode_get_an_answer(
        bytes in any::<[u8; 16]>(),
        lun in 0..2u16,
        data in prop::collection::vec(any::<u8>(), 0..1024),
    ) {
        let target = target();
        for opcode in 0..=255 {
            let cdb = [&[opcode], &bytes[1..]].concat().try_into().unwrap();
            sound(&target, lun, &cdb, &data);
            sound(&target, lun, &cdb, &data_out(target.data_phase(lun, &cdb), bytes[0]));
        }
    }

    #[test]
    fn commands_in_any_order_get_an_answer(
        cdbs in prop::collection::vec((sensible(), any::<u8>()), 1..100),
    ) {
        let target = target();
        for (cdb, seed) in &cdbs {
            sound(&target, 0, cdb, &data_out(target.data_phase(0, cdb), *seed));
        }
    }

    #[test]
    fn a_reserved_bit_is_always_refused(cdb in sensible(), at in 1..16usize, bit in 0..8u8) {
        let target = target();
        let command = COMMANDS.iter().find(|command| {
            command.opcode == cdb[0]
                && command.service_action.is_none_or(|action| action == cdb[1] & 0x1f)
        });
        let Some(command) = command else { return Ok(()) };
        let used = command.usage_map();
        let action = if at == 1 && command.service_action.is_some() { 0x1f } else { 0 };
        let Some(used) = used.get(at) else { return Ok(()) };
        if (used | action) & (1 << bit) != 0 {
            return Ok(());
        }
        let mut cdb = cdb;
        cdb[at] |= 1 << bit;
        let phase = target.data_phase(0, &cdb);
        let sense = check_out(&target, 0, &cdb, &data_out(phase, 0), (5, 0x24, 0));
        prop_assert_eq!(&sense[15..], &[0xc8 | bit, 0, at as u8]);
    }
}

#[test]
fn a_cdb_of_all_ones_is_total() {
    let target = target();
    for opcode in 0..=255 {
        let mut cdb = [0xff; 16];
        cdb[0] = opcode;
        target.data_phase(u16::MAX, &cdb);
        sound(&target, 0, &cdb, &[]);
        sound(&target, u16::MAX, &cdb, &[]);
    }
}

#[test]
fn data_phases_are_those_of_the_standard() {
    use DataPhase::{In, None, Out};
    let target = Target::default();
    let cases: &[(&[u8], DataPhase)] = &[
        (&[0x00], None),
        (&[0x03, 0, 0, 0, 18], In(18)),
        (&[0x08, 0, 0, 0, 0], In(256 * 512)),
        (&[0x0a, 0, 0, 0, 1], Out(512)),
        (&[0x12, 0, 0, 1, 4], In(260)),
        (&[0x12, 0, 0, 0, 0], None),
        (&[0x15, 0x10, 0, 0, 24], Out(24)),
        (&[0x1a, 0, 0x3f, 0, 0xc0], In(0xc0)),
        (&[0x1b, 0, 0, 0, 1], None),
        (&[0x25], In(8)),
        (&[0x28, 0, 0, 0, 0, 0, 0, 1, 0], In(0x100 * 512)),
        (&[0x2a, 0, 0, 0, 0, 0, 0, 0, 0], None),
        (&[0x2f, 0, 0, 0, 0, 0, 0, 0, 8], None),
        (&[0x2f, 2, 0, 0, 0, 0, 0, 0, 8], Out(4096)),
        (&[0x2f, 6, 0, 0, 0, 0, 0, 0, 8], Out(512)),
        (&[0x35, 0, 0, 0, 0, 0, 0, 0, 8], None),
        (&[0x41, 0, 0, 0, 0, 0, 0, 0, 8], Out(512)),
        (&[0x4d, 0, 0x40, 0, 0, 0, 0, 2, 0], In(512)),
        (&[0x55, 0x10, 0, 0, 0, 0, 0, 1, 0], Out(256)),
        (&[0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0], In(256)),
        (&[0x5e, 2, 0, 0, 0, 0, 0, 0, 8], In(8)),
        (&[0x5e, 3, 0, 0, 0, 0, 0, 0, 8], None),
        (
            &[0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
            Out(0x10000 * 512),
        ),
        (&[0x8f, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Out(512)),
        (&[0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], Out(512)),
        (&[0x93, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], None),
        (&[0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32], In(32)),
        (&[0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32], None),
        (&[0xa0, 0, 0, 0, 0, 0, 0, 0, 2, 8], In(520)),
        (&[0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 2, 0], In(512)),
        (&[0xa8, 0, 0, 0, 0, 0, 0, 1, 0, 0], In(0x10000 * 512)),
        (
            &[0xaa, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            Out(0xffff_ffff * 512),
        ),
        (&[0xc1, 0xff, 0xff, 0xff, 0xff], None),
    ];
    for (cdb, phase) in cases {
        assert_eq!(target.data_phase(0, &padded(cdb)), *phase, "{cdb:02x?}");
    }
}
