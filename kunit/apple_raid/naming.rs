// SPDX-License-Identifier: GPL-2.0

//! How slots name logical units, from the start or found out later.

#[kernel::prelude::kunit_tests(apple_raid_naming)]
mod tests {
    use crate::{
        model::{
            CardModel,
            Evidence,
            LunEncoding, //
        },
        naming::Naming,
        wire::{
            self,
            Entry,
            CDB_LEN, //
        },
        MAX_LUN,
    };

    /// A card that was seen to use this encoding.
    fn card(encoding: LunEncoding) -> CardModel {
        let mut card = CardModel::REFERENCE;
        card.lun_encoding.see(encoding);
        card
    }

    #[test]
    fn luns_are_big_endian() {
        let naming = Naming::new(&card(LunEncoding::U32), true);
        assert_eq!(naming.name(0), Some([0, 0, 0, 0]));
        assert_eq!(naming.name(1), Some([0, 0, 0, 1]));
        assert_eq!(naming.name(MAX_LUN - 1), Some([0, 0, 0, 0xff]));
        let naming = Naming::new(&card(LunEncoding::U16), true);
        assert_eq!(naming.name(0), Some([0, 0, 0, 0]));
        assert_eq!(naming.name(1), Some([0, 1, 0, 0]));
        assert_eq!(naming.name(MAX_LUN - 1), Some([0, 0xff, 0, 0]));
    }

    /// Two units must never look the same to the card.
    #[test]
    fn every_lun_differs() {
        for (encoding, shift) in [(LunEncoding::U32, 0), (LunEncoding::U16, 16)] {
            let naming = Naming::new(&card(encoding), true);
            for lun in 0..MAX_LUN {
                let name = naming.name(lun).unwrap_or([0xee; 4]);
                assert_eq!(u64::from(u32::from_be_bytes(name) >> shift), lun);
                assert_eq!(LunEncoding::from_number(shift), Some(encoding));
                let slot = wire::slot(7, name, &[0; CDB_LEN], Entry::ZERO);
                assert_eq!(slot[4..8], name);
            }
        }
    }

    /// What has not been seen is used for LUN 0 alone, until it is found out.
    #[test]
    fn found_out_later() {
        let naming = Naming::new(&CardModel::REFERENCE, false);
        assert_eq!(naming.name(0), Some([0; 4]));
        assert_eq!(naming.name(1), None);
        assert!(!naming.is_wanted());
        assert_eq!(naming.complete(CardModel::REFERENCE), CardModel::REFERENCE);
        assert!(naming.want());
        assert!(naming.is_wanted());
        assert_eq!(naming.name(1), None);
        naming.tried(Some(LunEncoding::U16));
        assert!(!naming.is_wanted());
        assert_eq!(naming.name(1), Some([0, 1, 0, 0]));
        let item = naming.complete(CardModel::REFERENCE).lun_encoding;
        assert_eq!(item.evidence, Evidence::Learned);
    }

    /// It is tried three times.
    #[test]
    fn given_up() {
        let naming = Naming::new(&CardModel::REFERENCE, false);
        for _ in 0..3 {
            assert!(!naming.is_settled());
            assert!(naming.want());
            assert!(naming.want());
            naming.tried(None);
            assert!(!naming.is_wanted());
        }
        assert!(naming.is_settled());
        assert!(!naming.want());
        assert!(!naming.is_wanted());
        assert_eq!(naming.name(0), Some([0; 4]));
        assert_eq!(naming.name(1), None);
        assert_eq!(naming.complete(CardModel::REFERENCE), CardModel::REFERENCE);
    }

    /// There was a unit, and it could not be told from LUN 0.
    #[test]
    fn nothing_left_to_try() {
        let naming = Naming::new(&CardModel::REFERENCE, true);
        assert!(naming.is_settled());
        assert!(!naming.want());
        assert_eq!(naming.name(1), None);
    }

    /// The numbers behind the last might mean anything.
    #[test]
    fn no_lun_beyond_the_last() {
        let naming = Naming::new(&card(LunEncoding::U32), true);
        assert!(naming.name(MAX_LUN - 1).is_some());
        assert_eq!(naming.name(MAX_LUN), None);
    }

    /// What is known stays as it is.
    #[test]
    fn nothing_to_find_out() {
        let naming = Naming::new(&card(LunEncoding::U32), true);
        assert!(!naming.want());
        assert!(!naming.is_wanted());
    }
}
