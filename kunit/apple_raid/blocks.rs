// SPDX-License-Identifier: GPL-2.0

//! Learning how long a block is.

#[kernel::prelude::kunit_tests(apple_raid_blocks)]
mod tests {
    use super::super::inputs::{
        any_cdb,
        cdb, //
    };
    use crate::{
        blocks::{
            length_in_answer,
            BlockLengths, //
        },
        cdb::{
            phase,
            Amount,
            Phase, //
        },
        scsi::kunit::{
            ensure,
            holds, //
        },
        MAX_LUN,
    };
    use core::num::NonZero;
    use kernel::prelude::*;

    #[test]
    fn nothing_is_known_at_first() -> Result {
        let lengths = BlockLengths::new(MAX_LUN)?;
        for lun in 0..=MAX_LUN {
            assert_eq!(lengths.get(lun), None);
        }
        Ok(())
    }

    #[test]
    fn each_unit_has_its_own() -> Result {
        let lengths = BlockLengths::new(MAX_LUN)?;
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
        Ok(())
    }

    #[test]
    fn what_was_known_of_another_unit_is_forgotten() -> Result {
        let lengths = BlockLengths::new(MAX_LUN)?;
        lengths.set(0, 512);
        lengths.set(1, 4096);
        lengths.forget(0);
        lengths.forget(MAX_LUN);
        assert_eq!(lengths.get(0), None);
        assert_eq!(lengths.get(1), NonZero::new(4096));
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_ignored() -> Result {
        let lengths = BlockLengths::new(MAX_LUN)?;
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
        Ok(())
    }

    #[test]
    fn who_tells_the_length() {
        // READ CAPACITY(10): behind the last address of 4 bytes; (16): of 8 bytes.
        assert_eq!(length_in_answer(&cdb(&[0x25])[..10]), Some(4));
        assert_eq!(length_in_answer(&cdb(&[0x9e, 0x10])), Some(8));
        // The upper bits of a service action are something else.
        assert_eq!(length_in_answer(&cdb(&[0x9e, 0xf0])), Some(8));
        // GET LBA STATUS, a CDB that is cut off, INQUIRY, nothing.
        assert_eq!(length_in_answer(&cdb(&[0x9e, 0x12])), None);
        assert_eq!(length_in_answer(&[0x9e, 0x10]), None);
        assert_eq!(length_in_answer(&cdb(&[0x12])[..6]), None);
        assert_eq!(length_in_answer(&[]), None);
    }

    /// Only what comes in can be learned from.
    #[test]
    fn answers_come_from_the_card() {
        assert!(holds(20_000, |any| {
            let cdb = any_cdb(any);
            let comes_in = matches!(phase(&cdb), Some(Phase::In(Amount::Bytes(_))));
            let learns = length_in_answer(&cdb);
            ensure(learns.is_none() || comes_in, (cdb, learns))
        }));
    }
}
