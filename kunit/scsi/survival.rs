// SPDX-License-Identifier: GPL-2.0

//! That the kernel survives a [`hostile`](super::hostile) driver.

#[kernel::prelude::kunit_tests(rust_scsi_hostile)]
mod tests {
    use super::super::{
        super::{
            Dma,
            Host,
            Limits,
            Reason,
            Registration, //
        },
        bench::{
            eventually,
            new_faux,
            Bench, //
        },
        hostile::{
            call_all,
            call_all_that_sleeps,
            forget,
            take_any,
            Hostile,
            Plot,
            CRIMES,
            RESETS, //
        },
        lost::{
            works,
            SHORT, //
        },
        request::{
            Data,
            Request, //
        },
    };
    use crate::bindings;
    use kernel::{
        device::Bound,
        faux,
        prelude::*,
        sync::{
            aref::ARef,
            atomic::ordering::Relaxed, //
        },
    };

    /// Lets the block layer lose completions of the unit's commands, if it is told to: by
    /// `fail_io_timeout` in debugfs, before the suite is run from there.
    fn lose_completions(bench: &Bench<Hostile>) {
        // SAFETY: The bench has a reference to the unit, whose queue lives as long.
        unsafe {
            let queue = (*bench.unit().as_ptr()).request_queue;
            bindings::blk_queue_flag_set(bindings::QUEUE_FLAG_FAIL_IO, queue);
        }
    }

    /// Each command ends, once, whatever the driver and its error handlers do.
    #[test]
    fn every_command_ends() -> Result {
        for reset in 0..RESETS {
            let bench = Bench::<Hostile>::with(Plot::new())?;
            lose_completions(&bench);
            // SAFETY: The host is registered.
            unsafe { bench.host().data() }.reset.store(reset, Relaxed);
            let mut sent = KVec::with_capacity(CRIMES.len(), GFP_KERNEL)?;
            for crime in CRIMES {
                let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
                let request = Request::new(&bench, &crime.cdb(), data)?.timeout(SHORT);
                sent.push(request.send()?, GFP_KERNEL)?;
            }
            for sent in &sent {
                assert!(sent.end().is_some());
            }
            assert_eq!(bench.host().in_flight().count(), 0);
            drop(sent);
            drop(bench);
            assert!(works(&Bench::new()?)?);
        }
        Ok(())
    }

    /// Asks for everything that a host can be asked for when it is too late, or too early.
    fn out_of_season(host: &Host<Hostile>) {
        call_all_that_sleeps(host);
        host.device_lost();
        take_any(host, forget);
        for reason in [Reason::Sleep, Reason::FunctionReset, Reason::BusError] {
            let _ = host.restart(reason);
            host.quiesce(reason);
            let _ = host.bring_up(reason);
            let _ = host.restart(reason);
        }
        host.shut_down();
        assert_eq!(host.restart(Reason::Sleep), Err(ENODEV));
        assert_eq!(host.bring_up(Reason::Sleep), Err(ENODEV));
        assert!(host.with_device(|_| ()).is_none());
        assert_eq!(host.in_flight().count(), 0);
    }

    /// What is asked for too early or too late has no effect, and does no harm.
    #[test]
    fn out_of_season_calls() -> Result {
        let host = Host::<Hostile>::new(&Limits::DEFAULT)?;
        out_of_season(&host);
        drop(host);

        let mut bench = Bench::<Hostile>::with(Plot::new())?;
        let host: ARef<Host<Hostile>> = bench.host().into();
        assert!(host.with_device(|_| ()).is_some());
        bench.remove();
        assert!(host.with_device(|_| ()).is_none());
        out_of_season(&host);
        drop(bench);
        out_of_season(&host);
        Ok(())
    }

    /// In season they do no harm either: the device is shut down, and all is over.
    #[test]
    fn all_calls_in_season() -> Result {
        let bench = Bench::<Hostile>::with(Plot::new())?;
        out_of_season(bench.host());
        assert!(bench.host().with_device(|_| ()).is_none());
        let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
        let sent = Request::new(&bench, &CRIMES[0].cdb(), data)?.send()?;
        assert!(sent.end().is_some());
        Ok(())
    }

    /// Work is done while there is the host, and not after that.
    #[test]
    fn work_has_its_time() -> Result {
        let host = Host::<Hostile>::new(&Limits::DEFAULT)?;
        host.queue_work(0);
        drop(host);

        let mut bench = Bench::<Hostile>::with(Plot::new())?;
        let host: ARef<Host<Hostile>> = bench.host().into();
        host.queue_work(0);
        // SAFETY: The host is registered.
        let works = || unsafe { host.data() }.works.load(Relaxed);
        assert!(eventually(|| works() == 1));
        // It does not come to this, as it is cancelled.
        host.queue_work(1_000_000);
        bench.remove();
        call_all(&host);
        Ok(())
    }

    /// Registers a host; `start` is what comes of bringing the device up.
    fn register<'a>(
        host: &Host<Hostile>,
        faux: &'a faux::Registration,
        dma: Dma<'a>,
        start: Result,
    ) -> Result<Registration<'a, Hostile>> {
        let plot =
            |_: &faux::Device<Bound>| KBox::pin_init(Ok::<_, Error>(Plot::new()), GFP_KERNEL);
        Registration::new(host, faux.as_ref(), dma, plot, move |_, _| start)
    }

    /// A registration that is forgotten goes with its device.
    #[test]
    fn a_forgotten_registration() -> Result {
        let faux = new_faux()?;
        let host = Host::<Hostile>::new(&Limits::DEFAULT)?;
        let dma = || Dma::fake(faux.as_ref().as_ref());
        core::mem::forget(register(&host, &faux, dma(), Ok(()))?);
        assert!(host.with_device(|_| ()).is_some());
        // There is one for each host, once.
        let again = register(&host, &faux, dma(), Ok(()));
        assert_eq!(again.err(), Some(EBUSY));
        drop(faux);
        assert!(host.with_device(|_| ()).is_none());
        Ok(())
    }

    /// The driver's work waits for commands that wait for the restart: removal does not.
    #[test]
    fn removed_while_quiesced() -> Result {
        let mut bench = Bench::<Hostile>::with(Plot::new())?;
        bench.host().quiesce(Reason::BusError);
        bench.host().queue_work(0);
        // SAFETY: The host is registered.
        let works = || unsafe { bench.host().data() }.works.load(Relaxed);
        assert!(eventually(|| works() == 1));
        bench.remove();
        Ok(())
    }

    /// What cannot be brought up, or has no switch, is not registered, and nothing is left of it.
    #[test]
    fn registrations_that_fail() -> Result {
        let faux = new_faux()?;
        let dma = || Dma::fake(faux.as_ref().as_ref());
        let host = Host::<Hostile>::new(&Limits::DEFAULT)?;
        let failed = register(&host, &faux, dma(), Err(ENXIO));
        assert_eq!(failed.err(), Some(ENXIO));
        assert!(host.with_device(|_| ()).is_none());

        let other = new_faux()?;
        let host = Host::<Hostile>::new(&Limits::DEFAULT)?;
        let failed = register(&host, &other, dma(), Ok(()));
        assert_eq!(failed.err(), Some(EINVAL));
        // A device with a DMA mask.
        assert_eq!(Dma::none(faux.as_ref().as_ref()).err(), Some(EINVAL));

        let limits = Limits {
            can_queue: 0,
            ..Limits::DEFAULT
        };
        assert_eq!(Host::<Hostile>::new(&limits).err(), Some(EINVAL));
        Ok(())
    }
}
