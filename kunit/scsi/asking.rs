// SPDX-License-Identifier: GPL-2.0

//! Somebody who asks for a reset, and may have to wait for the answer.

use super::{
    bench::{
        eventually,
        Bench, //
    },
    taker::Taker,
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
        Arc, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Long enough for what should not happen.
pub(super) fn a_while() {
    fsleep(Delta::from_millis(200));
}

/// A thread that asks for a reset, as `sg_reset` would.
pub(super) struct Asking<'a> {
    /// 0 until there is an answer; then 1 for a success.
    answer: Arc<Atomic<i32>>,
    _thread: Taker<'a>,
}

impl<'a> Asking<'a> {
    /// Starts the thread, which asks once.
    pub(super) fn start(bench: &'a Bench) -> Result<Self> {
        let answer = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let theirs = answer.clone();
        let thread = Taker::start(bench, move |host| {
            if theirs.load(Relaxed) == 0 {
                let answer = host.reset().map_or_else(|error| error.to_errno(), |()| 1);
                theirs.store(answer, Release);
            }
            fsleep(Delta::from_millis(1));
            0
        })?;
        Ok(Self {
            answer,
            _thread: thread,
        })
    }

    /// Whether there is no answer for a while.
    pub(super) fn waits(&self) -> bool {
        a_while();
        self.answer.load(Acquire) == 0
    }

    /// The answer: 1 for a success, or the error.
    pub(super) fn answer(&self) -> i32 {
        eventually(|| self.answer.load(Acquire) != 0);
        self.answer.load(Acquire)
    }
}
