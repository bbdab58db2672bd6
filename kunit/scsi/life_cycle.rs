// SPDX-License-Identifier: GPL-2.0

//! Tokens and tags: a command is queued, started, taken and completed, or goes another way, and
//! ends once.

#[kernel::prelude::kunit_tests(rust_scsi_life_cycle)]
mod tests {
    use super::super::{
        super::{
            HostByte,
            Outcome,
            Status,
            Tag, //
        },
        ask::{
            Ask,
            Deed,
            HOST_BYTES,
            SENSE, //
        },
        bench::{
            Bench,
            LIMITS, //
        },
        request::{
            Data,
            End, //
        },
    };
    use kernel::{
        prelude::*,
        sync::{
            atomic::ordering::Relaxed,
            rcu, //
        },
    };

    const TAGS: usize = LIMITS.can_queue as usize;

    /// Without an error, and with all data.
    const GOOD: Option<End> = Some(End {
        result: 0,
        residual: 0,
    });

    fn failed(host: HostByte) -> Option<End> {
        Some(End {
            result: i32::from(host as u8) << 16,
            residual: 0,
        })
    }

    fn buffer(len: usize) -> Result<Data> {
        Ok(Data::In(KVec::from_elem(0, len, GFP_KERNEL)?))
    }

    #[test]
    fn completed_at_once() -> Result {
        let bench = Bench::new()?;
        let sent = bench.request(Deed::Complete, Data::None)?.send()?;
        assert_eq!(sent.end(), GOOD);
        assert!(bench.is_idle());
        assert_eq!(bench.state().asked.load(Relaxed), 1);
        Ok(())
    }

    /// The residual says what was not transferred; more than there is, it is not.
    #[test]
    fn residual_is_at_most_the_buffer() -> Result {
        let bench = Bench::new()?;
        for (number, len, residual) in [
            (0, 512, 0),
            (1, 512, 1),
            (512, 512, 512),
            (513, 512, 512),
            (u32::MAX, 512, 512),
            (u32::MAX, 0, 0),
        ] {
            let ask = Ask {
                number,
                ..Deed::Complete.into()
            };
            let sent = bench.request(ask, buffer(len)?)?.send()?;
            let expected = End {
                result: 0,
                residual,
            };
            assert_eq!(sent.end(), Some(expected));
        }
        Ok(())
    }

    #[test]
    fn host_bytes_reach_the_sender() -> Result {
        let bench = Bench::new()?;
        for (argument, host) in HOST_BYTES.into_iter().enumerate() {
            let ask = Ask {
                argument: argument as u8,
                ..Deed::CompleteByHost.into()
            };
            let sent = bench.request(ask, Data::None)?.send()?;
            assert_eq!(sent.end(), failed(host));
        }
        assert!(bench.is_idle());
        Ok(())
    }

    /// Sense data is what the device said, as far as there is room, and zeros.
    #[test]
    fn sense_reaches_the_sender() -> Result {
        let bench = Bench::new()?;
        // The midlayer looks for the sense key in the third byte.
        for len in 3..=SENSE.len() {
            let ask = Ask {
                argument: len as u8,
                number: len as u32,
                ..Deed::CompleteWithSense.into()
            };
            let sent = bench.request(ask, buffer(96)?)?.send()?;
            let room = len.min(96);
            let expected = End {
                result: 2,
                residual: room as u32,
            };
            assert_eq!(sent.end(), Some(expected));
            let mut sense = [0; 96];
            sense[..room].copy_from_slice(&SENSE[..room]);
            assert_eq!(sent.sense(), Some(sense));
        }
        assert!(bench.is_idle());
        Ok(())
    }

    #[test]
    fn started_and_taken() -> Result {
        let bench = Bench::new()?;
        let ask = Ask {
            number: 0xcafe,
            ..Deed::Start.into()
        };
        let sent = bench.request(ask, buffer(64)?)?.send()?;
        assert!(bench.starts(1));
        assert!(!sent.has_ended());
        assert_eq!(bench.state().cargo(), 1);
        let number = bench.take(|cmd, cargo| {
            let good = Outcome::status(Status::GOOD);
            cmd.complete(good.with_residual(3));
            cargo.number
        });
        assert_eq!(number, Some(0xcafe));
        let expected = End {
            result: 0,
            residual: 3,
        };
        assert_eq!(sent.end(), Some(expected));
        assert!(bench.is_idle());
        Ok(())
    }

    /// One of those who reach for a command gets it.
    #[test]
    fn taken_once() -> Result {
        let bench = Bench::new()?;
        let sent = bench.request(Deed::Start, Data::None)?.send()?;
        assert!(bench.starts(1));
        let host = bench.host();
        let tag = host.in_flight().next().ok_or(ENOENT)?;
        let again = {
            let rcu = rcu::read_lock();
            let (cmd, _cargo) = host.take(tag, &rcu).ok_or(ENOENT)?;
            let again = host.take(tag, &rcu).is_some() || host.in_flight().next().is_some();
            cmd.complete(Outcome::status(Status::GOOD));
            again || host.take(tag, &rcu).is_some()
        };
        assert!(!again);
        assert_eq!(sent.end(), GOOD);
        assert!(bench.is_idle());
        Ok(())
    }

    #[test]
    fn never_started() -> Result {
        let bench = Bench::new()?;
        let sent = bench.request(Deed::Start, Data::None)?.send()?;
        assert!(bench.starts(1));
        let host = bench.host();
        let started = host.in_flight().next().ok_or(ENOENT)?;
        for tag in (0..=u16::MAX).map(Tag::from).filter(|tag| *tag != started) {
            let taken = host.take(tag, &rcu::read_lock()).is_some();
            assert!(!taken);
        }
        assert_eq!(
            bench.take(|cmd, _| cmd.complete(Outcome::status(Status::GOOD))),
            Some(())
        );
        assert_eq!(sent.end(), GOOD);
        Ok(())
    }

    /// Each command has a tag of its own, below the number of tags; all of them come up again.
    #[test]
    fn tags_are_used_again() -> Result {
        let bench = Bench::new()?;
        let mut used = [0; TAGS];
        for _ in 0..3 {
            let mut sent = KVec::with_capacity(TAGS, GFP_KERNEL)?;
            for _ in 0..TAGS {
                sent.push(bench.request(Deed::Start, Data::None)?.send()?, GFP_KERNEL)?;
            }
            assert!(bench.starts(TAGS));
            for tag in bench.host().in_flight() {
                used[tag.index()] += 1;
            }
            while let Some(tag) = bench.take(|cmd, _| {
                let tag = cmd.tag();
                cmd.complete(Outcome::status(Status::GOOD));
                tag
            }) {
                assert!(tag.index() < TAGS);
            }
            for sent in &sent {
                assert_eq!(sent.end(), GOOD);
            }
            assert!(bench.is_idle());
        }
        assert_eq!(used, [3; TAGS]);
        Ok(())
    }

    /// What is given back is tried again, and neither lost nor ended twice.
    #[test]
    fn busy_and_then_completed() -> Result {
        let bench = Bench::new()?;
        for deed in [Deed::Complete, Deed::Start, Deed::StartMapped] {
            bench.state().asked.store(0, Relaxed);
            bench.state().busy.store(3, Relaxed);
            let sent = bench.request(deed, buffer(64)?)?.send()?;
            if !matches!(deed, Deed::Complete) {
                assert!(bench.starts(1));
                bench.take(|cmd, _| cmd.complete(Outcome::status(Status::GOOD)));
            }
            assert_eq!(sent.end(), GOOD);
            assert_eq!(bench.state().asked.load(Relaxed), 4);
            assert!(bench.is_idle());
        }
        Ok(())
    }

    /// A bug of the driver must not become a command that never ends, or a mapping that stays.
    #[test]
    fn dropped_token() -> Result {
        let bench = Bench::new()?;
        for deed in [Deed::Drop, Deed::DropMapped] {
            for _ in 0..2 * TAGS {
                let sent = bench.request(deed, buffer(64)?)?.send()?;
                assert_eq!(sent.end(), failed(HostByte::Error));
            }
        }
        // The same for one that had been started.
        let sent = bench.request(Deed::StartMapped, buffer(64)?)?.send()?;
        assert!(bench.starts(1));
        assert!(bench.take(|cmd, _| drop(cmd)).is_some());
        assert_eq!(sent.end(), failed(HostByte::Error));
        assert!(bench.is_idle());
        let sent = bench.request(Deed::Complete, Data::None)?.send()?;
        assert_eq!(sent.end(), GOOD);
        Ok(())
    }

    /// What is removed is waited for.
    #[test]
    fn hosts_come_and_go() -> Result {
        for _ in 0..20 {
            let bench = Bench::new()?;
            assert_eq!(
                bench.request(Deed::Complete, Data::None)?.send()?.end(),
                GOOD
            );
        }
        Ok(())
    }
}
