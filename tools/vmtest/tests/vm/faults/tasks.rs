// SPDX-License-Identifier: GPL-2.0

//! Task management that goes wrong itself. Whatever becomes of it, no command is lost, and the card
//! is restarted only when nothing else has helped.
//!
//! With an IOMMU, where it shows if a buffer is unmapped while the card could still write to it.

use super::{BOTH, Bed};
use crate::common::{disks_appear, ok, two_volumes};
use vmtest::{Builder, Iommu};

/// What goes wrong, and whether the card is restarted for it. An abort that fails is tried once
/// more with the reset of its unit.
const TROUBLE: &[(&str, Restart)] = &[
    ("hung-command:100x1", Restart::No),
    ("hung-command:30x4", Restart::No),
    ("hung-command:100x1 abort-late:1x1@2000", Restart::No),
    ("hung-command:100x1 abort-rejected:1x1", Restart::No),
    ("hung-command:100x1 abort-race:1x1", Restart::No),
    ("hung-command:100x1 abort-lost:1x1", Restart::No),
    ("lost-command:100x1", Restart::Yes),
    (
        "hung-command:100x1 abort-rejected:1 reset-rejected:1x1",
        Restart::Yes,
    ),
    ("lost-command:100x1 reset-late:1x1@2000", Restart::Yes),
    ("lost-command:100x1 reset-lost:1x1", Restart::Yes),
    (
        "hung-command:100x1 abort-rejected:1 reset-race:1x1",
        Restart::Perhaps,
    ),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Restart {
    No,
    Yes,
    /// It depends on who is faster.
    Perhaps,
}

/// All of them, on such a card.
fn trouble(builder: Builder, restart: impl Fn(&str, Restart) -> Restart) {
    let bed = Bed::boot_with(builder);
    for (seed, (fault, by_default)) in (1..).zip(TROUBLE) {
        bed.faults(fault, seed);
        let load = bed.load(BOTH, seed);
        println!("{fault}");
        let report = bed.vm.twin().report();
        let kinds = fault.split(' ').count();
        assert_eq!(report.faults.len(), kinds, "{fault}: {report:?}");
        assert_eq!(load.errors, 0, "{fault}: {load:?}");
        match restart(fault, *by_default) {
            Restart::No => assert_eq!(report.handshakes, 0, "{fault}: {report:?}"),
            Restart::Yes => assert_eq!(report.handshakes, 1, "{fault}: {report:?}"),
            Restart::Perhaps => {}
        }
        assert_eq!(report.protocol_errors, 0, "{fault}: {report:?}");
        assert_eq!(report.dma_refused, 0, "{fault}: {report:?}");
        let states = ok(&bed.vm, "cat /sys/block/sd[ab]/device/state");
        assert_eq!(states, "running\nrunning\n", "{fault}");
        bed.nothing_reported(fault);
    }
    disks_appear(&bed.vm);
    bed.works("all");
    bed.ends();
}

#[test]
fn a_restart_is_the_last_resort() {
    trouble(two_volumes().iommu(Iommu::Strict), |_, by_default| {
        by_default
    });
}

/// Sixteen commands hang, and no abort is answered: the card is not asked sixteen times.
#[test]
#[ignore = "left to make check-all"]
fn a_silent_card_is_soon_restarted() {
    let bed = Bed::boot_with(two_volumes().iommu(Iommu::Strict));
    bed.faults("hung-command:1x16 abort-lost:1", 1);
    let load = bed.load(BOTH, 1);
    let report = bed.vm.twin().report();
    assert_eq!(load.errors, 0, "{load:?}");
    assert_eq!(
        (report.handshakes, bed.struck("abort-lost")),
        (1, 3),
        "{report:?}"
    );
    bed.works("all");
    bed.ends();
}

/// The victims of a reset turn up in the ring. Nothing is missing then; but what the card has lost.
#[test]
#[ignore = "left to make check-all"]
fn victims_that_turn_up() {
    let card = two_volumes()
        .iommu(Iommu::Strict)
        .twin("reset-victims=ring")
        .twin("old-commands=forget")
        .twin("indices=reset");
    trouble(card, |_, by_default| by_default);
}
