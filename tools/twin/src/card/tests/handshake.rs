// SPDX-License-Identifier: GPL-2.0

//! States, the handshake, and what it does to the time before.

use super::*;

#[test]
fn from_power_on_to_enabled() {
    let bench = Bench::new("init-ms=60 ready-ms=30 enable-ms=30");
    assert_eq!(bench.controller(), 0);
    bench.until("state 15", || bench.controller() == 15);
    bench.until("state 2", || bench.controller() == 2);
    bench.configure(&REGIONS);
    assert_eq!((bench.controller(), bench.read8(READY)), (2, 0));
    bench.until("ready", || bench.read8(READY) == 1);
    assert_eq!((bench.controller(), bench.read8(UP)), (3, 1));
    bench.until("state 4", || bench.controller() == 4);
    assert_eq!(bench.report().handshakes, 1);
    bench.is_clean();
}

#[test]
fn what_is_submitted_early_is_taken_when_the_card_is_enabled() {
    let bench = Bench::new("init-ms=0 ready-ms=0 enable-ms=40");
    bench.add_volume(0);
    bench.configure(&REGIONS);
    // A host that never looked at the state cannot know.
    bench.submit(1, TEST);
    assert_eq!(bench.report().submitted, 0);
    bench.answer(1);
    bench.is_clean();
}

#[test]
fn a_second_handshake_with_the_flag_set_already() {
    for (setting, index) in [("indices=keep", 2), ("indices=reset", 0)] {
        let bench = Bench::ready(setting);
        bench.verdict(1);
        bench.verdict(2);
        assert_eq!(bench.read32(FLAGS), 1);
        bench.handshake();
        for register in [SUBMIT_INDEX, PRODUCER, CONSUMER] {
            assert_eq!(bench.read32(register), index, "{setting} {register:#x}");
        }
        assert_eq!(bench.verdict(3), [0; 4]);
        assert_eq!(bench.report().handshakes, 2);
        bench.is_clean();
    }
}

#[test]
fn indices_that_the_new_rings_do_not_have() {
    let bench = Bench::ready("");
    for tag in 0..20 {
        bench.verdict(tag);
    }
    let mut regions = REGIONS;
    (regions.slots, regions.entries) = (10, 11);
    bench.configure(&regions);
    assert_eq!((bench.read32(SUBMIT_INDEX), bench.read32(PRODUCER)), (0, 0));
}

#[test]
fn commands_of_the_time_before_are_answered_late_or_forgotten() {
    let late = Bench::faulty("hung-command:1x2");
    late.submit(1, READ);
    late.submit(2, TEST);
    late.until("faults", || late.struck("hung-command") == 2);
    late.handshake();
    assert!(!late.is_in_flight(1));
    let mut tags = late.completions(2);
    tags.sort_unstable();
    assert_eq!(tags, [1, 2]);
    // Without its data.
    assert_eq!(late.memory.get(DATA, 4), [0xa5; 4]);
    late.is_clean();

    let forgets = Bench::ready("old-commands=forget");
    forgets.have("hung-command:1x1");
    forgets.submit(1, TEST);
    forgets.until("fault", || forgets.struck("hung-command") == 1);
    forgets.handshake();
    thread::sleep(Duration::from_millis(40));
    assert!(forgets.take_completions().is_empty());
    assert_eq!(forgets.verdict(1), [0; 4]);
    forgets.is_clean();
}

#[test]
fn what_the_lost_bus_kept_from_an_answer_is_answered_late() {
    let bench = Bench::ready("");
    bench.card.write_config(4, &[2, 0]);
    bench.submit(1, TEST);
    bench.until("end", || bench.report().dropped == 1);
    bench.card.write_config(4, &[6, 0]);
    bench.handshake();
    assert_eq!(bench.completions(1), [1]);
}

#[test]
fn a_card_left_running_goes_on_after_a_reset() {
    let bench = Bench::ready("left-running=yes");
    let resets = bench.report().resets;
    bench.card.reset("test");
    assert_eq!((bench.controller(), bench.read8(READY)), (4, 1));
    assert_eq!(bench.report().resets, resets);
    // What is pending says nothing new: there are no interrupts until it is acknowledged.
    bench.card.dma.set_bus_master(true);
    bench.handshake();
    bench.verdict(3);
    let interrupts = bench.report().interrupts;
    assert_eq!((bench.read8(SCSI_CAUSE), interrupts), (1, 0));
    bench.write8(SCSI_CAUSE, 0);
    bench.submit(4, TEST);
    bench.until("interrupt", || bench.report().interrupts == 1);
}

#[test]
fn a_card_that_was_shut_down_starts_with_the_bus() {
    let bench = Bench::ready("");
    for (operation, state) in [(8, 8), (35, 9)] {
        bench
            .memory
            .put(REGIONS.mgmt_request, &[0x80 | operation, 1]);
        let doorbell = bench.read32(MGMT_DOORBELL);
        bench.write32(MGMT_DOORBELL, doorbell + 1);
        bench.until("reply", || bench.read8(MGMT_CAUSE) == 1);
        bench.until("state", || bench.controller() == state);
        assert_eq!(bench.read8(STATE_CAUSE), 1);
        bench.write8(MGMT_CAUSE, 0);
        bench.write8(STATE_CAUSE, 0);
    }
    bench.card.write_config(4, &[2, 0]);
    assert_eq!(bench.controller(), 9);
    bench.card.write_config(4, &[6, 0]);
    assert_eq!(bench.controller(), 2);
    bench.handshake();
    assert_eq!(bench.verdict(1), [0; 4]);
}

#[test]
fn another_card_in_the_same_slot() {
    let bench = Bench::ready("");
    bench.verdict(3);
    let other = "slots=60 init-ms=0 ready-ms=0 enable-ms=0";
    bench.card.become_another(other.parse().unwrap());
    assert_eq!((bench.read8(READY), bench.read32(MOST_SLOTS)), (0, 60));
    assert_eq!((bench.controller(), bench.read32(MOST_ENTRIES)), (2, 61));
    let mut regions = REGIONS;
    (regions.slots, regions.entries) = (60, 61);
    bench.configure(&regions);
    bench.submit(5, TEST);
    bench.until("answer", || bench.read32(PRODUCER) == 1);
    bench.is_clean();
}

#[test]
fn a_management_frame_and_its_reply() {
    let bench = Bench::ready("");
    // Task 1 sets the time: 8 bytes.
    let frame = [0x81, 1, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0, 0x4e, 0, 0, 0];
    bench.memory.put(REGIONS.mgmt_request, &frame);
    bench.write32(MGMT_DOORBELL, 0x4a1);
    bench.until("reply", || bench.read8(MGMT_CAUSE) == 1);
    assert_eq!(bench.report().managed, 1);
    bench.write8(MGMT_CAUSE, 0);
    bench.have("token-torn:1x1");
    bench.write32(MGMT_DOORBELL, 0x4a2);
    bench.until("cause", || bench.read8(MGMT_CAUSE) == 1);
    let page = bench.memory.get(REGIONS.mgmt_reply, 4096);
    let whole = || {
        let page = bench.memory.get(REGIONS.mgmt_reply, 4096);
        page[0] == page[4095]
    };
    assert!(page[0] & 0x80 != 0 && page[0] != page[4095]);
    bench.until("the whole", whole);
    bench.until("end", || bench.report().managed == 1);
    bench.is_clean();
}
