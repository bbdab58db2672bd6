// SPDX-License-Identifier: GPL-2.0

//! Odd cards: each is odd in its way.

use super::*;

const INQUIRY: &[u8] = &[0x12, 0, 0, 0, 96, 0];

fn odd(name: &str) -> Bench {
    Bench::ready(&format!("inline=never odd={name}"))
}

fn answers(bench: &Bench) -> bool {
    wait_a_little();
    !bench.take_completions().is_empty()
}

#[test]
fn data_that_does_not_come_to_where_it_was_sent() {
    let wrong = odd("wrong-buffer");
    wrong.memory.map(DATA + 0x4000, 0x1000, true);
    wrong.submit(1, INQUIRY);
    wrong.answer(1);
    assert_eq!(wrong.memory.get(DATA, 8), [0xa5; 8]);
    assert_eq!(wrong.memory.get(DATA + 0x4008, 5), *b"Apple");
}

#[test]
fn an_inquiry_that_makes_no_sense() {
    let bench = odd("inquiry-nonsense");
    bench.submit(1, INQUIRY);
    bench.answer(1);
    assert_ne!(bench.memory.get(DATA + 8, 5), *b"Apple");
}

#[test]
fn words_the_wrong_way_round() {
    let bench = Bench::new("odd=byte-swapped");
    assert_eq!(bench.read32(MOST_SLOTS), 128u32.swap_bytes());
    assert_eq!(bench.read32(MOST_ENTRIES), 129u32.swap_bytes());
}

#[test]
fn lists_that_are_cut() {
    let two_units = |bench: &Bench| {
        let entries: Vec<_> = (0..9).map(|n| entry(DATA + n * 64, 2)).collect();
        bench.memory.put(REGIONS.unit(37), &unit(&entries[..7], 38));
        bench.memory.put(REGIONS.unit(38), &unit(&entries[7..], 0));
        bench.command(1, &[0x12, 0, 0, 0, 72, 0], list(37));
        bench.answer(1);
        (0..9)
            .map(|n| bench.memory.get(DATA + n * 64, 8) != [0xa5; 8])
            .collect::<Vec<_>>()
    };
    let first = two_units(&Bench::ready(
        "inline=never odd=list-first-unit-only length-from=descriptor",
    ));
    assert_eq!(first, [&[true; 7][..], &[false; 2]].concat());
    let tail = two_units(&odd("tail-lost"));
    assert_eq!(tail, [&[true; 8][..], &[false; 1]].concat());
}

#[test]
fn luns_that_are_all_the_first() {
    let absent = |bench: &Bench| {
        let mut slot = [0; 32];
        (slot[0], slot[3], slot[5]) = (1, 1, 9);
        bench.put_raw_slot(1, &slot);
        bench.ring(1);
        bench.answer(1)[6] != 0
    };
    assert!(absent(&Bench::ready("")) && !absent(&odd("lun-ignored")));
}

#[test]
fn cards_that_do_not_answer() {
    let bench = odd("no-tasks");
    bench.request_task(1, 0, 3);
    assert!(!answers(&bench));
    assert_eq!(bench.verdict(1), [0; 4]);
    let bench = odd("mute");
    bench.submit(1, TEST);
    bench.request_task(1, 0, 1);
    assert!(!answers(&bench));
}

#[test]
fn a_ring_that_is_a_mailbox() {
    let bench = odd("plain-mailbox");
    bench.submit(7, TEST);
    bench.answer(7);
    bench.submit(8, TEST);
    bench.answer(7);
}

#[test]
fn a_card_that_stays_with_the_regions_it_had() {
    let bench = odd("first-regions");
    let mut regions = REGIONS;
    regions.responses = REGIONS.mgmt_reply + 0x10_0000;
    bench.configure(&regions);
    assert_eq!(bench.read8(READY), 1);
    bench.submit(1, TEST);
    bench.answer(1);
}
