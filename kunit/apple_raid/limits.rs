// SPDX-License-Identifier: GPL-2.0

//! What the driver tells the midlayer that the card can do.

#[kernel::prelude::kunit_tests(apple_raid_limits)]
mod tests {
    use crate::{
        lists::{
            UNITS_PER_TAG,
            UNIT_WORDS, //
        },
        regions::{
            COMMANDS,
            SLOTS, //
        },
        tasks::TRIAL_TAG,
        wire::{
            Entry,
            ADDRESS_BITS,
            CDB_LEN,
            UNIT, //
        },
        DMA_MASK, LIMITS, MAX_LUN,
    };

    /// A request within the limits is one that the card can be told of.
    #[test]
    fn the_largest_request_can_be_described() {
        assert!(LIMITS.check().is_ok());
        // With an entry for the tail, and one for the sink.
        let entries = usize::from(UNITS_PER_TAG) * (UNIT_WORDS - 1);
        assert!(usize::from(LIMITS.sg_tablesize) + 2 <= entries);
        let highest = DMA_MASK.value() + 1 - u64::from(LIMITS.max_segment_size);
        assert!(highest >> ADDRESS_BITS == 0);
        assert!(Entry::new(highest, LIMITS.max_segment_size).is_some());
        assert_eq!(LIMITS.dma_alignment + 1, UNIT);
        assert_eq!(usize::from(LIMITS.max_cdb_len), CDB_LEN);
    }

    #[test]
    fn every_tag_has_its_place() {
        assert_eq!(LIMITS.can_queue, COMMANDS);
        assert!(COMMANDS < TRIAL_TAG && TRIAL_TAG < SLOTS);
        // 2220 units (O), which an index of 16 bits can name.
        assert_eq!(COMMANDS.checked_mul(UNITS_PER_TAG), Some(2220));
        // A logical unit has 16 bits in a slot.
        assert!(MAX_LUN <= 1 << 16);
    }
}
