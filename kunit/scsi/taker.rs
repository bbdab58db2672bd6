// SPDX-License-Identifier: GPL-2.0

//! A second thread that takes commands out of the table: what an interrupt on another processor
//! would be.

use super::{
    super::{
        Host,
        Outcome,
        Status, //
    },
    bench::{
        eventually,
        Bench, //
    },
    fake::Fake, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            ordering::{
                Acquire,
                Relaxed,
                Release, //
            },
            Atomic, //
        },
        rcu,
        Arc, //
    },
    workqueue::Queue,
};

/// Takes every command that is in the table, and completes it. Returns how many there were.
pub(super) fn take_all(host: &Host<Fake>) -> u32 {
    let rcu = rcu::read_lock();
    let mut taken = 0;
    for tag in host.in_flight() {
        if let Some((cmd, _cargo)) = host.take(tag, &rcu) {
            cmd.complete(Outcome::status(Status::GOOD));
            taken += 1;
        }
    }
    taken
}

/// What both threads know.
struct Shared {
    stop: Atomic<u32>,
    stopped: Atomic<u32>,
    taken: Atomic<u32>,
}

/// The host, on its way to the other thread.
struct Target(NonNull<Host<Fake>>);

// SAFETY: `Host` is `Sync`, and outlives the thread: see `Taker`.
unsafe impl Send for Target {}

/// The thread; dropping it stops it.
pub(super) struct Taker<'a> {
    shared: Arc<Shared>,
    _bench: PhantomData<&'a Bench>,
}

impl<'a> Taker<'a> {
    /// Starts the thread, which calls `take` until it is stopped, and adds up how many commands
    /// that took.
    pub(super) fn start(
        bench: &'a Bench,
        mut take: impl FnMut(&Host<Fake>) -> u32 + Send + 'static,
    ) -> Result<Self> {
        let shared = Arc::new(
            Shared {
                stop: Atomic::new(0),
                stopped: Atomic::new(0),
                taken: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let target = Target(NonNull::from(bench.host()));
        let theirs = shared.clone();
        // SAFETY: `system_dfl_wq` is a C global, always available. Its workers run anywhere.
        let queue = unsafe { Queue::from_raw(bindings::system_dfl_wq) };
        queue.try_spawn(GFP_KERNEL, move || {
            let target = target;
            // SAFETY: `Taker::drop` waits until this is over, and the bench outlives that.
            let host = unsafe { target.0.as_ref() };
            while theirs.stop.load(Acquire) == 0 {
                theirs.taken.add(take(host), Relaxed);
            }
            theirs.stopped.store(1, Release);
        })?;
        Ok(Self {
            shared,
            _bench: PhantomData,
        })
    }

    /// How many commands it has taken.
    pub(super) fn taken(&self) -> u32 {
        self.shared.taken.load(Relaxed)
    }

    /// Stops the thread and waits for it.
    pub(super) fn stop(&self) {
        self.shared.stop.store(1, Release);
        while self.shared.stopped.load(Acquire) == 0 {
            eventually(|| self.shared.stopped.load(Acquire) != 0);
        }
    }
}

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}
