// SPDX-License-Identifier: GPL-2.0

//! What macOS laid out in memory for the real card, read by the twin.

use super::*;

/// The slots of the article, byte for byte, on a card that does not look at the bit of byte
/// 1, which the article shows set for all.
#[test]
fn the_slots_of_the_article() {
    let bench = Bench::ready("list-flag=any inline=never");
    for page in [0x1799_d000, 0x02_3294_c000, 0x0b59_d000] {
        bench.memory.map(page, 0x1000, true);
    }
    let entries = [
        [0x02, 0x31, 0x9b, 0x59, 0, 0, 0, 2],
        [0x00, 0x0b, 0x59, 0xd1, 0xd8, 0, 0, 2],
    ];
    bench.memory.put(REGIONS.unit(0x887), &unit(&entries, 0));
    for (cdb, descriptor) in [
        ([0x12, 0, 0, 0, 6, 0, 0, 0], "00 17 99 D1 D8 00 00 02"),
        ([0x12, 1, 0x83, 4, 0, 0, 0, 0], "02 32 94 C0 00 00 00 01"),
        ([0x12, 1, 0x80, 13, 0, 0, 0, 0], "08 87 00 00 00 00 00 00"),
        ([0; 8], "00 00 00 00 00 00 00 00"),
    ] {
        let mut slot = [0; 32];
        slot[..4].copy_from_slice(&[1, 1, 0, 0x3b]);
        slot[8..16].copy_from_slice(&cdb);
        for (to, byte) in slot[24..].iter_mut().zip(descriptor.split(' ')) {
            *to = u8::from_str_radix(byte, 16).unwrap();
        }
        bench.put_raw_slot(0x3b, &slot);
        bench.ring(0x3b);
        assert_eq!(bench.answer(0x3b)[0], 2);
    }
    assert_ne!(bench.memory.get(0x1799_d1d8, 6), [0xa5; 6]);
    assert_eq!(bench.memory.get(0x1799_d1e0, 4), [0xa5; 4]);
    bench.is_clean();
}
