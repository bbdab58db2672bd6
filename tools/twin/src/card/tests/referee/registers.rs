// SPDX-License-Identifier: GPL-2.0

//! What a host does to registers, and with which regions.

use super::super::super::regions::Regions;
use super::*;

#[test]
fn the_submit_index() {
    complaint("0x40 was written with 129, of 129 ring entries", |b| {
        b.write32(SUBMIT_INDEX, 129);
    });
    complaint("0x40 was written with 0, which it was", |b| {
        b.write32(SUBMIT_INDEX, 0);
    });
    complaint("0x40 jumped from 0 to 2: entry 1 was not written", |b| {
        b.put_slot(1, TEST, [0; 8]);
        b.card.write(SUBMIT_RING.into(), &[0, 1]);
        b.write32(SUBMIT_INDEX, 2);
    });
    let new = Bench::new("init-ms=0");
    complaint_on(
        &new,
        "0x40 was written before the configuration was taken",
        |b| {
            b.write32(SUBMIT_INDEX, 1);
        },
    );
}

#[test]
fn the_state() {
    let bench = Bench::new("init-ms=0 ready-ms=0 enable-ms=0 fault=never-enabled");
    bench.configure(&REGIONS);
    assert_eq!(bench.controller(), 3);
    complaint_on(
        &bench,
        "a command was submitted in state deferred-enabled",
        |b| {
            b.submit(1, TEST);
        },
    );
    let bench = Bench::new("init-ms=600000");
    complaint_on(&bench, "configured in state power-on", |b| {
        b.configure(&REGIONS)
    });
}

#[test]
fn a_change_that_the_host_cannot_know_yet() {
    let bench = Bench::faulty("state-flip:1x1@200");
    bench.submit(1, TEST);
    // It has not looked.
    bench.submit(2, TEST);
    assert_ne!(bench.controller(), 4);
    // It has, just now.
    bench.submit(3, TEST);
    assert_eq!(bench.completions(3).len(), 3);
    bench.is_clean();
    bench.have("state-flip:1x1@400");
    bench.submit(1, TEST);
    bench.write8(STATE_CAUSE, 0);
    thread::sleep(Duration::from_millis(30));
    bench.submit(2, TEST);
    assert_eq!(bench.report().protocol_errors, 1);
}

#[test]
fn what_a_lie_of_the_card_makes_of_the_consumer_index() {
    let bench = Bench::faulty("ring-index-back:1x1");
    assert_eq!(bench.read32(PRODUCER), 128);
    bench.write32(CONSUMER, 128);
    bench.is_clean();
    // It was not taken.
    assert_eq!(bench.card.state().ring.consumer, 0);
    bench.write32(CONSUMER, 0);
    complaint_on(
        &bench,
        "0x4c was written with 128, ahead of the producer at 0",
        |b| {
            b.write32(CONSUMER, 128);
        },
    );
}

#[test]
fn regions() {
    let with = |what: &str, change: fn(&mut Regions)| {
        let bench = Bench::new("init-ms=0");
        let mut regions = REGIONS;
        change(&mut regions);
        complaint_on(&bench, what, |b| b.configure(&regions));
    };
    with("completion ring at 0xab9c008: not page aligned", |r| {
        r.ring += 8
    });
    with("list units at 0xab75000: overlaps requests", |r| {
        (r.lists, r.list_units) = (r.requests, 64);
    });
    with("0xe4 asks for 129 slots of 128", |r| {
        (r.slots, r.entries) = (129, 130)
    });
    with("0xec says 128 ring entries for 128 slots", |r| {
        r.entries = 128
    });
    with("0x104 says 0x2000, not 0x1000", |r| r.mgmt_size = 0x2000);
    let bench = Bench::ready("");
    bench.write32(ONE, 2);
    bench.write8(READY, 0);
    complaint_on(&bench, "0xe8 is 2, not 1", |b| b.write32(FLAGS, 1));
}

#[test]
fn the_consumer_index() {
    complaint("0x4c was written with 129, of 129 ring entries", |b| {
        b.write32(CONSUMER, 129);
    });
    complaint("0x4c was written with 2, ahead of the producer at 1", |b| {
        b.submit(1, TEST);
        b.until("completion", || b.read32(PRODUCER) == 1);
        b.write32(CONSUMER, 2);
    });
    let new = Bench::new("init-ms=0");
    complaint_on(
        &new,
        "0x4c was written before the configuration was taken",
        |b| {
            b.write32(CONSUMER, 0);
        },
    );
}

#[test]
fn the_management_channel() {
    let new = Bench::new("init-ms=0");
    complaint_on(
        &new,
        "0x68 was written before the configuration was taken",
        |b| {
            b.write32(MGMT_DOORBELL, 0x4a1);
        },
    );
    complaint("0x68 went from 0x4a0 to 0x4a3", |b| {
        b.write32(MGMT_DOORBELL, 0x4a3)
    });
    let idle = Bench::idle("init-ms=0 ready-ms=0 enable-ms=0".parse().unwrap());
    idle.handshake();
    complaint_on(
        &idle,
        "a management frame before the answer to the last one",
        |b| {
            b.write32(MGMT_DOORBELL, 0x4a1);
            b.write32(MGMT_DOORBELL, 0x4a2);
        },
    );
}

#[test]
fn registers() {
    complaint("4 bytes were written to 0x48 (producer)", |b| {
        b.write32(PRODUCER, 1)
    });
    complaint("8 bytes were written to 0xf4 (requests-hi)", |b| {
        b.card.write(0xf4, &[0; 8]);
    });
    complaint("1 bytes were written to 0x63 (sram)", |b| b.write8(0x63, 0));
    complaint("0x59 was written with 0x1, not 0", |b| {
        b.write8(SCSI_CAUSE, 1)
    });
    complaint("0x61 was written with 0x1, not 0 or 0xff", |b| {
        b.write8(0x61, 1)
    });
    complaint("bit 0 of 0x2c was cleared", |b| b.write32(FLAGS, 0));
    complaint("configured without writing 0 to 0x5d first", |b| {
        b.write32(FLAGS, 1)
    });
    complaint("0x2c was written with 0x3", |b| {
        b.write8(READY, 0);
        b.write32(FLAGS, 3);
    });
}
