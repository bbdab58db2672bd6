// SPDX-License-Identifier: GPL-2.0

//! Learning how long a block is.

#[kernel::prelude::kunit_tests(apple_raid_blocks)]
mod tests {
    use crate::{blocks::BlockLengths, MAX_LUN};
    use core::num::NonZero;

    #[test]
    fn nothing_is_known_at_first() {
        let lengths = BlockLengths::new();
        for lun in 0..=MAX_LUN {
            assert_eq!(lengths.get(lun), None);
        }
    }

    #[test]
    fn each_unit_has_its_own() {
        let lengths = BlockLengths::new();
        lengths.set(0, 512);
        lengths.set(1, 4096);
        lengths.set(MAX_LUN - 1, 520);
        assert_eq!(lengths.get(0), NonZero::new(512));
        assert_eq!(lengths.get(1), NonZero::new(4096));
        assert_eq!(lengths.get(2), None);
        assert_eq!(lengths.get(MAX_LUN - 1), NonZero::new(520));
        // The last word counts.
        lengths.set(0, 4096);
        assert_eq!(lengths.get(0), NonZero::new(4096));
    }

    #[test]
    fn what_was_known_of_another_unit_is_forgotten() {
        let lengths = BlockLengths::new();
        lengths.set(0, 512);
        lengths.set(1, 4096);
        lengths.forget(0);
        lengths.forget(MAX_LUN);
        assert_eq!(lengths.get(0), None);
        assert_eq!(lengths.get(1), NonZero::new(4096));
    }

    #[test]
    fn what_makes_no_sense_is_ignored() {
        let lengths = BlockLengths::new();
        lengths.set(0, 512);
        for nonsense in [0, 64 * 1024 + 1, 0x8000_0000, u32::MAX] {
            lengths.set(0, nonsense);
            assert_eq!(lengths.get(0), NonZero::new(512));
        }
        lengths.set(0, 64 * 1024);
        assert_eq!(lengths.get(0), NonZero::new(64 * 1024));
        for lun in [MAX_LUN, u64::from(u32::MAX) + 1, u64::MAX] {
            lengths.set(lun, 512);
            assert_eq!(lengths.get(lun), None);
        }
    }
}
