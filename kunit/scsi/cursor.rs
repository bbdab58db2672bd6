// SPDX-License-Identifier: GPL-2.0

//! A buffer that is gone through from its beginning to its end, and back never.

#[kernel::prelude::kunit_tests(rust_scsi_cursor)]
mod tests {
    use super::super::{
        super::{
            Command,
            Outcome,
            Status, //
        },
        ask::Deed,
        bench::{
            Bench,
            LIMITS, //
        },
        ensure,
        fake::Fake,
        holds,
        request::Data,
        Generator,
    };
    use kernel::{
        page::PAGE_SIZE,
        prelude::*, //
    };

    const LONGEST: u32 = LIMITS.max_sectors * 512;

    fn any_bytes(any: &mut Generator, len: usize) -> Result<KVec<u8>> {
        let mut bytes = KVec::from_elem(0, len, GFP_KERNEL)?;
        any.fill(&mut bytes);
        Ok(bytes)
    }

    /// Has `each` go through the data of a command. Returns the buffer as it is afterwards, and
    /// what `each` returned, which cannot sleep. What a buffer for data-in holds at first is
    /// anything.
    fn go_through<R>(
        bench: &Bench,
        data: Data,
        each: impl FnOnce(&Command<'_, Fake>) -> R,
    ) -> Result<(KVec<u8>, R)> {
        let sent = bench.request(Deed::Start, data)?.send()?;
        if !bench.starts(1) {
            return Err(ETIMEDOUT);
        }
        let result = bench.take(|cmd, _| {
            let result = each(&cmd);
            cmd.complete(Outcome::status(Status::GOOD));
            result
        });
        let mut bytes = KVec::new();
        bytes.extend_from_slice(sent.bytes().ok_or(EIO)?, GFP_KERNEL)?;
        Ok((bytes, result.ok_or(EIO)?))
    }

    /// What can be done at a place of the buffer.
    #[derive(Clone, Copy, Default)]
    enum Step {
        #[default]
        Skip,
        Read,
        Write,
        Fill,
    }

    const STEPS: [Step; 4] = [Step::Skip, Step::Read, Step::Write, Step::Fill];

    /// Any steps, of any length, do what they would do with a slice, and end where it ends.
    fn like_a_slice(bench: &Bench, any: &mut Generator) -> Result<bool> {
        let len = 1 + any.below(LONGEST.min(4 * PAGE_SIZE as u32)) as usize;
        let scale = any.pick(&[8, 600, 2 * PAGE_SIZE as u32]);
        let mut model = any_bytes(any, len)?;
        let written = any_bytes(any, scale as usize)?;
        let mut found = KVec::from_elem(0, scale as usize, GFP_KERNEL)?;
        let data = Data::In(KVec::from_elem(0, len, GFP_KERNEL)?);
        let (bytes, right) = go_through(bench, data, |cmd| {
            let mut data = cmd.data();
            let mut right = data.write(&model) == len && data.left() == 0;
            // It starts from the beginning, but not by itself.
            right &= data.write(&written) == 0;
            let mut data = cmd.data();
            let mut at = 0;
            while right {
                let wanted = any.below(scale + 1) as usize;
                let fits = wanted.min(len - at);
                let place = &mut model[at..at + fits];
                let done = match any.pick(&STEPS) {
                    Step::Skip => data.skip(wanted),
                    Step::Read => {
                        found.fill(0xee);
                        let done = data.read(&mut found[..wanted]);
                        right &= found[..fits] == *place;
                        right &= found[fits..].iter().all(|byte| *byte == 0xee);
                        done
                    }
                    Step::Write => {
                        place.copy_from_slice(&written[..fits]);
                        data.write(&written[..wanted])
                    }
                    Step::Fill => {
                        place.fill(0);
                        data.fill(wanted)
                    }
                };
                at += fits;
                right &= done == fits && data.left() == len - at;
                if at == len {
                    break;
                }
            }
            right
        })?;
        Ok(right && *bytes == *model)
    }

    #[test]
    fn steps_are_like_those_of_a_slice() -> Result {
        let bench = Bench::new()?;
        assert!(holds(200, |any| {
            let found = like_a_slice(&bench, any);
            ensure(found == Ok(true), found)
        }));
        assert!(bench.is_idle());
        Ok(())
    }

    /// Behind the end there is nothing, and no buffer is one that has ended.
    #[test]
    fn ends_where_the_buffer_ends() -> Result {
        let bench = Bench::new()?;
        let all = KVec::from_elem(0x11, LONGEST as usize, GFP_KERNEL)?;
        for len in [0, 1, 512, PAGE_SIZE, PAGE_SIZE + 1, LONGEST as usize] {
            let data = if len == 0 {
                Data::None
            } else {
                Data::In(KVec::from_elem(0, len, GFP_KERNEL)?)
            };
            let (bytes, found) = go_through(&bench, data, |cmd| {
                let full = cmd.copy_to_data(0, &all[..len]);
                let mut data = cmd.data();
                let before = data.left();
                let skipped = [data.skip(len / 2), data.skip(usize::MAX), data.skip(1)];
                let mut byte = [0xee];
                let rest = [data.read(&mut byte), data.write(&[0x22]), data.fill(1)];
                (full, before, skipped, rest, byte, data.left())
            })?;
            let skipped = [len / 2, len - len / 2, 0];
            assert_eq!(found, (len, len, skipped, [0; 3], [0xee], 0));
            assert!(bytes.iter().all(|byte| *byte == 0x11));
        }
        assert!(bench.is_idle());
        Ok(())
    }

    /// What is on its way to the device is not changed: the pages may be anybody's.
    #[test]
    fn nothing_is_written_into_data_out() -> Result {
        let bench = Bench::new()?;
        let len = PAGE_SIZE + 100;
        let data = Data::Out(KVec::from_elem(0x11, len, GFP_KERNEL)?);
        let (bytes, found) = go_through(&bench, data, |cmd| {
            let mut data = cmd.data();
            let refused = [data.write(&[0x22; 8]), data.fill(8)];
            // The place is what it was.
            let skipped = data.skip(PAGE_SIZE - 4);
            let refused_later = [data.write(&[0x22; 8]), data.fill(8)];
            let mut read = [0; 8];
            let count = data.read(&mut read);
            let left = data.left();
            let copied = cmd.copy_to_data(0, &[0x22; 8]);
            (refused, skipped, refused_later, count, read, left, copied)
        })?;
        let expected = ([0; 2], PAGE_SIZE - 4, [0; 2], 8, [0x11; 8], 100 - 4, 0);
        assert_eq!(found, expected);
        assert!(bytes.iter().all(|byte| *byte == 0x11));
        Ok(())
    }
}
