// SPDX-License-Identifier: GPL-2.0

//! Faults of registers, handshakes and states.

use super::*;

const GOOD: [u8; 4] = [0; 4];

#[test]
fn registers_that_say_what_is_not_so() {
    let bench = Bench::faulty("capabilities-odd submit-ring-far");
    assert_eq!(
        (bench.read32(MOST_SLOTS), bench.read32(MOST_ENTRIES)),
        (128, 5)
    );
    let at = (
        bench.read32(SUBMIT_RING_AT),
        bench.read32(SUBMIT_RING_AT + 4),
    );
    assert_eq!(at, (1, 0x174));
    assert_eq!(bench.struck("submit-ring-far"), 2);
    bench.have("");
    assert_eq!(bench.read32(MOST_ENTRIES), 129);
}

#[test]
fn a_producer_index_that_is_wrong() {
    let bench = Bench::faulty("ring-index-beyond:1x1");
    assert!(bench.read32(PRODUCER) >= 129);
    assert_eq!(bench.read32(PRODUCER), 0);
    bench.have("ring-index-back:1x1");
    assert_eq!((bench.read32(PRODUCER), bench.read32(PRODUCER)), (128, 0));
    bench.have("ring-all-ones:1x1@30");
    assert_eq!(bench.read32(PRODUCER), u32::MAX);
    assert_eq!(bench.read32(PRODUCER), u32::MAX);
    assert_eq!(bench.read32(CONSUMER), 0);
    bench.until("end", || bench.read32(PRODUCER) == 0);
    assert_eq!(bench.verdict(1), GOOD);
}

#[test]
fn handshakes_that_fail() {
    let bench = Bench::faulty("garbled-ready:1x1 late-ready:@30");
    bench.configure(&REGIONS);
    bench.until("byte", || bench.read8(READY) != 0);
    assert!(bench.read8(READY) > 1);
    bench.handshake();
    assert_eq!(bench.struck("late-ready"), 1);
    bench.have("silent-handshake:1x1");
    bench.configure(&REGIONS);
    wait_a_little();
    assert_eq!(bench.read8(READY), 0);
    bench.have("never-enabled:1x1");
    bench.configure(&REGIONS);
    wait_a_little();
    assert_eq!(bench.controller(), 3);
    bench.handshake();
    assert_eq!(bench.verdict(1), GOOD);
}

#[test]
fn a_card_that_forgets_its_host() {
    let bench = Bench::faulty("ready-lost:1x1");
    for tag in 1..4 {
        bench.submit(tag, TEST);
    }
    wait_a_little();
    assert_eq!((bench.controller(), bench.read8(READY)), (2, 0));
    assert_eq!(bench.read8(STATE_CAUSE), 1);
    assert!(bench.take_completions().is_empty());
    bench.handshake();
    assert_eq!(bench.verdict(1), GOOD);
    bench.is_clean();
}

#[test]
fn a_state_that_is_another_for_a_while() {
    let bench = Bench::faulty("state-flip:1x1@200");
    bench.submit(1, TEST);
    assert!([2, 3].contains(&bench.controller()));
    assert_eq!(bench.read8(STATE_CAUSE), 1);
    bench.write8(STATE_CAUSE, 0);
    wait_a_little();
    assert!(bench.take_completions().is_empty());
    bench.until("state 4", || bench.controller() == 4);
    assert_eq!(bench.read8(STATE_CAUSE), 1);
    bench.answer(1);
    bench.is_clean();
}

#[test]
fn firmware_that_dies() {
    let bench = Bench::faulty("state-fatal:1x1");
    bench.submit(1, TEST);
    assert_eq!((bench.controller(), bench.read8(STATE_CAUSE)), (10, 1));
    wait_a_little();
    assert!(bench.take_completions().is_empty());
    bench.configure(&REGIONS);
    wait_a_little();
    assert_eq!((bench.controller(), bench.read8(READY)), (10, 0));
    bench.card.power_cut();
    assert_eq!(bench.controller(), 2);
}

#[test]
fn a_card_that_goes() {
    let gone = |bench: &Bench| bench.card.is_dead() && bench.read32(0) == u32::MAX;
    let bench = Bench::faulty("gone-at-probe");
    assert_ne!(bench.read32(READY - 1), u32::MAX);
    assert_eq!(bench.read32(MOST_SLOTS), u32::MAX);
    assert!(gone(&bench));
    bench.card.play_dead(false);
    bench.have("");
    assert_eq!(bench.read32(MOST_SLOTS), 128);

    let bench = Bench::faulty("gone-under-load:1");
    bench.submit(1, TEST);
    assert!(gone(&bench));
    let bench = Bench::faulty("gone-in-error-handling");
    bench.configure(&REGIONS);
    assert!(gone(&bench));
    let bench = Bench::faulty("gone-in-remove");
    bench.submit(1, &[0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bench.until("end", || gone(&bench));
    let bench = Bench::faulty("gone-idle:@10");
    bench.until("end", || gone(&bench));
    assert_eq!(bench.struck("gone-idle"), 1);
}

#[test]
fn a_hostile_card_keeps_to_what_it_may_write() {
    let bench = Bench::faulty("hostile");
    bench.until("writes", || bench.struck("hostile") > 300);
    bench.have("none");
    wait_a_little();
    assert_eq!(bench.struck("hostile"), 0);
    let report = bench.report();
    assert_eq!((report.dma_refused, report.overruns), (0, 0), "{report:?}");
    // Requests, management request and lists are the host's.
    assert_eq!(bench.memory.get(REGIONS.requests, 64), [0xa5; 64]);
    assert_eq!(bench.memory.get(REGIONS.mgmt_request, 64), [0; 64]);
    assert_eq!(bench.memory.get(REGIONS.lists, 64), [0; 64]);
}
