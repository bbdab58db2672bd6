// SPDX-License-Identifier: GPL-2.0

//! A device that its driver says is lost.

#[kernel::prelude::kunit_tests(rust_scsi_given_up)]
mod tests {
    use super::super::{
        super::{
            state::Access,
            HostByte,
            Reason, //
        },
        ask::Deed,
        asking::a_while,
        bench::{
            eventually,
            Bench, //
        },
        lost::{
            failed,
            works,
            GOOD, //
        },
        request::Data,
    };
    use kernel::{
        prelude::*,
        sync::atomic::ordering::Relaxed, //
    };

    /// All commands end, now and later, until a reset of the host brings the device back.
    #[test]
    fn all_commands_end() -> Result {
        let bench = Bench::new()?;
        let data = || Ok::<_, Error>(Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?));
        let sent = bench.request(Deed::StartMapped, data()?)?.send()?;
        assert!(bench.starts(1));
        bench.host().device_lost();
        let no_connect = failed(HostByte::NoConnect as u32);
        assert_eq!(sent.end(), no_connect);
        assert_eq!(bench.state().stops.load(Relaxed), 1);
        let asked = bench.state().asked.load(Relaxed);
        let later = bench.request(Deed::Complete, data()?)?.send()?;
        assert_eq!(later.end(), no_connect);
        assert_eq!(bench.state().asked.load(Relaxed), asked);
        assert!(bench.host().with_device(|_| ()).is_none());
        // It is stopped once.
        bench.host().device_lost();
        assert_eq!(bench.host().reset(), Ok(()));
        assert_eq!(bench.state().stops.load(Relaxed), 1);
        assert!(works(&bench)?);
        Ok(())
    }

    /// What was lost before a reset is not given up after it.
    #[test]
    fn reset_before_it_is_given_up() -> Result {
        let bench = Bench::new()?;
        for _ in 0..10 {
            bench.host().device_lost();
            assert_eq!(bench.host().reset(), Ok(()));
            a_while();
            assert!(works(&bench)?);
        }
        Ok(())
    }

    /// Whoever brings a quiesced device back finds out; one that is back already is reset again.
    #[test]
    fn while_it_is_quiesced() -> Result {
        let bench = Bench::new()?;
        let host = bench.host();
        host.quiesce(Reason::BusError);
        host.device_lost();
        assert_eq!(host.bring_up(Reason::BusError), Ok(()));
        assert_eq!(bench.state().resets.load(Relaxed), 1);
        host.device_lost();
        assert_eq!(host.restart(Reason::BusError), Ok(()));
        assert_eq!(bench.state().resets.load(Relaxed), 2);
        assert_eq!(bench.state().stops.load(Relaxed), 0);
        assert!(works(&bench)?);
        Ok(())
    }

    /// Removal does not wait for a device that is lost while it is going on.
    #[test]
    fn while_it_is_removed() -> Result {
        let mut bench = Bench::new()?;
        let sent = bench.request(Deed::Complete, Data::None)?.send()?;
        assert_eq!(sent.end(), GOOD);
        bench.host().device_lost();
        drop(sent);
        bench.remove();
        assert_eq!(bench.host().access(), Access::None);
        assert!(eventually(|| bench.host().with_device(|_| ()).is_none()));
        Ok(())
    }
}
