// SPDX-License-Identifier: GPL-2.0

//! Hosts that make no sense: whatever they write, the card neither panics nor
//! hangs, and every command ends, with or without an answer.

use super::*;
use crate::scsi::Volume;
use proptest::prelude::*;

fn settings() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec!["list-unit=8", "list-unit=64"]),
        prop::sample::select(vec!["lun-encoding=u16", "lun-encoding=u32"]),
        prop::sample::select(vec!["length-from=cdb", "length-from=descriptor"]),
        prop::sample::select(vec!["entry-count=16", "entry-count=24"]),
        prop::sample::select(vec!["ring=none", "ring=tag16", "ring=tag32"]),
        0u32..=512,
    )
        .prop_map(|(a, b, c, d, e, junk)| format!("{a} {b} {c} {d} {e} junk={junk}"))
}

/// An 8-byte descriptor or entry: any bytes, or ones that lead somewhere.
fn entry() -> impl Strategy<Value = [u8; 8]> {
    prop_oneof![
        any::<[u8; 8]>(),
        Just([0; 8]),
        (any::<u8>(), any::<u8>()).prop_map(|(hi, lo)| [hi & 7, lo, 0, 0, 0, 0, 0, 0]),
        (0u8..0x10, any::<u8>()).prop_map(|(at, words)| [2, 0x31, 0x9b, 0x50 | at, 0, 0, 0, words]),
    ]
}

fn cdb() -> impl Strategy<Value = [u8; 16]> {
    let known = prop::sample::select(vec![0u8, 0x12, 0x25, 0x28, 0x2a, 0x88, 0x8a, 0xa0, 0x5a]);
    prop_oneof![
        any::<[u8; 16]>(),
        (known, 0u8..8).prop_map(|(operation, length)| {
            let mut cdb = [0; 16];
            (cdb[0], cdb[8]) = (operation, length);
            cdb
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_slot_and_any_list(
        settings in settings(),
        slots in prop::collection::vec((any::<[u8; 4]>(), cdb(), entry()), 1..16),
        lists in prop::collection::vec(entry(), 0..256),
    ) {
        let bench = Bench::ready(&settings);
        bench.card.target().add_volume(0, Volume::temporary(1 << 20).unwrap()).unwrap();
        bench.memory.map(0x02_319b_5000, 0x10000, true);
        bench.memory.put(E, &lists.concat());
        for (tag, (lun, cdb, descriptor)) in (0..).zip(&slots) {
            bench.put_slot(tag, cdb, *descriptor);
            let lun = if lun[0] < 0xc0 { [0; 4] } else { *lun };
            bench.memory.put(A + u64::from(tag) * 32 + 4, &lun);
            bench.ring(tag);
        }
        let all = slots.len() as u64;
        bench.until("end", || bench.report().completed + bench.report().dropped == all);
    }

    #[test]
    fn any_access(accesses in prop::collection::vec(
        (prop_oneof![0u64..0x180, any::<u64>()], prop::collection::vec(any::<u8>(), 1..9)), 0..200,
    )) {
        let bench = Bench::ready("");
        for (offset, data) in &accesses {
            bench.card.write(*offset, data);
            bench.card.read(*offset, &mut data.clone());
            bench.card.config().write(*offset, data);
        }
        let submitted = bench.report().submitted;
        bench.until("end", || bench.report().completed + bench.report().dropped == submitted);
    }
}
