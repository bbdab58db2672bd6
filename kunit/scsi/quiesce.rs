// SPDX-License-Identifier: GPL-2.0

//! A device that is not accessible for a while: the system sleeps, the function is reset, the bus
//! had an error; or for good.

#[kernel::prelude::kunit_tests(rust_scsi_quiesce)]
mod tests {
    use super::super::{
        super::{
            state::Access,
            Finished,
            HostByte,
            Reason, //
        },
        ask::Deed,
        asking::{
            a_while,
            Asking, //
        },
        bench::Bench,
        lost::{
            counts,
            failed,
            lost,
            reset,
            works,
            GOOD, //
        },
        request::Data,
    };
    use kernel::{
        prelude::*,
        sync::atomic::ordering::Relaxed,
        time::{
            delay::fsleep,
            Delta, //
        },
    };

    const REASONS: [Reason; 3] = [Reason::Sleep, Reason::FunctionReset, Reason::BusError];

    /// Quiesces the device; what its driver is told of finished commands, if it is asked at all.
    fn quiesce(bench: &Bench, reason: Reason) -> Option<Finished> {
        bench.host().quiesce(reason);
        bench.state().told()
    }

    fn is_running(bench: &Bench) -> bool {
        bench.host().access() == Access::Running
    }

    fn resets(bench: &Bench) -> u32 {
        bench.state().resets.load(Relaxed)
    }

    /// A device that is quiesced is left alone: what times out meanwhile waits for the restart.
    #[test]
    fn left_alone() -> Result {
        let bench = Bench::new()?;
        let sent = lost(&bench)?;
        quiesce(&bench, Reason::Sleep);
        // Its time is over by far, although the block layer rounds up.
        fsleep(Delta::from_millis(2_500));
        assert!(!sent.has_ended());
        assert_eq!(bench.in_flight(), 1);
        assert_eq!(counts(&bench), (0, 0, 0));
        assert_eq!(bench.host().restart(Reason::Sleep), Ok(()));
        assert_eq!(sent.end(), reset());
        assert_eq!(counts(&bench), (0, 1, 1));
        assert!(works(&bench)?);
        Ok(())
    }

    /// After an error on the bus, and until the device was reset, memory is not what it should be.
    #[test]
    fn trusted_but_after_an_error() -> Result {
        let bench = Bench::new()?;
        for before in REASONS {
            for after in REASONS {
                let error = |reason| matches!(reason, Reason::BusError);
                let expected = |error| {
                    Some(if error {
                        Finished::Doubtful
                    } else {
                        Finished::Trusted
                    })
                };
                assert_eq!(quiesce(&bench, before), expected(error(before)));
                let either = error(before) || error(after);
                assert_eq!(quiesce(&bench, after), expected(either));
                assert_eq!(bench.host().restart(after), Ok(()));
                assert_eq!(bench.host().restart(before), Ok(()));
                assert!(works(&bench)?);
            }
        }
        Ok(())
    }

    /// What is the reason when the error is over makes no difference: there was no reset.
    #[test]
    fn doubtful_until_a_reset() -> Result {
        let bench = Bench::new()?;
        quiesce(&bench, Reason::Sleep);
        quiesce(&bench, Reason::BusError);
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        let again = quiesce(&bench, Reason::FunctionReset);
        assert_eq!(again, Some(Finished::Doubtful));
        assert_eq!(bench.host().restart(Reason::Sleep), Ok(()));
        assert_eq!(bench.host().restart(Reason::FunctionReset), Ok(()));
        assert_eq!(quiesce(&bench, Reason::Sleep), Some(Finished::Trusted));
        assert_eq!(bench.host().restart(Reason::Sleep), Ok(()));
        assert!(works(&bench)?);
        Ok(())
    }

    /// Of two reasons, the one that is gone last restarts the device, and commands wait until then.
    #[test]
    fn restarted_when_no_reason_is_left() -> Result {
        let bench = Bench::new()?;
        let orders = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];
        for (n, (one, other)) in (0..).zip(orders) {
            for one_goes_first in [false, true] {
                let (one, other) = (REASONS[one], REASONS[other]);
                let before = resets(&bench);
                quiesce(&bench, one);
                quiesce(&bench, other);
                let (first, last) = if one_goes_first {
                    (one, other)
                } else {
                    (other, one)
                };
                assert_eq!(bench.host().restart(first), Ok(()));
                assert_eq!(resets(&bench), before);
                assert!(!is_running(&bench));
                let sent = bench.request(Deed::Complete, Data::None)?.send()?;
                if n == 0 {
                    a_while();
                }
                assert!(!sent.has_ended());
                assert_eq!(bench.host().restart(last), Ok(()));
                assert_eq!(sent.end(), GOOD);
                assert_eq!(resets(&bench), before + 1);
                assert!(is_running(&bench));
            }
        }
        Ok(())
    }

    /// A device that is up again takes no commands before all that the error has hit is.
    #[test]
    fn commands_wait_until_the_error_is_over() -> Result {
        let bench = Bench::new()?;
        let sent = lost(&bench)?;
        quiesce(&bench, Reason::BusError);
        assert_eq!(bench.host().bring_up(Reason::BusError), Ok(()));
        assert_eq!(sent.end(), reset());
        assert_eq!(counts(&bench), (0, 1, 1));
        let asking = Asking::start(&bench)?;
        let sent = bench.request(Deed::Complete, Data::None)?.send()?;
        assert!(asking.waits());
        assert!(!sent.has_ended());
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        assert_eq!(sent.end(), GOOD);
        assert_eq!(asking.answer(), 1);
        // There was none but the first.
        assert_eq!(counts(&bench), (0, 1, 1));
        assert!(works(&bench)?);
        Ok(())
    }

    /// What was brought up is brought up once more if something else came between.
    #[test]
    fn quiesced_again_when_it_was_up() -> Result {
        for again in REASONS {
            let bench = Bench::new()?;
            quiesce(&bench, Reason::BusError);
            assert_eq!(bench.host().bring_up(Reason::BusError), Ok(()));
            assert!(quiesce(&bench, again).is_some());
            assert_eq!(bench.host().restart(again), Ok(()));
            assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
            assert_eq!(resets(&bench), 2);
            assert!(works(&bench)?);
        }
        Ok(())
    }

    /// While there is another reason, the device is not brought up after an error either.
    #[test]
    fn not_brought_up_in_sleep() -> Result {
        let bench = Bench::new()?;
        quiesce(&bench, Reason::Sleep);
        quiesce(&bench, Reason::BusError);
        assert_eq!(bench.host().bring_up(Reason::BusError), Ok(()));
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        assert_eq!(resets(&bench), 0);
        assert_eq!(bench.host().restart(Reason::Sleep), Ok(()));
        assert_eq!(resets(&bench), 1);
        assert!(works(&bench)?);
        Ok(())
    }

    /// An error that was there before the driver: it hears of what comes after.
    #[test]
    fn bound_in_the_middle_of_an_error() -> Result {
        let bench = Bench::new()?;
        let sent = lost(&bench)?;
        assert_eq!(bench.host().bring_up(Reason::BusError), Ok(()));
        assert_eq!(sent.end(), reset());
        // Whoever removes the host now has to shut it down.
        assert!(!is_running(&bench));
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        assert!(is_running(&bench));
        assert_eq!(counts(&bench), (0, 1, 1));
        // Nobody has quiesced the device now.
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        assert_eq!(counts(&bench), (0, 1, 1));
        assert!(works(&bench)?);
        Ok(())
    }

    /// A host that was shut down has nothing in flight, and is never started again.
    #[test]
    fn all_commands_end_in_a_shutdown() -> Result {
        let bench = Bench::new()?;
        let sent = bench.request(Deed::Start, Data::None)?.send()?;
        assert!(bench.starts(1));
        bench.host().shut_down();
        assert_eq!(bench.state().stops.load(Relaxed), 1);
        assert_eq!(sent.end(), failed(HostByte::NoConnect as u32));
        assert!(bench.is_idle());
        assert_eq!(bench.host().reset(), Err(ENODEV));
        assert_eq!(counts(&bench), (0, 0, 0));
        Ok(())
    }
}
