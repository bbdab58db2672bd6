// SPDX-License-Identifier: GPL-2.0

//! Causes, masks, and the one MSI.

use super::*;

#[test]
fn interrupts_are_merged_masked_and_held() {
    let bench = Bench::ready("workers=1");
    let done = |n| bench.until("answer", || bench.report().completed == n);
    bench.submit(0, TEST);
    bench.until("interrupt", || bench.report().interrupts == 1);
    bench.submit(1, TEST);
    done(2);
    bench.card.hold_interrupts(true);
    bench.write8(SCSI_CAUSE, 0);
    bench.submit(2, TEST);
    bench.until("cause", || bench.read8(SCSI_CAUSE) == 1);
    assert_eq!(bench.report().interrupts, 1);
    bench.card.hold_interrupts(false);
    assert_eq!(bench.report().interrupts, 2);
    bench.write8(SCSI_CAUSE, 0);
    bench.write8(0x61, 0xff);
    bench.submit(3, TEST);
    bench.until("cause", || bench.read8(SCSI_CAUSE) == 1);
    assert_eq!(bench.report().interrupts, 2);
    bench.write8(0x61, 0);
    assert_eq!(bench.report().interrupts, 3);
    bench.is_clean();
}

#[test]
fn the_causes_are_read_at_once() {
    let bench = Bench::ready("");
    bench.verdict(1);
    let mut causes = [0; 8];
    bench.card.read(CAUSES.into(), &mut causes);
    // As in the trace: the state changed while its mask was closed.
    assert_eq!(causes, [0, 1, 0, 0, 0, 1, 0, 1]);
}

#[test]
fn a_change_of_state_is_told_if_the_mask_is_open() {
    let bench = Bench::new("init-ms=0 ready-ms=0 enable-ms=30");
    bench.configure(&REGIONS);
    assert_eq!((bench.controller(), bench.read8(STATE_CAUSE)), (3, 0));
    bench.write8(0x64, 0);
    assert_eq!(bench.report().interrupts, 0);
    bench.until("state 4", || bench.controller() == 4);
    bench.until("interrupt", || bench.report().interrupts == 1);
    assert_eq!(bench.read8(STATE_CAUSE), 1);
}
