// SPDX-License-Identifier: GPL-2.0

//! What the driver tells the midlayer that the card can do.

#[kernel::prelude::kunit_tests(apple_raid_limits)]
mod tests {
    use crate::{
        bringup::Capabilities,
        limits,
        model::CardModel,
        scsi::{
            kunit::{
                ensure,
                holds, //
            },
            Limits,
        },
        transfer::BOUNDARY,
        wire::{
            Entry,
            CDB_LEN, //
        },
    };
    use kernel::page::PAGE_SIZE;

    fn tags(scsi_commands: u32, commands: u32) -> Option<u16> {
        let card = Capabilities {
            scsi_commands,
            commands,
        };
        card.tags().ok()
    }

    #[test]
    fn every_number_of_tags_is_consistent() {
        for scsi_commands in 1..=1024 {
            let tags = tags(scsi_commands, scsi_commands + 1);
            assert_eq!(tags.map(u32::from), Some(scsi_commands.min(128)));
            let limits = limits(tags.unwrap_or_default());
            assert!(limits.check().is_ok());
            assert!(limits.cmd_per_lun <= limits.can_queue);
        }
    }

    /// The card of the trace (O), and what cannot be.
    #[test]
    fn what_a_card_may_offer() {
        assert_eq!(tags(128, 129), Some(128));
        assert_eq!(tags(60, 61), Some(60));
        assert_eq!(tags(1, 2), Some(1));
        // Not up yet, gone, without room for management.
        assert_eq!(tags(0, 0), None);
        assert_eq!(tags(0, 129), None);
        assert_eq!(tags(u32::MAX, u32::MAX), None);
        assert_eq!(tags(128, 128), None);
        assert_eq!(tags(129, 128), None);
        // More than there are tags.
        assert_eq!(tags(1 << 16, u32::MAX), Some(128));
        assert_eq!(tags((1 << 16) + 1, u32::MAX), None);
        assert!(holds(10_000, |any| {
            let (scsi_commands, commands) = (any.any_u32(), any.any_u32());
            let tags = tags(scsi_commands, commands);
            let sound = match tags {
                Some(tags) => (1..=128).contains(&tags) && u32::from(tags) < commands,
                None => scsi_commands >= commands || !(1..=1 << 16).contains(&scsi_commands),
            };
            ensure(sound, (scsi_commands, commands, tags))
        }));
    }

    /// A request within the limits is one that the card can be told of.
    #[test]
    fn the_largest_request_can_be_described() {
        let limits = limits(128);
        assert!(limits.sg_tablesize <= CardModel::MAX_SEGMENTS);
        let highest = (1 << 36) - u64::from(limits.max_segment_size);
        assert!(Entry::new(highest, limits.max_segment_size).is_some());
        assert_eq!(limits.dma_mask.value(), (1 << 36) - 1);
        assert_eq!(limits.dma_alignment + 1, BOUNDARY);
        assert_eq!(limits.max_segment_size % BOUNDARY, 0);
        assert_eq!(usize::from(limits.max_cdb_len), CDB_LEN);
    }

    #[test]
    fn bad_combinations_are_refused() {
        let good = limits(128);
        let pages = (good.max_transfer() / PAGE_SIZE as u64) as u16;
        let bad = [
            // A buffer of that many pages need not begin at one.
            Limits {
                sg_tablesize: pages,
                ..good
            },
            Limits {
                max_sectors: u32::MAX,
                ..good
            },
            Limits {
                max_segment_size: PAGE_SIZE as u32 - 1,
                ..good
            },
            Limits {
                dma_alignment: BOUNDARY,
                ..good
            },
            limits(0),
        ];
        for limits in bad {
            assert!(limits.check().is_err());
        }
    }
}
