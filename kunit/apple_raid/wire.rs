// SPDX-License-Identifier: GPL-2.0

//! Formats in host memory: byte for byte what stands in the macOS trace, and what the card might
//! write instead.

#[kernel::prelude::kunit_tests(apple_raid_wire)]
mod tests {
    use super::super::inputs::{
        any_cdb,
        cdb, //
    };
    use crate::{
        scsi::kunit::{
            ensure,
            holds, //
        },
        wire::{
            self,
            Entry,
            Response,
            ADDRESS_BITS,
            MAX_WORDS,
            SENSE_LEN,
            SLOT_LEN, //
        },
    };
    use core::num::NonZero;
    use kernel::prelude::*;

    /// The tag of every command in the trace.
    const TAG: u16 = 0x3b;

    /// The header of a good response (O), and of one with sense (O).
    const GOOD: [u8; 8] = [0x02, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00];
    const CHECK_CONDITION: [u8; 8] = [0x02, 0x05, 0x00, 0x3b, 0x00, 0x12, 0x02, 0x00];

    fn slot(command: &[u8], descriptor: Entry) -> [u8; SLOT_LEN] {
        wire::slot(TAG, [0; 4], &cdb(command), descriptor)
    }

    fn entry(address: u64, len: u32) -> Result<Entry> {
        Entry::new(address, len).ok_or(EINVAL)
    }

    #[test]
    fn trace_inquiry_of_6_bytes() -> Result {
        let slot = slot(&[0x12, 0, 0, 0, 6], entry(0x1799_d1d8, 6)?);
        let expected = [
            0x01, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00, // request, tag, LUN
            0x12, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, // CDB
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
            0x00, 0x17, 0x99, 0xd1, 0xd8, 0x00, 0x00, 0x02, // two words, in place
        ];
        assert_eq!(slot, expected);
        Ok(())
    }

    #[test]
    fn trace_address_above_4_gib() -> Result {
        let slot = slot(&[0x12, 0x01, 0x83, 0x04], entry(0x02_3294_c000, 4)?);
        let expected = [
            0x01, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00, //
            0x12, 0x01, 0x83, 0x04, 0x00, 0x00, 0x00, 0x00, //
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
            0x02, 0x32, 0x94, 0xc0, 0x00, 0x00, 0x00, 0x01, // five bytes of address
        ];
        assert_eq!(slot, expected);
        Ok(())
    }

    #[test]
    fn trace_list_of_13_bytes() -> Result {
        let index = NonZero::new(0x0887).ok_or(EINVAL)?;
        let slot = slot(&[0x12, 0x01, 0x80, 0x0d], Entry::list(index));
        let expected = [
            0x01, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00, //
            0x12, 0x01, 0x80, 0x0d, 0x00, 0x00, 0x00, 0x00, //
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
            0x08, 0x87, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // the index of a list
        ];
        assert_eq!(slot, expected);
        let first = [0x02, 0x31, 0x9b, 0x59, 0x00, 0x00, 0x00, 0x02];
        assert_eq!(entry(0x02_319b_5900, 8)?.to_bytes(), first);
        // Five bytes are two words.
        let second = [0x00, 0x0b, 0x59, 0xd1, 0xd8, 0x00, 0x00, 0x02];
        assert_eq!(entry(0x00_0b59_d1d8, 5)?.to_bytes(), second);
        Ok(())
    }

    #[test]
    fn trace_test_unit_ready() {
        let mut expected = [0; SLOT_LEN];
        expected[..4].copy_from_slice(&[0x01, 0x01, 0x00, 0x3b]);
        assert_eq!(slot(&[0], Entry::ZERO), expected);
    }

    #[test]
    fn slot_has_each_part_in_its_place() {
        assert!(holds(2_000, |any| {
            let (tag, lun) = (any.any_u32() as u16, any.any_u32().to_be_bytes());
            let command = any_cdb(any);
            let address = any.any_u64() >> (64 - ADDRESS_BITS);
            let Some(entry) = Entry::new(address, 1 + any.below(1 << 17)) else {
                return Err((tag, lun, command, address));
            };
            let slot = wire::slot(tag, lun, &command, entry);
            let right = slot[..2] == [0x01, 0x01]
                && slot[2..4] == tag.to_be_bytes()
                && slot[4..8] == lun
                && slot[8..24] == command
                && slot[24..] == entry.to_bytes();
            ensure(right, (tag, lun, command, address))
        }));
    }

    #[test]
    fn entry_says_address_and_words() {
        assert!(holds(5_000, |any| {
            let address = any.any_u64() >> any.pick(&[0, 20, 24, 28, 40]);
            let len = any.any_u32() >> any.pick(&[0, 8, 14, 20, 32 - 4]);
            let words = u64::from(len).div_ceil(4);
            let possible = address < 1 << ADDRESS_BITS && words > 0 && words <= MAX_WORDS.into();
            let found = Entry::new(address, len).map(|entry| u64::from_be_bytes(entry.to_bytes()));
            let expected = possible.then_some(address << 24 | words);
            ensure(found == expected, (address, len, found))
        }));
    }

    #[test]
    fn entry_at_the_limits() {
        let last = (1 << ADDRESS_BITS) - 512;
        assert!(Entry::new(last, MAX_WORDS * 4).is_some());
        assert!(Entry::new(0x1000, 1).is_some());
        assert_eq!(Entry::new(1 << ADDRESS_BITS, 512), None);
        assert_eq!(Entry::new(u64::MAX, 512), None);
        assert_eq!(Entry::new(0x1000, 0), None);
        assert_eq!(Entry::new(0x1000, MAX_WORDS * 4 + 1), None);
        assert_eq!(Entry::new(0x1000, u32::MAX), None);
    }

    /// Three forms of a descriptor that the card must be able to tell apart.
    #[test]
    fn list_is_neither_entry_nor_nothing() {
        for index in 1..=u16::MAX {
            if let Some(index) = NonZero::new(index) {
                let bytes = Entry::list(index).to_bytes();
                assert_eq!(bytes[..2], index.get().to_be_bytes());
                // The count of words is what an entry has and a list has not.
                assert_eq!(bytes[2..], [0; 6]);
                assert!(Entry::list(index) != Entry::ZERO);
            }
        }
    }

    #[test]
    fn trace_responses() {
        let good = Response::Done {
            status: 0,
            sense_len: 0,
        };
        assert_eq!(wire::response(GOOD, TAG), Some(good));
        let check_condition = Response::Done {
            status: 2,
            sense_len: 18,
        };
        assert_eq!(wire::response(CHECK_CONDITION, TAG), Some(check_condition));
    }

    /// A response is for one tag only. The cleared one is for none, not even tag 0.
    #[test]
    fn response_is_for_one_tag() {
        for tag in 0..=u16::MAX {
            assert_eq!(wire::response(GOOD, tag).is_some(), tag == TAG);
            assert_eq!(wire::response(wire::UNANSWERED, tag), None);
        }
    }

    /// What one wrong byte makes of a response.
    fn with_byte(header: [u8; 8], at: usize, value: u8) -> Option<Response> {
        let mut header = header;
        header[at] = value;
        wire::response(header, TAG)
    }

    #[test]
    fn every_byte_of_a_good_response_garbled() {
        for value in 0..=u8::MAX {
            for (at, right) in GOOD.into_iter().enumerate() {
                let done = Response::Done {
                    status: if at == 6 { value } else { 0 },
                    sense_len: 0,
                };
                let expected = match at {
                    _ if value == right => Some(done),
                    // No response, or none for this tag.
                    0 | 2 | 3 => None,
                    // Whether the midlayer knows the status is not a question of format.
                    6 => Some(done),
                    _ => Some(Response::Garbled),
                };
                assert_eq!(with_byte(GOOD, at, value), expected);
            }
        }
    }

    #[test]
    fn every_byte_of_a_check_condition_garbled() {
        for value in 0..=u8::MAX {
            for (at, right) in CHECK_CONDITION.into_iter().enumerate() {
                let mut len = [0x00, 0x12];
                if let 4 | 5 = at {
                    len[at - 4] = value;
                }
                let len = usize::from(u16::from_be_bytes(len));
                let done = Response::Done {
                    status: if at == 6 { value } else { 2 },
                    // What exceeds the room for sense is cut.
                    sense_len: len.min(SENSE_LEN),
                };
                let expected = match at {
                    _ if value == right => Some(done),
                    0 | 2 | 3 => None,
                    // Sense is announced, but has no length.
                    4 | 5 if len == 0 => Some(Response::Garbled),
                    4..=6 => Some(done),
                    _ => Some(Response::Garbled),
                };
                assert_eq!(with_byte(CHECK_CONDITION, at, value), expected);
            }
        }
    }

    #[test]
    fn no_response_has_more_sense_than_there_is_room_for() {
        assert!(holds(20_000, |any| {
            let mut header = [0; 8];
            any.fill(&mut header);
            header[0] = 0x02;
            header[2..4].copy_from_slice(&TAG.to_be_bytes());
            header[1] = any.pick(&[0x01, 0x05, header[1]]);
            header[7] = any.pick(&[0x00, header[7]]);
            let response = wire::response(header, TAG);
            let sound = match response {
                Some(Response::Done { sense_len, status }) => {
                    sense_len <= SENSE_LEN
                        && status == header[6]
                        && (sense_len > 0) == (header[1] == 0x05)
                }
                Some(Response::Garbled) => true,
                None => false,
            };
            ensure(sound, (header, response))
        }));
    }
}
