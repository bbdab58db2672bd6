// SPDX-License-Identifier: GPL-2.0

//! Buffers of commands: copied to and from, and mapped.

#[kernel::prelude::kunit_tests(rust_scsi_data)]
mod tests {
    use super::super::{
        super::{
            mapping::may_pass,
            Direction,
            Outcome,
            Status, //
        },
        ask::Deed,
        bench::{
            Bench,
            LIMITS, //
        },
        ensure, holds,
        request::Data,
        Generator,
    };
    use kernel::{
        page::PAGE_SIZE,
        prelude::*,
        sync::atomic::ordering::Relaxed, //
    };

    const LONGEST: u32 = LIMITS.max_sectors * 512;

    fn good() -> Outcome {
        Outcome::status(Status::GOOD)
    }

    /// Bytes of chance.
    fn any_bytes(any: &mut Generator, len: usize) -> Result<KVec<u8>> {
        let mut bytes = KVec::from_elem(0, len, GFP_KERNEL)?;
        any.fill(&mut bytes);
        Ok(bytes)
    }

    fn copy(bytes: &[u8]) -> Result<KVec<u8>> {
        let mut copy = KVec::with_capacity(bytes.len(), GFP_KERNEL)?;
        copy.extend_from_slice(bytes, GFP_KERNEL)?;
        Ok(copy)
    }

    #[test]
    fn direction_and_length() -> Result {
        let bench = Bench::new()?;
        let bytes = || KVec::from_elem(0, 100, GFP_KERNEL);
        for (data, expected) in [
            (Data::None, (Direction::None, 0)),
            (Data::In(bytes()?), (Direction::In, 100)),
            (Data::Out(bytes()?), (Direction::Out, 100)),
        ] {
            let sent = bench.request(Deed::Start, data)?.send()?;
            assert!(bench.starts(1));
            let found = bench.take(|cmd, _| {
                let found = (cmd.direction(), cmd.data_len(), cmd.lun(), cmd.cdb().len());
                cmd.complete(good());
                found
            });
            let (direction, len) = expected;
            assert_eq!(found, Some((direction, len, 0, 10)));
            assert!(sent.end().is_some());
        }
        Ok(())
    }

    /// Copies `bytes` to any place of a buffer, and compares it with what a slice would be then.
    fn copies_to(bench: &Bench, any: &mut Generator) -> Result<bool> {
        let len = 1 + any.below(LONGEST.min(3 * PAGE_SIZE as u32)) as usize;
        let before = any_bytes(any, len)?;
        let scale = any.pick(&[16, 600, 3 * PAGE_SIZE as u32]);
        let count = any.below(scale) as usize;
        let bytes = any_bytes(any, count)?;
        let skip = any.below(len as u32 + 10) as usize;
        let mut expected = copy(&before)?;
        let fits = bytes.len().min(len.saturating_sub(skip));
        if fits > 0 {
            expected[skip..skip + fits].copy_from_slice(&bytes[..fits]);
        }
        let sent = bench.request(Deed::Start, Data::In(KVec::from_elem(0, len, GFP_KERNEL)?))?;
        let sent = sent.send()?;
        if !bench.starts(1) {
            return Ok(false);
        }
        let copied = bench.take(|cmd, _| {
            let all = cmd.copy_to_data(0, &before);
            let copied = cmd.copy_to_data(skip, &bytes);
            cmd.complete(good());
            (all, copied)
        });
        Ok(copied == Some((len, fits)) && sent.bytes() == Some(&*expected))
    }

    #[test]
    fn copied_to_any_place() -> Result {
        let bench = Bench::new()?;
        assert!(holds(200, |any| {
            let found = copies_to(&bench, any);
            ensure(found == Ok(true), found)
        }));
        Ok(())
    }

    /// Copies any part of a buffer, and compares it with that of a slice.
    fn copies_from(bench: &Bench, any: &mut Generator) -> Result<bool> {
        let len = 1 + any.below(LONGEST.min(3 * PAGE_SIZE as u32)) as usize;
        let written = any_bytes(any, len)?;
        let skip = any.below(len as u32 + 10) as usize;
        let wanted = any.below(2 * PAGE_SIZE as u32) as usize;
        let mut expected = KVec::from_elem(0xee, wanted, GFP_KERNEL)?;
        let mut found = copy(&expected)?;
        let fits = wanted.min(len.saturating_sub(skip));
        if fits > 0 {
            expected[..fits].copy_from_slice(&written[skip..skip + fits]);
        }
        let sent = bench
            .request(Deed::Start, Data::Out(copy(&written)?))?
            .send()?;
        if !bench.starts(1) {
            return Ok(false);
        }
        let copied = bench.take(|cmd, _| {
            let copied = cmd.copy_from_data(skip, &mut found);
            cmd.complete(good());
            copied
        });
        let unchanged = sent.bytes() == Some(&*written);
        Ok(copied == Some(fits) && *found == *expected && unchanged)
    }

    #[test]
    fn copied_from_any_place() -> Result {
        let bench = Bench::new()?;
        assert!(holds(200, |any| {
            let found = copies_from(&bench, any);
            ensure(found == Ok(true), found)
        }));
        Ok(())
    }

    /// The segments of a mapping are the buffer, within the limits, and there is one at least.
    fn maps(bench: &Bench, any: &mut Generator) -> Result<bool> {
        let len = match any.below(3) {
            0 => LONGEST,
            1 => 1 + any.below(LONGEST),
            _ => 1 + any.below(100),
        };
        let data = Data::In(any_bytes(any, len as usize)?);
        let sent = bench.request(Deed::StartMapped, data)?.send()?;
        if !bench.starts(1) {
            return Ok(false);
        }
        bench.take(|cmd, _| cmd.complete(good()));
        let right = bench.state().whole.xchg(0, Relaxed) == 1;
        Ok(right && sent.end().is_some() && bench.is_idle())
    }

    #[test]
    fn mapped_whole() -> Result {
        let bench = Bench::new()?;
        assert!(holds(200, |any| {
            let found = maps(&bench, any);
            ensure(found == Ok(true), found)
        }));
        Ok(())
    }

    /// What `dma_map_sgtable()` can return.
    #[test]
    fn mappings_that_may_succeed_later() {
        for bounces in [false, true] {
            for (error, expected) in [
                (ENOMEM, true),
                (EIO, bounces),
                (EINVAL, false),
                (EREMOTEIO, false),
            ] {
                assert_eq!(may_pass(error, bounces), expected);
            }
        }
    }

    /// A mapping travels through the table, and is undone before the command is completed.
    #[test]
    fn mapped_and_started() -> Result {
        let bench = Bench::new()?;
        for len in [1, 512, PAGE_SIZE + 1, LONGEST as usize] {
            let data = Data::In(KVec::from_elem(0, len, GFP_KERNEL)?);
            let sent = bench.request(Deed::StartMapped, data)?.send()?;
            assert!(bench.starts(1));
            let copied = bench.take(|cmd, _| {
                let copied = cmd.copy_to_data(len - 1, &[0x5a, 0x5b]);
                cmd.complete(good());
                copied
            });
            assert_eq!(copied, Some(1));
            assert_eq!(sent.bytes().and_then(|bytes| bytes.last()), Some(&0x5a));
            assert!(bench.is_idle());
        }
        Ok(())
    }
}
