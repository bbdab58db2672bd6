// SPDX-License-Identifier: GPL-2.0

//! Submission and completion: doorbells, tags, responses, interrupts, resets.

use super::*;

#[test]
fn more_commands_than_the_ring_has_entries() {
    let bench = Bench::ready("delay-us=200 seed=3");
    for round in 0..5 {
        for tag in 0..128 {
            bench.submit(tag);
        }
        bench.until("answers", || bench.report().completed == (round + 1) * 128);
        assert!((0..128).all(|tag| bench.answered(tag)));
        bench.write8(SCSI_PENDING, 0);
    }
    let report = bench.report();
    assert_eq!(
        (report.submitted, report.protocol_errors, report.dma_refused),
        (640, 0, 0)
    );
    assert!(report.interrupts >= 1);
    // 640 entries of a ring of 129: every one was written.
    let ring = bench.memory.get(C, 129 * 4);
    assert!(
        ring.chunks(4)
            .all(|entry| entry[..3] == [0, 0, 0] && entry[3] < 128)
    );
}

#[test]
fn every_stride_and_every_ring() {
    for stride in [32, 64, 128, 256, 512] {
        let bench = Bench::ready(&format!("response-stride={stride} ring=none"));
        bench.submit(100);
        bench.until("answer", || bench.report().completed == 1);
        assert!(bench.answered(100), "stride {stride}");
        assert_eq!(bench.memory.get(C, 4), [0xa5; 4]);
    }
    for (format, entry) in [("tag16", &[0, 9, 0xa5, 0xa5]), ("tag32", &[0, 0, 0, 9])] {
        let bench = Bench::ready(&format!("ring={format}"));
        bench.submit(9);
        bench.until("status", || bench.read8(SCSI_PENDING) == 1);
        assert_eq!(bench.memory.get(C, 4), entry);
    }
}

#[test]
fn the_tag_is_latched_when_the_doorbell_rings() {
    let bench = Bench::ready("delay-us=20000");
    for tag in 0..40 {
        bench.submit(tag);
    }
    bench.until("answers", || bench.report().completed == 40);
    assert!((0..40).all(|tag| bench.answered(tag)) && !bench.answered(40));
}

#[test]
fn doorbells_count_around() {
    let bench = Bench::ready("");
    bench.card.state().counters.scsi = u32::MAX;
    bench.write32(SCSI_DOORBELL, u32::MAX);
    bench.submit(1);
    assert_eq!(bench.read32(SCSI_DOORBELL), 0);
    bench.until("answer", || bench.answered(1));
    bench.write32(SCSI_DOORBELL, 7);
    assert_eq!(bench.report().protocol_errors, 1);
    assert_eq!(bench.report().submitted, 1);
}

#[test]
fn a_constant_doorbell_takes_any_write() {
    let bench = Bench::ready("doorbell=constant");
    for tag in 0..3 {
        bench.put_slot(tag, &[], [0; 8]);
        bench.card.write(0x174, &tag.to_be_bytes());
        bench.write32(SCSI_DOORBELL, 0x55);
        assert_eq!(bench.read32(SCSI_DOORBELL), 0);
    }
    bench.until("answers", || bench.report().completed == 3);
}

#[test]
fn what_the_host_gets_wrong() {
    let bench = Bench::ready("delay-us=50000");
    bench.ring(128);
    bench.submit(5);
    bench.ring(5);
    bench.memory.put(A + 6 * 32, &[0; 32]);
    bench.ring(6);
    bench.until("answers", || bench.report().completed == 2);
    // Invalid message error.
    let response = bench.response(6);
    assert_eq!(response[..8], [2, 5, 0, 6, 0, 0x12, 2, 0]);
    assert_eq!((response[10], response[20], response[21]), (5, 0x49, 0));
    let report = bench.report();
    assert_eq!(report.protocol_errors, 3, "{report:?}");
    assert!(report.first_protocol_error.unwrap().contains("128"));
}

#[test]
fn nothing_runs_before_the_handshake() {
    let bench = Bench::new("");
    bench.submit(0);
    bench.write32(MGMT_DOORBELL, 0x4a1);
    let report = bench.report();
    assert_eq!((report.submitted, report.protocol_errors), (0, 2));
}

#[test]
fn interrupts_are_merged_masked_and_held() {
    let bench = Bench::ready("workers=1");
    let done = |n| bench.until("answer", || bench.report().completed == n);
    bench.submit(0);
    bench.until("interrupt", || bench.report().interrupts == 1);
    bench.submit(1);
    done(2);
    bench.card.hold_interrupts(true);
    bench.write8(SCSI_PENDING, 0);
    bench.submit(2);
    bench.until("status", || bench.read8(SCSI_PENDING) == 1);
    assert_eq!(bench.report().interrupts, 1);
    bench.card.hold_interrupts(false);
    assert_eq!(bench.report().interrupts, 2);
    bench.write8(SCSI_PENDING, 0);
    bench.write8(0x61, 1);
    bench.submit(3);
    bench.until("status", || bench.read8(SCSI_PENDING) == 1);
    assert_eq!(bench.report().interrupts, 2);
    bench.write8(0x61, 0);
    assert_eq!(bench.report().interrupts, 3);
}

#[test]
fn a_card_left_running_goes_on_after_a_reset() {
    let bench = Bench::ready("left-running=yes");
    let first = bench.report();
    bench.card.reset("test");
    assert_eq!((bench.read8(READY), bench.read8(UP)), (1, 1));
    assert_eq!(bench.report(), first);
    // What is pending says nothing new: there are no interrupts until it is acknowledged.
    bench.card.dma.set_bus_master(true);
    bench.handshake();
    bench.submit(3);
    bench.until("answer", || bench.answered(3));
    assert_eq!(
        (bench.read8(SCSI_PENDING), bench.report().interrupts),
        (1, 0)
    );
    bench.write8(SCSI_PENDING, 0);
    bench.submit(4);
    bench.until("interrupt", || bench.report().interrupts == 1);
}

#[test]
fn a_reset_drops_what_is_in_flight_and_keeps_the_counters() {
    let bench = Bench::ready("delay-us=100000 workers=2");
    for tag in 0..20 {
        bench.submit(tag);
    }
    bench.card.reset("test");
    let before = bench.report().completed;
    assert_eq!(bench.read32(SCSI_DOORBELL), 20);
    assert_eq!(
        (
            bench.read8(READY),
            bench.read8(UP),
            bench.read32(REGION_A + 4)
        ),
        (0, 0, 0)
    );
    bench.until("end", || {
        let report = bench.report();
        report.dropped + report.completed == 20
    });
    assert!(bench.report().completed <= before + 1);
    bench.card.dma.set_bus_master(true);
    bench.handshake();
    assert_eq!(
        (bench.read32(SCSI_DOORBELL), bench.read32(CONFIG_DOORBELL)),
        (20, 2)
    );
    bench.submit(3);
    bench.until("answer", || bench.read8(SCSI_PENDING) == 1);
    bench.card.power_cut();
    assert_eq!(
        (bench.read32(SCSI_DOORBELL), bench.read32(MGMT_DOORBELL)),
        (0, 0x4a0)
    );
}

#[test]
fn no_bus_master_no_dma() {
    let bench = Bench::ready("");
    bench.card.dma.set_bus_master(false);
    bench.submit(1);
    bench.until("end", || bench.report().dropped == 1);
    assert!(!bench.answered(1));
    let report = bench.report();
    assert_eq!(
        (report.dma_blocked, report.interrupts, report.dma_refused),
        (1, 0, 0)
    );
    bench.card.dma.set_bus_master(true);
    bench.submit(1);
    bench.until("answer", || bench.answered(1));
}

#[test]
fn a_dead_card_reads_all_ones() {
    let bench = Bench::ready("");
    bench.card.play_dead(true);
    assert_eq!(bench.read32(MOST_SCSI), u32::MAX);
    bench.submit(1);
    assert_eq!(bench.report().submitted, 0);
    bench.card.play_dead(false);
    assert_eq!(bench.read32(MOST_SCSI), 128);
}

#[test]
fn everything_is_traced() {
    let bench = Bench::ready("");
    bench.card.trace().record(true);
    bench.put_slot(7, &[0x12, 1, 0x83, 4], [2, 0x32, 0x94, 0xc0, 0, 0, 0, 1]);
    bench.ring(7);
    bench.until("status", || bench.read8(SCSI_PENDING) == 1);
    let lines = bench.card.trace().lines();
    let has = |part: &str| assert!(lines.iter().any(|line| line.contains(part)), "{lines:#?}");
    has("write off=0x174 reg=mailbox width=2 value=0x0007");
    has(" doorbell tag=7");
    has("slot tag=7 lun=0 op=INQUIRY cdb=12018304");
    has("data=direct addr=0x023294c000 bytes=4");
    has("response tag=7 addr=0x000ab9c1c0 bytes=02");
    has(" msi");
}
