// SPDX-License-Identifier: GPL-2.0

//! Formats in host memory, byte for byte.

#[kernel::prelude::kunit_tests(apple_raid_wire)]
mod tests {
    use super::super::cdb;
    use crate::wire::{
        Body,
        Descriptor,
        Entry,
        Function,
        Response,
        Slot,
        MAX_ENTRY_LEN,
        SLOT_WORDS, //
    };
    use kernel::prelude::*;

    /// The tag of every command in the trace.
    const TAG: u16 = 0x3b;

    fn bytes(slot: Slot) -> [[u8; 8]; SLOT_WORDS] {
        slot.0.map(u64::to_ne_bytes)
    }

    fn slot(command: &[u8], data: Descriptor) -> [[u8; 8]; SLOT_WORDS] {
        bytes(Slot::command(TAG, 0, &cdb(command), data))
    }

    #[test]
    fn trace_inquiry_of_6_bytes() -> Result {
        let entry = Entry::new(0x1799_d1d8, 8).ok_or(EINVAL)?;
        let expected = [
            [0x01, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00], // command, in place, tag, LUN
            [0x12, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00], // CDB
            [0; 8],
            [0x00, 0x17, 0x99, 0xd1, 0xd8, 0x00, 0x00, 0x02], // address, two words
        ];
        let data = Descriptor::InPlace(entry);
        assert_eq!(slot(&[0x12, 0, 0, 0, 6], data), expected);
        Ok(())
    }

    #[test]
    fn trace_list_of_13_bytes() {
        let mut expected = [
            [0x01, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00],
            [0x12, 0x01, 0x80, 0x0d, 0x00, 0x00, 0x00, 0x00],
            [0; 8],
            [0x08, 0x87, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], // index of a list unit
        ];
        for marked in [true, false] {
            expected[0][1] = marked.into();
            let unit = 0x0887;
            let data = Descriptor::List { unit, marked };
            assert_eq!(slot(&[0x12, 0x01, 0x80, 0x0d], data), expected);
        }
    }

    #[test]
    fn no_data_and_another_unit() {
        let slot = bytes(Slot::command(TAG, 63, &cdb(&[0]), Descriptor::None));
        let head = [0x01, 0x00, 0x00, 0x3b, 0x00, 0x3f, 0x00, 0x00];
        assert_eq!(slot, [head, [0; 8], [0; 8], [0; 8]]);
    }

    #[test]
    fn task_management() {
        let abort = bytes(Slot::task(61, 5, Function::AbortTask(TAG)));
        let head = [0x04, 0x00, 0x00, 0x3d, 0x00, 0x05, 0x00, 0x01];
        let victim = [0x00, 0x3b, 0, 0, 0, 0, 0, 0];
        assert_eq!(abort, [head, victim, [0; 8], [0; 8]]);
        let reset = bytes(Slot::task(61, 5, Function::LogicalUnitReset));
        let head = [0x04, 0x00, 0x00, 0x3d, 0x00, 0x05, 0x00, 0x08];
        assert_eq!(reset, [head, [0; 8], [0; 8], [0; 8]]);
    }

    #[test]
    fn entries_at_the_limits() {
        assert!(Entry::new((1 << 40) - 8, 8).is_some());
        assert!(Entry::new(0x1000, MAX_ENTRY_LEN).is_some());
        assert_eq!(Entry::new(1 << 40, 8), None);
        assert_eq!(Entry::new(0x1004, 8), None);
        assert_eq!(Entry::new(0x1000, 4), None);
        assert_eq!(Entry::new(0x1000, 0), None);
        assert_eq!(Entry::new(0x1000, MAX_ENTRY_LEN + 8), None);
    }

    fn response(bytes: [u8; 8]) -> Option<Response> {
        Response::of_command(u64::from_ne_bytes(bytes), TAG)
    }

    #[test]
    fn trace_responses() {
        let ended = |status, body| Some(Response { status, body });
        let good = response([0x02, 0x01, 0x00, 0x3b, 0x00, 0x00, 0x00, 0x00]);
        assert_eq!(good, ended(0, Body::None));
        let check = response([0x02, 0x05, 0x00, 0x3b, 0x00, 0x12, 0x02, 0x00]);
        assert_eq!(check, ended(2, Body::Sense(18)));
        let inline = response([0x02, 0x03, 0x00, 0x3b, 0x00, 0x18, 0x00, 0x00]);
        assert_eq!(inline, ended(0, Body::Data(24)));
    }

    #[test]
    fn responses_that_make_no_sense() {
        let other_tag = [0x02, 0x01, 0x00, 0x3c, 0, 0, 0, 0];
        let other_kind = [0x03, 0x01, 0x00, 0x3b, 0, 0, 0, 0];
        for missing in [[0; 8], other_tag, other_kind] {
            assert_eq!(response(missing), None);
        }
        let too_long = [0x02, 0x03, 0x00, 0x3b, 0, 25, 0, 0];
        let not_set = [0x02, 0x02, 0x00, 0x3b, 0, 8, 0, 0];
        let never = [0x02, 0x07, 0x00, 0x3b, 0, 8, 0, 0];
        for garbled in [too_long, not_set, never] {
            let body = response(garbled).map(|response| response.body);
            assert_eq!(body, Some(Body::Garbled));
        }
        // Tag 0 is not answered by a place that was cleared.
        assert_eq!(Response::of_command(0, 0), None);
        assert_eq!(Response::of_task(0, 0), None);
    }
}
