// SPDX-License-Identifier: GPL-2.0

//! Other cards in the same slot, and odd ones.

use super::transfers::{DATA, entry, with_data};
use super::*;

#[test]
fn another_card_in_the_same_slot() {
    let bench = Bench::ready("");
    bench.submit(3);
    bench.until("answer", || bench.answered(3));
    let rung = bench.read32(SCSI_DOORBELL);

    bench.card.become_another(
        "response-stride=128 commands=60 mailbox=0x200 bring-up-delay=0"
            .parse()
            .unwrap(),
    );
    assert_eq!((bench.read8(READY), bench.read32(MOST_SCSI)), (0, 60));
    // It counts on where the one before was.
    assert_eq!(bench.read32(SCSI_DOORBELL), rung);
    let before = bench.report();
    bench.submit(4);
    assert_eq!(bench.report().protocol_errors, before.protocol_errors + 1);

    let mut regions = REGIONS;
    regions.commands = 60;
    bench.configure(&regions);
    bench.submit(5);
    bench.until("answer", || bench.answered(5));
    assert_eq!(bench.memory.get(F + 5 * 128, 4), [2, 5, 0, 5]);
}

#[test]
fn a_list_that_never_stops() {
    let bench = with_data("junk=0 odd=list-never-stops");
    let behind = DATA + 0x800;
    let list = [entry(DATA, 2), [0; 8], entry(behind, 1)].concat();
    bench.memory.put(E + 64, &list);
    bench.deliver([0, 1, 0, 0, 0, 0, 0, 0], &[1; 8]).unwrap();
    assert_eq!(
        bench.memory.get(DATA, 12)[..],
        [[1; 8].as_slice(), &[0xa5; 4]].concat()
    );
    assert_ne!(bench.memory.get(behind, 4), [0xa5; 4]);
    assert_eq!(bench.memory.get(behind + 4, 4), [0xa5; 4]);
}

#[test]
fn data_that_does_not_come_to_where_it_was_sent() {
    let wrong = with_data("junk=0 odd=wrong-buffer");
    wrong.memory.map(DATA + 0x4000, 0x1000, true);
    wrong.deliver(entry(DATA, 2), &[1; 8]).unwrap();
    assert_eq!(wrong.memory.get(DATA, 8), [0xa5; 8]);
    assert_eq!(wrong.memory.get(DATA + 0x4000, 8), [1; 8]);

    let lost = with_data("junk=0 odd=truncate32");
    const { assert!(DATA >> 32 != 0) };
    lost.deliver(entry(DATA, 2), &[1; 8]).unwrap();
    assert_eq!(lost.memory.get(DATA, 8), [0xa5; 8]);
    assert_eq!(lost.report().dma_refused, 0);
}

#[test]
fn a_card_that_takes_another_tag_or_none() {
    let ring = Bench::ready("odd=mailbox-ring");
    ring.submit(7);
    ring.until("answer", || ring.answered(7));
    ring.submit(8);
    ring.until("another answer", || ring.report().completed == 2);
    assert!(!ring.answered(8));

    let stalls = Bench::ready("odd=stalls");
    for n in 0..REGIONS.commands as u64 {
        stalls.submit(1);
        stalls.until("answer", || stalls.report().completed == n + 1);
    }
    stalls.submit(1);
    stalls.until("the end of the command", || stalls.report().dropped == 1);
    assert_eq!(stalls.report().completed, u64::from(REGIONS.commands));
}

#[test]
fn words_the_wrong_way_round() {
    let bench = Bench::new("odd=byte-swapped");
    assert_eq!(bench.read32(MOST_SCSI), 128u32.swap_bytes());
    assert_eq!(bench.read32(MOST_COMMANDS), 129u32.swap_bytes());
}
