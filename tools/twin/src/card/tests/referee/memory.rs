// SPDX-License-Identifier: GPL-2.0

//! What a host puts into memory: slots, entries, lists.

use super::*;

/// A slot with some bytes of its own.
fn slot_with(bench: &Bench, tag: u8, bytes: &[(usize, u8)]) {
    let mut slot = [0; 32];
    (slot[0], slot[3]) = (1, tag);
    bytes.iter().for_each(|(at, byte)| slot[*at] = *byte);
    bench.put_raw_slot(tag.into(), &slot);
    bench.ring(tag.into());
}

/// An INQUIRY of 8 bytes.
fn inquire(bench: &Bench, tag: u16, descriptor: [u8; 8]) {
    bench.command(tag, &[0x12, 0, 0, 0, 8, 0], descriptor);
}

fn inquire_by(bench: &Bench, unit: &[u8]) {
    bench.memory.put(REGIONS.unit(37), unit);
    inquire(bench, 1, list(37));
}

#[test]
fn tags() {
    complaint("tag 128 is beyond the slots in use", |b| b.ring(128));
    let bench = Bench::ready("");
    bench.have("hung-command:1x1");
    bench.submit(5, TEST);
    bench.until("fault", || bench.struck("hung-command") == 1);
    bench.submit(5, TEST);
    let report = bench.report();
    let what = "tag 5 is in flight already";
    assert_eq!(report.first_protocol_error.as_deref(), Some(what));
    complaint("tag 2: the slot says tag 3", |b| {
        slot_with(b, 2, &[(3, 3)]);
    });
    complaint("tag 2: the slot's kind is 0x2, neither 1 nor 4", |b| {
        slot_with(b, 2, &[(0, 2)]);
    });
    complaint("tag 60: a list with a tag beyond 59", |b| {
        b.memory.put(REGIONS.unit(7), &unit(&[entry(DATA, 2)], 0));
        inquire(b, 60, list(7));
    });
    // Without a list any tag is right.
    let bench = Bench::ready("inline=never");
    inquire(&bench, 127, entry(DATA, 2));
    bench.answer(127);
    bench.is_clean();
}

#[test]
fn reserved_bytes_of_a_slot() {
    complaint("tag 1: byte 6 of the slot is 0x1, not 0", |b| {
        slot_with(b, 1, &[(6, 1)]);
    });
    complaint("tag 1: LUN 64 is beyond 63", |b| {
        slot_with(b, 1, &[(5, 64)])
    });
    complaint("tag 1: byte 1 of the slot is 0x2", |b| {
        slot_with(b, 1, &[(1, 2)])
    });
    complaint("tag 1: task attribute 0x3", |b| slot_with(b, 1, &[(7, 3)]));
    let bench = Bench::ready("");
    for attribute in [0, 1, 2, 4] {
        slot_with(&bench, 1, &[(7, attribute)]);
        bench.answer(1);
    }
    bench.is_clean();
}

#[test]
fn byte_1_and_the_descriptor() {
    complaint("tag 1: bit 0 of byte 1 is set without data", |b| {
        slot_with(b, 1, &[(1, 1)]);
    });
    complaint("tag 1: a descriptor for a command without data", |b| {
        b.command(1, TEST, entry(DATA, 2));
    });
    complaint("tag 1: bit 0 of byte 1 is set with a list", |b| {
        slot_with(b, 1, &[(1, 1), (8, 0x12), (12, 8), (25, 37)]);
    });
    complaint("tag 1: bytes behind the index of a list are not 0", |b| {
        b.memory.put(REGIONS.unit(37), &unit(&[entry(DATA, 2)], 0));
        slot_with(b, 1, &[(8, 0x12), (12, 8), (25, 37), (31, 1)]);
    });
    complaint("tag 1: an entry of 0 bytes in place", |b| {
        slot_with(b, 1, &[(1, 1), (8, 0x12), (12, 8), (28, 8)]);
    });
}

#[test]
fn entries() {
    complaint(
        "tag 1: an entry leads to 0x2319b5004, no multiple of 8",
        |b| {
            inquire(b, 1, entry(DATA + 4, 2));
        },
    );
    complaint("tag 1: an entry of 12 bytes, no multiple of 8", |b| {
        inquire(b, 1, entry(DATA, 3));
    });
    complaint("tag 1: an entry of 1048584 bytes, more than 1 MiB", |b| {
        inquire(b, 1, entry(DATA, 0x40002));
    });
    complaint("tag 1: an entry of 0 bytes, no multiple of 8", |b| {
        inquire_by(b, &unit(&[entry(DATA, 2), entry(DATA, 0)], 0));
    });
    // 4 bytes are right for the start-up INQUIRY of 4 bytes, and no other.
    complaint("tag 1: an entry of 4 bytes, no multiple of 8", |b| {
        b.command(1, &[0x12, 0, 0, 0, 3, 0], entry(DATA, 1));
    });
}

#[test]
fn lists() {
    let one = [entry(DATA, 2)];
    complaint("tag 1: list unit 2220 is not one of 2220", |b| {
        inquire(b, 1, list(2220));
    });
    complaint("tag 1: list unit 37 has a link and is not full", |b| {
        b.memory.put(REGIONS.unit(38), &unit(&one, 0));
        inquire_by(b, &unit(&one, 38));
    });
    complaint("tag 1: list unit 60000 is not one of 2220", |b| {
        inquire_by(b, &unit(&[entry(DATA, 2); 7], 60000));
    });
    complaint("tag 1: the list comes back to unit 37", |b| {
        inquire_by(b, &unit(&[entry(DATA, 2); 7], 37));
    });
    complaint("tag 1: what is not used of list unit 37 is not 0", |b| {
        inquire_by(b, &unit(&[one[0], [0; 8], one[0]], 0));
    });
    complaint("tag 1: what is not used of list unit 37 is not 0", |b| {
        let mut unit = unit(&one, 0);
        unit[63] = 1;
        inquire_by(b, &unit);
    });
    complaint("tag 1: a list without an entry", |b| {
        inquire(b, 1, list(37))
    });
}

#[test]
fn task_management() {
    let task = |b: &Bench, change: fn(&mut [u8; 32])| {
        let mut slot = task_slot(8, 0, 0);
        change(&mut slot);
        b.put_raw_slot(TASK, &slot);
        b.ring(TASK);
        b.until("request", || {
            b.report().tasks == 1 || slot[7] & 0xf == 0 || slot[7] == 3
        });
        // Those that are never answered.
        b.card.state().in_flight.clear();
    };
    complaint("tag 100: task management function 0", |b| {
        task(b, |slot| slot[7] = 0)
    });
    complaint("tag 100: task management function 3", |b| {
        task(b, |slot| slot[7] = 3)
    });
    let reserved = "tag 100: reserved bytes of a task management request are not 0";
    complaint(reserved, |b| task(b, |slot| slot[1] = 1));
    complaint(reserved, |b| task(b, |slot| slot[7] = 0x18));
    complaint(reserved, |b| task(b, |slot| slot[9] = 1));
    complaint(reserved, |b| task(b, |slot| slot[31] = 1));
    complaint("tag 59: task management with a tag below 60", |b| {
        let mut slot = task_slot(8, 0, 0);
        slot[3] = 59;
        b.put_raw_slot(59, &slot);
        b.ring(59);
    });
}
