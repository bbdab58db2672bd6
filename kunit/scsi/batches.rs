// SPDX-License-Identifier: GPL-2.0

//! Several commands at once, of which the driver may tell its device together.

#[kernel::prelude::kunit_tests(rust_scsi_batches)]
mod tests {
    use super::super::{
        ask::Deed,
        asking::a_while,
        bench::Bench,
        lost::GOOD,
        request::Data, //
    };
    use kernel::{
        bindings,
        prelude::*,
        sync::atomic::ordering::Relaxed, //
    };

    const COUNT: u32 = 4;

    /// Sends some commands, and lets them through when all are there. Returns how many were the
    /// last, and how often a batch ended without one.
    fn at_once(bench: &Bench) -> Result<(u32, u32)> {
        let state = bench.state();
        let before = (state.last.load(Relaxed), state.commits.load(Relaxed));
        // SAFETY: The host is valid, and was added.
        unsafe { bindings::scsi_block_requests(bench.host().as_raw()) };
        let mut sent = KVec::new();
        for _ in 0..COUNT {
            let request = bench.request(Deed::Complete, Data::None)?;
            sent.push(request.send()?, GFP_KERNEL)?;
        }
        // Those that were tried, and not let in, are back in the list with the others.
        a_while();
        let asked = state.asked.load(Relaxed);
        // SAFETY: As above.
        unsafe { bindings::scsi_unblock_requests(bench.host().as_raw()) };
        assert_eq!(asked, 0);
        for sent in &sent {
            assert_eq!(sent.end(), GOOD);
        }
        let (last, commits) = before;
        Ok((
            state.last.load(Relaxed) - last,
            state.commits.load(Relaxed) - commits,
        ))
    }

    /// A command that comes alone is the last.
    #[test]
    fn alone() -> Result {
        let bench = Bench::new()?;
        let last = bench.state().last.load(Relaxed);
        let sent = bench.request(Deed::Complete, Data::None)?.send()?;
        assert_eq!(sent.end(), GOOD);
        assert_eq!(bench.state().last.load(Relaxed), last + 1);
        assert_eq!(bench.state().commits.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn the_last_is_marked() -> Result {
        let bench = Bench::new()?;
        assert_eq!(at_once(&bench)?, (1, 0));
        assert_eq!(bench.state().asked.load(Relaxed), COUNT);
        Ok(())
    }

    /// The device is told of those before a command that was given back. Those behind it come
    /// later, and end with a last one.
    #[test]
    fn a_batch_ends_early() -> Result {
        let bench = Bench::new()?;
        bench.state().busy_at.store(2, Relaxed);
        assert_eq!(at_once(&bench)?, (1, 1));
        assert_eq!(bench.state().asked.load(Relaxed), COUNT + 1);
        Ok(())
    }
}
