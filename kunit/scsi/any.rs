// SPDX-License-Identifier: GPL-2.0

//! As many commands as there are tags, of which each goes its own way.

#[kernel::prelude::kunit_tests(rust_scsi_any)]
mod tests {
    use super::super::{
        super::{
            Outcome,
            Status, //
        },
        ask::{
            Ask,
            Deed, //
        },
        bench::{
            Bench,
            LIMITS, //
        },
        ensure, holds,
        request::{
            Data,
            End, //
        },
        Generator,
    };
    use kernel::{
        prelude::*,
        sync::{
            atomic::ordering::Relaxed,
            rcu, //
        },
    };

    const TAGS: usize = LIMITS.can_queue as usize;

    fn any_ask(any: &mut Generator, number: u32) -> Ask {
        let deed = any.pick(&[
            Deed::Start,
            Deed::StartMapped,
            Deed::Start,
            Deed::Complete,
            Deed::CompleteWithSense,
            Deed::Drop,
        ]);
        Ask {
            deed,
            argument: if matches!(deed, Deed::Complete) {
                0
            } else {
                18
            },
            number,
        }
    }

    /// Some are returned as busy; those that are started are taken in any order.
    fn any_commands(bench: &Bench, any: &mut Generator) -> Result<bool> {
        let mut asks = [Ask::default(); TAGS];
        let mut sent = KVec::with_capacity(TAGS, GFP_KERNEL)?;
        bench.state().busy.store(any.below(2), Relaxed);
        for (number, ask) in asks.iter_mut().enumerate() {
            *ask = any_ask(any, number as u32);
            sent.push(
                bench
                    .request(*ask, Data::In(KVec::from_elem(0, 1 << number, GFP_KERNEL)?))?
                    .send()?,
                GFP_KERNEL,
            )?;
        }
        let is_started = |ask: &Ask| matches!(ask.deed, Deed::Start | Deed::StartMapped);
        let mut left = asks.iter().filter(|ask| is_started(ask)).count();
        if !bench.starts(left) {
            return Ok(false);
        }
        while left > 0 {
            let host = bench.host();
            let tag = host.in_flight().nth(any.below(left as u32) as usize);
            let rcu = rcu::read_lock();
            let Some((cmd, cargo)) = tag.and_then(|tag| host.take(tag, &rcu)) else {
                return Ok(false);
            };
            // Its number comes back as its residual, so that commands cannot be mixed up.
            cmd.complete(Outcome::status(Status::GOOD).with_residual(cargo.number));
            left -= 1;
        }
        let as_asked = sent.iter().zip(&asks).all(|(sent, ask)| {
            let (result, residual) = match ask.deed {
                Deed::CompleteWithSense => (2, ask.number.min(1 << ask.number)),
                Deed::Drop => (7 << 16, 0),
                _ => (0, ask.number.min(1 << ask.number)),
            };
            sent.end() == Some(End { result, residual })
        });
        Ok(as_asked && bench.is_idle())
    }

    #[test]
    fn each_command_its_own_way() -> Result {
        let bench = Bench::new()?;
        assert!(holds(40, |any| {
            let found = any_commands(&bench, any);
            ensure(found == Ok(true), found)
        }));
        Ok(())
    }
}
