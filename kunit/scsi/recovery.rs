// SPDX-License-Identifier: GPL-2.0

//! Error handling: commands that get lost, are found again, are given up or are taken away.

#[kernel::prelude::kunit_tests(rust_scsi_recovery)]
mod tests {
    use super::super::{
        super::{
            state::Access,
            Dma,
            HostByte,
            Outcome,
            Status, //
        },
        ask::Deed,
        bench::{
            new_faux,
            Bench,
            LIMITS, //
        },
        lost::{
            counts,
            failed,
            lost,
            timed_out,
            works,
            GOOD,
            SHORT, //
        },
        request::Data,
        state::LIES,
    };
    use kernel::{
        prelude::*,
        sync::atomic::ordering::Relaxed, //
    };

    /// Only the interrupt was lost: the command ends as if nothing had happened.
    #[test]
    fn found_when_it_timed_out() -> Result {
        let bench = Bench::new()?;
        bench.state().found_by_poll.store(1, Relaxed);
        assert_eq!(lost(&bench)?.end(), GOOD);
        assert_eq!(counts(&bench), (1, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// Found by `abort`: it is done, but late, which is what the midlayer then says.
    #[test]
    fn found_when_it_was_aborted() -> Result {
        let bench = Bench::new()?;
        bench.state().found_by_poll.store(2, Relaxed);
        let sent = lost(&bench)?;
        assert_eq!(sent.end(), timed_out());
        assert_eq!(counts(&bench), (2, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// Not found at all: the host is reset, and gives it up.
    #[test]
    fn ended_by_a_reset() -> Result {
        let bench = Bench::new()?;
        assert_eq!(lost(&bench)?.end(), timed_out());
        assert_eq!(counts(&bench), (2, 1, 1));
        assert!(!bench.is_offline());
        assert!(works(&bench)?);
        Ok(())
    }

    /// The midlayer tries again what was lost in a reset, if it may.
    #[test]
    fn tried_again_after_a_reset() -> Result {
        let bench = Bench::new()?;
        let request = bench.request(Deed::StartFirst, Data::None)?;
        let sent = request.timeout(SHORT).retries(1).send()?;
        assert_eq!(sent.end(), GOOD);
        assert_eq!(counts(&bench), (2, 1, 1));
        assert_eq!(bench.state().asked.load(Relaxed), 2);
        assert!(works(&bench)?);
        Ok(())
    }

    /// Error handling waits until all commands have timed out, and resets the host once.
    #[test]
    fn all_of_them_lost() -> Result {
        let bench = Bench::new()?;
        let tags = usize::from(LIMITS.can_queue);
        let mut sent = KVec::with_capacity(tags, GFP_KERNEL)?;
        for _ in 0..tags {
            let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
            let request = bench.request(Deed::StartMapped, data)?.timeout(SHORT);
            sent.push(request.send()?, GFP_KERNEL)?;
        }
        assert!(bench.starts(tags));
        for sent in &sent {
            assert_eq!(sent.end(), timed_out());
        }
        // A request keeps its tag until it is freed.
        drop(sent);
        let (_, resets, ended) = counts(&bench);
        assert_eq!((resets, ended as usize), (1, tags));
        assert!(works(&bench)?);
        Ok(())
    }

    /// The trap of the C interface: the device does not come back, the midlayer finishes the
    /// command all the same, and the driver still holds it. It is taken away from it.
    #[test]
    fn revoked_when_the_reset_failed() -> Result {
        let bench = Bench::new()?;
        bench.state().comes_back.store(0, Relaxed);
        // Not mapped: a mapping would stay, on purpose, for as long as the device might use it.
        let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
        let sent = bench.request(Deed::Start, data)?.timeout(SHORT).send()?;
        assert_eq!(sent.end(), timed_out());
        assert_eq!(counts(&bench), (2, 1, 0));
        assert!(bench.is_idle());
        // The driver looks for it in vain.
        assert!(bench.take(|_, _| ()).is_none());
        assert!(bench.is_offline());
        // Nothing is queued any more.
        let asked = bench.state().asked.load(Relaxed);
        let refused = bench.request(Deed::Complete, Data::None)?.send()?;
        assert!(refused.end() != GOOD);
        assert_eq!(bench.state().asked.load(Relaxed), asked);
        Ok(())
    }

    /// The driver says that the device is back, and has kept the command: it is taken away.
    #[test]
    fn taken_away_after_a_reset() -> Result {
        let bench = Bench::new()?;
        bench.state().comes_back.store(LIES, Relaxed);
        let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
        let sent = bench.request(Deed::Start, data)?.timeout(SHORT).send()?;
        assert_eq!(sent.end(), timed_out());
        assert_eq!(counts(&bench), (2, 1, 0));
        assert!(bench.is_idle());
        assert!(bench.take(|_, _| ()).is_none());
        // Nobody knows what the device is doing now: it is lost.
        assert!(bench.is_offline());
        // Until a reset that does what it says.
        bench.state().comes_back.store(1, Relaxed);
        assert_eq!(bench.host().reset(), Ok(()));
        assert_eq!(bench.host().access(), Access::Running);
        Ok(())
    }

    /// Memory may be handed back only if it is this device that does no DMA.
    #[test]
    fn ended_with_a_proof() -> Result {
        let bench = Bench::new()?;
        for host_byte in [HostByte::Reset, HostByte::NoConnect] {
            let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
            let sent = bench.request(Deed::StartMapped, data)?.send()?;
            assert!(bench.starts(1));

            let faux = new_faux()?;
            let mut other = Dma::fake(faux.as_ref().as_ref());
            let result = bench.host().complete_all(&other.stop(), host_byte);
            assert_eq!(result, Err(EINVAL));
            assert_eq!(bench.in_flight(), 1);
            assert!(!sent.has_ended());

            // Nor is another switch of the same device one that anybody has stopped.
            let mut other = bench.dma();
            let result = bench.host().complete_all(&other.stop(), host_byte);
            assert_eq!(result, Err(EINVAL));

            let mut state = bench.host().private().resets.state.lock();
            let stopped = state.dma.as_mut().ok_or(ENODEV)?.stop();
            assert_eq!(bench.host().complete_all(&stopped, host_byte), Ok(()));
            assert_eq!(sent.end(), failed(host_byte as u32));
            // There is nothing left to end.
            assert_eq!(bench.host().complete_all(&stopped, host_byte), Ok(()));
            drop(state);
            assert!(works(&bench)?);
        }
        Ok(())
    }

    /// An ioctl can ask for a reset of a host that is being removed.
    #[test]
    fn no_reset_of_a_host_that_was_removed() -> Result {
        let mut bench = Bench::new()?;
        assert_eq!(bench.host().reset(), Ok(()));
        assert_eq!(counts(&bench), (0, 1, 0));
        bench.remove();
        assert_eq!(bench.host().reset(), Err(ENODEV));
        Ok(())
    }

    /// What completes before its time is not touched by error handling.
    #[test]
    fn answered_in_time() -> Result {
        let bench = Bench::new()?;
        let sent = lost(&bench)?;
        bench.take(|cmd, _| cmd.complete(Outcome::status(Status::GOOD)));
        assert_eq!(sent.end(), GOOD);
        assert_eq!(counts(&bench), (0, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }
}
