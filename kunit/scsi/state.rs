// SPDX-License-Identifier: GPL-2.0

//! How the fake host behaves, and what it counts.

use super::super::Finished;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        Arc, //
    },
};

/// What the fake host's device does when it is asked to abort a command, or to reset a unit.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Answer {
    /// It refuses.
    #[default]
    Refuse,
    /// It does so: commands are taken back.
    TakeBack,
    /// They complete before it could.
    CompleteFirst,
    /// It says that it has done so, but has not.
    Lie,
    /// It says so when another thread has the command in its hands: see [`State::hand_over`].
    HandOver,
}

/// An [`Answer`] that can be changed.
pub(super) struct Answers(Atomic<u32>);

impl Answers {
    fn new() -> Self {
        Self(Atomic::new(Answer::default() as u32))
    }

    pub(super) fn set(&self, answer: Answer) {
        self.0.store(answer as u32, Relaxed);
    }

    pub(super) fn get(&self) -> Answer {
        let all = [
            Answer::TakeBack,
            Answer::CompleteFirst,
            Answer::Lie,
            Answer::HandOver,
        ];
        let now = self.0.load(Relaxed);
        let found = all.into_iter().find(|answer| *answer as u32 == now);
        found.unwrap_or_default()
    }
}

/// What the fake host keeps with a command in flight: which one it is. There is one of them for
/// each command in flight, and no more.
pub(super) struct Cargo {
    pub(super) number: u32,
    count: Arc<Atomic<i32>>,
}

impl Cargo {
    pub(super) fn new(number: u32, state: &State) -> Self {
        state.cargo.add(1, Relaxed);
        Self {
            number,
            count: state.cargo.clone(),
        }
    }
}

impl Drop for Cargo {
    fn drop(&mut self) {
        self.count.add(-1, Relaxed);
    }
}

/// A value of [`State::comes_back`].
pub(super) const LIES: u32 = 2;

/// What the host counts, and how it behaves.
pub(super) struct State {
    cargo: Arc<Atomic<i32>>,
    /// How often [`Ask`]s came in.
    pub(super) asked: Atomic<u32>,
    /// How often they will be given back as busy.
    pub(super) busy: Atomic<u32>,
    /// The one that is given back as busy: the number that [`State::asked`] has then; 0 for none.
    pub(super) busy_at: Atomic<u32>,
    pub(super) polls: Atomic<u32>,
    /// The poll that finds all commands done; 0 stands for none.
    pub(super) found_by_poll: Atomic<u32>,
    pub(super) resets: Atomic<u32>,
    /// Whether the device comes back from a reset: not 0; and with [`LIES`] its driver forgets
    /// about the commands.
    pub(super) comes_back: Atomic<u32>,
    /// How many commands a reset of the host ended.
    pub(super) ended: Atomic<u32>,
    pub(super) abort: Answers,
    pub(super) aborts: Atomic<u32>,
    pub(super) device_reset: Answers,
    pub(super) device_resets: Atomic<u32>,
    /// How many commands were taken back.
    pub(super) taken_back: Atomic<u32>,
    /// How many mappings were all of their buffer.
    pub(super) whole: Atomic<u32>,
    /// Whether another thread is to take the command: 1 if so, 2 when it has it,
    /// and 3 when it completes it.
    pub(super) hand_over: Atomic<u32>,
    /// How many commands were the last of a batch.
    pub(super) last: Atomic<u32>,
    /// How often a batch ended without one.
    pub(super) commits: Atomic<u32>,
    /// What was said of finished commands when the device was last quiesced: see [`State::told`].
    pub(super) told: Atomic<u32>,
    pub(super) stops: Atomic<u32>,
}

impl State {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            cargo: Arc::new(Atomic::new(0), GFP_KERNEL)?,
            asked: Atomic::new(0),
            busy: Atomic::new(0),
            busy_at: Atomic::new(0),
            polls: Atomic::new(0),
            found_by_poll: Atomic::new(0),
            resets: Atomic::new(0),
            comes_back: Atomic::new(1),
            ended: Atomic::new(0),
            abort: Answers::new(),
            aborts: Atomic::new(0),
            device_reset: Answers::new(),
            device_resets: Atomic::new(0),
            taken_back: Atomic::new(0),
            whole: Atomic::new(0),
            hand_over: Atomic::new(0),
            last: Atomic::new(0),
            commits: Atomic::new(0),
            told: Atomic::new(0),
            stops: Atomic::new(0),
        })
    }

    /// How many [`Cargo`]s exist.
    pub(super) fn cargo(&self) -> i32 {
        self.cargo.load(Relaxed)
    }

    pub(super) fn tell(&self, finished: Finished) {
        let told = match finished {
            Finished::Trusted => 1,
            Finished::Doubtful => 2,
        };
        self.told.store(told, Relaxed);
    }

    /// What the driver was told since the last time.
    pub(super) fn told(&self) -> Option<Finished> {
        match self.told.xchg(0, Relaxed) {
            1 => Some(Finished::Trusted),
            2 => Some(Finished::Doubtful),
            _ => None,
        }
    }
}
