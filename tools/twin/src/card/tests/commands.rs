// SPDX-License-Identifier: GPL-2.0

//! Submission and completion: the two rings, tags, responses, resets.

use super::*;

#[test]
fn a_command_and_its_completion() {
    let bench = Bench::ready("");
    bench.submit(0x3b, TEST);
    let response = bench.answer(0x3b);
    assert_eq!(response[..8], [2, 1, 0, 0x3b, 0, 0, 0, 0]);
    assert_eq!(response[8..], [0; 24]);
    assert_eq!(bench.memory.get(REGIONS.ring, 4), [0, 0x3b, 0xa5, 0xa5]);
    assert_eq!((bench.read32(PRODUCER), bench.read32(CONSUMER)), (1, 1));
    bench.is_clean();
}

#[test]
fn sense_follows_in_the_response() {
    let bench = Bench::ready("");
    bench.submit(1, &[0xff, 0, 0, 0, 0, 0]);
    let response = bench.answer(1);
    assert_eq!(response[..8], [2, 5, 0, 1, 0, 0x12, 2, 0]);
    assert_eq!((response[8], response[10], response[20]), (0x70, 5, 0x20));
    assert_eq!(response[26..], [0; 6]);
}

#[test]
fn several_tags_with_one_write_of_the_index() {
    let bench = Bench::ready("");
    let all: Vec<u16> = (0..20).collect();
    for tag in &all {
        bench.put_slot(*tag, TEST, [0; 8]);
    }
    bench.ring_all(&all);
    let mut tags = bench.completions(20);
    tags.sort_unstable();
    assert_eq!(tags, all);
    let report = bench.report();
    assert_eq!((report.submitted, report.submit_writes), (20, 1));
    bench.is_clean();
}

#[test]
fn one_tag_for_a_write_of_the_index() {
    for setting in ["batch=no", "odd=no-batch"] {
        let bench = Bench::ready(setting);
        for tag in [1, 2, 3] {
            bench.put_slot(tag, TEST, [0; 8]);
        }
        bench.ring_all(&[1, 2]);
        assert_eq!(bench.answer(1)[0], 2);
        wait_a_little();
        assert!(bench.take_completions().is_empty());
        bench.ring(3);
        assert_eq!(bench.answer(2)[0], 2);
    }
}

#[test]
fn more_commands_than_the_rings_have_entries() {
    let bench = Bench::ready("delay-us=200 seed=3 lists=128");
    for _ in 0..5 {
        for tag in 0..128 {
            bench.submit(tag, TEST);
        }
        let mut tags = bench.completions(128);
        tags.sort_unstable();
        assert_eq!(tags, (0..128).collect::<Vec<u16>>());
    }
    let report = bench.report();
    assert_eq!((report.submitted, report.completed), (640, 640));
    assert_eq!(bench.read32(SUBMIT_INDEX), 640 % 129);
    bench.is_clean();
}

#[test]
fn a_full_ring_stalls_the_card_or_loses_entries() {
    let stalls = Bench::ready("");
    for tag in 0..128 {
        stalls.submit(tag, TEST);
    }
    stalls.until("entries", || stalls.read32(PRODUCER) == 128);
    // The ring has room for 128; who is not in it is in flight.
    stalls.submit(0, TEST);
    wait_a_little();
    assert!(stalls.is_in_flight(0));
    assert_eq!(stalls.read32(PRODUCER), 128);
    assert_eq!(stalls.completions(129)[128], 0);
    stalls.is_clean();

    let loses = Bench::ready("stall=no");
    for tag in 0..128 {
        loses.submit(tag, TEST);
    }
    loses.until("entries", || loses.read32(PRODUCER) == 128);
    loses.submit(0, TEST);
    loses.until("one more", || loses.read32(PRODUCER) == 0);
    assert!(loses.take_completions().is_empty());
}

#[test]
fn the_slot_is_fetched_when_the_index_is_written() {
    let bench = Bench::ready("delay-us=20000 workers=1");
    bench.submit(1, TEST);
    bench.put_raw_slot(1, &[0; 32]);
    assert_eq!(bench.answer(1)[6], 0);
    bench.is_clean();
}

#[test]
fn a_reset_drops_what_is_in_flight_and_keeps_the_management_doorbell() {
    let bench = Bench::ready("delay-us=100000 workers=2 init-ms=0");
    bench.write32(MGMT_DOORBELL, 0x4a1);
    for tag in 0..20 {
        bench.submit(tag, TEST);
    }
    bench.card.reset("test");
    let report = bench.report();
    assert_eq!(report.completed + report.dropped, 20);
    for register in [SUBMIT_INDEX, PRODUCER, CONSUMER, FLAGS, REQUESTS + 4, 0x5c] {
        assert_eq!(bench.read32(register), 0, "{register:#x}");
    }
    assert_eq!(
        (bench.read32(MGMT_DOORBELL), bench.controller()),
        (0x4a1, 2)
    );
    bench.card.dma.set_bus_master(true);
    bench.handshake();
    assert_eq!(bench.verdict(3), [0; 4]);
    bench.card.power_cut();
    assert_eq!(bench.read32(MGMT_DOORBELL), 0x4a0);
}

#[test]
fn no_bus_master_no_dma() {
    let bench = Bench::ready("");
    bench.card.dma.set_bus_master(false);
    bench.submit(1, TEST);
    bench.until("end", || bench.report().dropped == 1);
    let report = bench.report();
    assert_eq!(
        (report.dma_blocked, report.interrupts, report.dma_refused),
        (1, 0, 0)
    );
    bench.card.dma.set_bus_master(true);
    assert_eq!(bench.verdict(1), [0; 4]);
}

#[test]
fn a_dead_card_reads_all_ones() {
    let bench = Bench::ready("");
    bench.card.play_dead(true);
    assert_eq!(bench.read32(MOST_SLOTS), u32::MAX);
    assert_eq!(bench.read32(PRODUCER), u32::MAX);
    bench.submit(1, TEST);
    assert_eq!(bench.report().submitted, 0);
    bench.card.play_dead(false);
    assert_eq!(bench.read32(MOST_SLOTS), 128);
}

#[test]
fn everything_is_traced() {
    let bench = Bench::ready("inline=never");
    bench.card.trace().record(true);
    bench.command(7, &[0x12, 0, 0, 0, 8, 0], entry(DATA, 2));
    bench.answer(7);
    let lines = bench.card.trace().lines();
    let has = |part: &str| assert!(lines.iter().any(|line| line.contains(part)), "{lines:#?}");
    has("write off=0x174 reg=submit-ring width=2 value=0x0007");
    has("write off=0x40 reg=submit-index width=4 value=0x00000001");
    has(" submit index=0 tag=7");
    has("slot tag=7 lun=0 op=INQUIRY cdb=12000000080000");
    has("dir=in len=8 data=direct addr=0x02319b5000 bytes=8");
    has("response tag=7 addr=0x000ab760e0 bytes=02010007");
    has(" ring index=0 tag=7");
    has(" consumer index=1");
    has(" msi");
}
