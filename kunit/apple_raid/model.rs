// SPDX-License-Identifier: GPL-2.0

//! What the driver takes the card to be: whether the numbers of the model fit into the card's
//! fields.

#[kernel::prelude::kunit_tests(apple_raid_model)]
mod tests {
    use crate::{
        bringup::Capabilities,
        model::CardModel,
        wire::{
            self,
            Entry,
            ENTRY_LEN, //
        },
    };

    const CARD: CardModel = CardModel::REFERENCE;

    /// As macOS has it: 37 units for each of 60 tags, and tag 59's list begins at unit 0x887 (O).
    #[test]
    fn lists_as_in_the_trace() {
        assert_eq!(CardModel::LIST_LEN / CARD.list_unit.value, 37);
        assert_eq!(59 * CardModel::LIST_LEN / CARD.list_unit.value, 0x0887);
        assert_eq!(60 * CardModel::LIST_LEN / CARD.list_unit.value, 2220);
    }

    /// The index of a list has 16 bits and is not 0. The first tag has the second list.
    #[test]
    fn every_list_has_an_index() -> Result<(), kernel::error::Error> {
        let card = Capabilities {
            scsi_commands: 1 << 16,
            commands: u32::MAX,
        };
        for tag in 0..usize::from(card.tags()?) {
            let at = (tag + 1) * CardModel::LIST_LEN;
            for unit in CardModel::LIST_UNITS {
                assert_eq!(at % unit, 0);
                assert!((1..=usize::from(u16::MAX)).contains(&(at / unit)));
            }
        }
        Ok(())
    }

    /// The buffers grow with what was seen behind data.
    #[test]
    fn bounce_margin() {
        let mut card = CARD;
        assert_eq!(card.bounce_margin(), CardModel::LEAST_MARGIN);
        for seen in [0, 1, 16, 1024, 1025, 16 * 1024] {
            card.overrun.see(seen);
            assert!(card.bounce_margin() >= 4 * seen);
            assert_eq!(card.bounce_margin() % 512, 0);
        }
    }

    #[test]
    fn a_list_has_room_for_its_end() {
        let entries = CardModel::LIST_LEN / ENTRY_LEN;
        assert_eq!(usize::from(CardModel::MAX_SEGMENTS) + 1, entries);
        assert!(Entry::new(0, CardModel::MAX_SEGMENT_SIZE).is_some());
    }

    /// Header and sense of one response do not reach into the next.
    #[test]
    fn a_response_has_room_for_its_sense() {
        assert!(CardModel::RESPONSE_STRIDES.contains(&CARD.response_stride.value));
        for stride in CardModel::RESPONSE_STRIDES {
            assert!(8 + wire::SENSE_LEN.next_multiple_of(8) <= stride);
            assert_eq!(stride % 8, 0);
        }
    }
}
