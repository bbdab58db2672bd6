// SPDX-License-Identifier: GPL-2.0

//! Several who reach for the same commands, at the same time: one of them gets each.

#[kernel::prelude::kunit_tests(rust_scsi_races)]
mod tests {
    use super::super::{
        super::{
            Host,
            HostByte,
            Outcome,
            Status, //
        },
        ask::Deed,
        bench::{
            eventually,
            Bench,
            LIMITS, //
        },
        fake::Fake,
        lost::{
            timed_out,
            SHORT, //
        },
        processors,
        request::{
            Data,
            End,
            Sent, //
        },
        state::Answer,
        taker::{
            take_all,
            Taker, //
        },
        Generator,
    };
    use kernel::{
        bindings,
        prelude::*,
        processor::cpu_relax,
        sync::{
            atomic::{
                ordering::{
                    Acquire,
                    Full,
                    Relaxed,
                    Release, //
                },
                Atomic, //
            },
            rcu,
            Arc, //
        },
        time::{
            delay::fsleep,
            Delta,
            Instant,
            Monotonic, //
        },
    };

    const TAGS: usize = LIMITS.can_queue as usize;

    fn ended(host: u32) -> Option<End> {
        Some(End {
            result: (host << 16) as i32,
            residual: 0,
        })
    }

    /// Sends as many commands as there are tags.
    fn send_all(bench: &Bench, timeout: u32) -> Result<KVec<Sent<'_>>> {
        let mut sent = KVec::with_capacity(TAGS, GFP_KERNEL)?;
        for _ in 0..TAGS {
            let data = Data::In(KVec::from_elem(0, 64, GFP_KERNEL)?);
            let request = bench.request(Deed::StartMapped, data)?.timeout(timeout);
            sent.push(request.send()?, GFP_KERNEL)?;
        }
        Ok(sent)
    }

    /// Sleeps up to `most` microseconds.
    fn pause(any: &mut Generator, most: u32) {
        fsleep(Delta::from_micros(any.below(most).into()));
    }

    /// Spends time, but not asleep: who sleeps comes too late.
    fn dawdle(any: &mut Generator) {
        for _ in 0..any.below(1000) {
            cpu_relax();
        }
    }

    /// Whether there shall be another round: there are enough when each thread took something. One
    /// that starts late, or seldom runs, may not have done so in as many as usual.
    fn goes_on(rounds: usize, usual: usize, taken: u32, by_other: u32) -> bool {
        if rounds < usual {
            return true;
        }
        if rounds >= 50 * usual || (taken > 0 && by_other > 0) {
            return false;
        }
        fsleep(Delta::from_millis(1));
        true
    }

    /// Two threads take what they can get, while commands are being queued.
    #[test]
    fn two_reach_for_commands() -> Result {
        const ROUNDS: usize = 100;

        if processors::too_few() {
            return Ok(());
        }
        let bench = Bench::new()?;
        let mut any = Generator::new(0);
        let taker = Taker::start(&bench, move |host| {
            dawdle(&mut any);
            take_all(host)
        })?;
        let mut any = Generator::new(1);
        let (mut rounds, mut taken) = (0, 0);
        while goes_on(rounds, ROUNDS, taken, taker.taken()) {
            rounds += 1;
            for sent in &send_all(&bench, 30_000)? {
                while !sent.has_ended() {
                    dawdle(&mut any);
                    taken += take_all(bench.host());
                }
                assert_eq!(sent.end(), ended(0));
            }
        }
        taker.stop();
        assert!(taken > 0);
        assert!(taker.taken() > 0);
        assert_eq!((taken + taker.taken()) as usize, rounds * TAGS);
        assert!(bench.is_idle());
        Ok(())
    }

    /// How often a thread looks before it lets others run. Much longer than a short sleep can take:
    /// most of the time it looks.
    const SPINS: u32 = 1_000_000;

    /// Lets two threads go at the same moment.
    struct Gate {
        /// Whether the one that is let through looks at the gate.
        ready: Atomic<u32>,
        open: Atomic<u32>,
    }

    impl Gate {
        /// Waits for the gate a while; whether it was opened, for this once.
        fn pass(&self) -> bool {
            self.ready.store(1, Release);
            (0..SPINS).any(|_| self.open.xchg(0, Full) != 0)
        }

        /// Shuts the gate, and waits until the other thread has come to look at it again. It is
        /// then done with what it did when the gate was open.
        fn shut(&self) -> bool {
            self.open.xchg(0, Full);
            self.ready.xchg(0, Full);
            let ready = || self.ready.load(Acquire) != 0;
            (0..SPINS).any(|_| ready()) || eventually(ready)
        }

        fn open(&self) {
            self.open.store(1, Release);
        }
    }

    /// Two threads go for the same commands at the same moment, and for all of them.
    #[test]
    fn two_reach_for_each_command() -> Result {
        const ROUNDS: usize = 200;

        if processors::too_few() {
            return Ok(());
        }
        let bench = Bench::new()?;
        let gate = Arc::new(
            Gate {
                ready: Atomic::new(0),
                open: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let theirs = gate.clone();
        let taker = Taker::start(&bench, move |host| {
            if theirs.pass() {
                return take_all(host);
            }
            // Less than ten would be spent waiting, not asleep.
            fsleep(Delta::from_micros(100));
            0
        })?;
        let (mut rounds, mut taken) = (0, 0);
        while goes_on(rounds, ROUNDS, taken, taker.taken()) {
            rounds += 1;
            assert!(gate.shut());
            let all = send_all(&bench, 30_000)?;
            assert!(bench.starts(TAGS));
            assert!(gate.shut());
            gate.open();
            taken += take_all(bench.host());
            for sent in &all {
                assert_eq!(sent.end(), ended(0));
            }
        }
        taker.stop();
        assert!(taken > 0);
        assert!(taker.taken() > 0);
        assert_eq!((taken + taker.taken()) as usize, rounds * TAGS);
        assert!(bench.is_idle());
        Ok(())
    }

    /// Commands complete just when they time out, or are being looked for, or given up.
    #[test]
    fn completed_during_error_handling() -> Result {
        const ROUNDS: u32 = 4;

        let bench = Bench::new()?;
        let mut any = Generator::new(0);
        // Asleep until about when commands time out; what it misses, the next look or a reset gets.
        let taker = Taker::start(&bench, move |host| {
            pause(&mut any, 1_500_000);
            take_all(host)
        })?;
        for _ in 0..ROUNDS {
            for sent in &send_all(&bench, 10)? {
                let end = sent.end();
                let expected = end == ended(0)
                    || end == ended(bindings::scsi_host_status_DID_TIME_OUT)
                    || end == ended(HostByte::Reset as u32);
                assert!(expected);
            }
            assert!(bench.is_idle());
        }
        taker.stop();
        let ended = bench.state().ended.load(Relaxed);
        assert_eq!((ended + taker.taken()) as usize, ROUNDS as usize * TAGS);
        assert!(!bench.is_offline());
        Ok(())
    }

    /// Takes the command that is to be handed over, and completes it a while later.
    fn hold(host: &Host<Fake>) -> u32 {
        let held = host.with_device(|state| {
            if state.hand_over.load(Relaxed) != 1 {
                return 0;
            }
            let rcu = rcu::read_lock();
            let Some((cmd, _)) = host.in_flight().next().and_then(|tag| host.take(tag, &rcu))
            else {
                return 0;
            };
            state.hand_over.store(2, Relaxed);
            let start: Instant<Monotonic> = Instant::now();
            while start.elapsed() < Delta::from_millis(300) {
                cpu_relax();
            }
            state.hand_over.store(3, Relaxed);
            cmd.complete(Outcome::status(Status::GOOD));
            1
        });
        fsleep(Delta::from_millis(1));
        held.unwrap_or(0)
    }

    /// A command that somebody has in hand does not end before that is over.
    #[test]
    fn held_while_it_is_aborted() -> Result {
        if processors::too_few() {
            return Ok(());
        }
        let bench = Bench::new()?;
        bench.state().abort.set(Answer::HandOver);
        let taker = Taker::start(&bench, hold)?;
        let request = bench.request(Deed::Start, Data::None)?;
        let sent = request.timeout(SHORT).send()?;
        assert_eq!(sent.end(), timed_out());
        assert_eq!(bench.state().hand_over.load(Relaxed), 3);
        taker.stop();
        assert_eq!(taker.taken(), 1);
        assert!(bench.is_idle());
        Ok(())
    }
}
