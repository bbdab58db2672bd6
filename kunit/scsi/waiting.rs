// SPDX-License-Identifier: GPL-2.0

//! Resets and error handling that wait for a device that is not accessible for a while.

#[kernel::prelude::kunit_tests(rust_scsi_waiting)]
mod tests {
    use super::super::{
        super::{
            HostByte,
            Reason, //
        },
        ask::Deed,
        asking::{
            a_while,
            Asking, //
        },
        bench::{
            eventually,
            Bench, //
        },
        lost::{
            counts,
            failed,
            lost,
            reset,
            timed_out,
            works, //
        },
        request::{
            Data,
            Sent, //
        },
    };
    use crate::bindings;
    use kernel::{
        prelude::*,
        sync::atomic::ordering::Relaxed, //
    };

    /// Who waited for the restart needs no reset of its own.
    #[test]
    fn a_reset_that_waited() -> Result {
        for reason in [Reason::Sleep, Reason::FunctionReset, Reason::BusError] {
            let bench = Bench::new()?;
            bench.host().quiesce(reason);
            let asking = Asking::start(&bench)?;
            assert!(asking.waits());
            assert_eq!(counts(&bench).1, 0);
            assert_eq!(bench.host().restart(reason), Ok(()));
            assert_eq!(asking.answer(), 1);
            assert_eq!(counts(&bench).1, 1);
            assert!(works(&bench)?);
        }
        Ok(())
    }

    /// Nor does it get one if the device does not come back.
    #[test]
    fn a_reset_that_waited_in_vain() -> Result {
        let bench = Bench::new()?;
        bench.state().comes_back.store(0, Relaxed);
        bench.host().quiesce(Reason::Sleep);
        let asking = Asking::start(&bench)?;
        assert!(asking.waits());
        assert_eq!(bench.host().restart(Reason::Sleep), Err(ENODEV));
        assert_eq!(asking.answer(), ENODEV.to_errno());
        assert_eq!(counts(&bench).1, 1);
        // It may be tried again.
        bench.state().comes_back.store(1, Relaxed);
        assert_eq!(bench.host().reset(), Ok(()));
        assert!(works(&bench)?);
        Ok(())
    }

    /// The same after an error: nobody waits for a `resume` that does not come.
    #[test]
    fn not_brought_up_after_an_error() -> Result {
        let bench = Bench::new()?;
        bench.state().comes_back.store(0, Relaxed);
        let data = Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?);
        let sent = bench.request(Deed::Start, data)?.send()?;
        assert!(bench.starts(1));
        bench.host().quiesce(Reason::BusError);
        let asking = Asking::start(&bench)?;
        assert!(asking.waits());
        assert_eq!(bench.host().bring_up(Reason::BusError), Err(ENODEV));
        assert_eq!(asking.answer(), ENODEV.to_errno());
        assert_eq!(sent.end(), failed(HostByte::Error as u32));
        assert_eq!(counts(&bench).1, 1);
        assert!(bench.is_idle());
        Ok(())
    }

    /// Whether what error handling waited for is over: it was about to abort it, or already to
    /// reset something.
    fn ended(sent: &Sent<'_>) -> bool {
        let end = sent.end();
        end == timed_out() || end == reset() || end == failed(HostByte::NoConnect as u32)
    }

    /// A command for which error handling waits to abort it, or to reset the device.
    fn in_error_handling(bench: &Bench) -> Result<Sent<'_>> {
        for _ in 0..20 {
            let sent = lost(bench)?;
            let (polls, resets, _) = counts(bench);
            // It has timed out. Error handling looks for it once more before it resets.
            assert!(eventually(|| counts(bench).0 > polls));
            bench.host().quiesce(Reason::BusError);
            if counts(bench).1 == resets {
                return Ok(sent);
            }
            // It was faster.
            bench.host().restart(Reason::BusError)?;
        }
        Err(ETIMEDOUT)
    }

    /// Error handling waits for the restart, and has no need of a reset then.
    #[test]
    fn error_handling_waits() -> Result {
        let bench = Bench::new()?;
        let sent = in_error_handling(&bench)?;
        let before = counts(&bench).1;
        a_while();
        assert!(!sent.has_ended());
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        assert!(ended(&sent));
        assert_eq!(counts(&bench).1, before + 1);
        assert!(!bench.is_offline());
        assert!(works(&bench)?);
        Ok(())
    }

    /// The device is lost while error handling waits for it.
    #[test]
    fn a_shutdown_ends_error_handling() -> Result {
        let bench = Bench::new()?;
        let sent = in_error_handling(&bench)?;
        let before = counts(&bench).1;
        let asking = Asking::start(&bench)?;
        assert!(asking.waits());
        assert!(!sent.has_ended());
        bench.host().stop_for_good();
        assert_eq!(asking.answer(), ENODEV.to_errno());
        assert!(ended(&sent));
        assert_eq!(counts(&bench).1, before);
        assert_eq!(bench.host().bring_up(Reason::BusError), Err(ENODEV));
        assert_eq!(bench.host().restart(Reason::BusError), Err(ENODEV));
        // Its driver is not told of it.
        bench.state().told();
        bench.host().quiesce(Reason::Sleep);
        assert_eq!(bench.state().told(), None);
        assert_eq!(counts(&bench).1, before);
        Ok(())
    }

    /// A unit that error handling takes offline meanwhile is not left with its queue stopped.
    #[test]
    fn offline_meanwhile() -> Result {
        let bench = Bench::new()?;
        bench.host().quiesce(Reason::BusError);
        // SAFETY: The bench has a reference to the unit, and nobody else changes its state.
        let changed = unsafe {
            bindings::scsi_device_set_state(
                bench.unit().as_ptr(),
                bindings::scsi_device_state_SDEV_OFFLINE,
            )
        };
        assert_eq!(changed, 0);
        let sent = bench.request(Deed::Complete, Data::None)?.send()?;
        a_while();
        assert!(!sent.has_ended());
        assert_eq!(bench.host().restart(Reason::BusError), Ok(()));
        assert_eq!(sent.end(), failed(HostByte::NoConnect as u32));
        assert!(bench.is_offline());
        Ok(())
    }
}
