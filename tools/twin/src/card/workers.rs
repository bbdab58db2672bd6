// SPDX-License-Identifier: GPL-2.0

//! The threads that execute commands, several at once and so out of order.

use super::dma::Era;
use super::regions::Regions;
use super::state::Card;
use super::wire::Slot;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// What the host asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A SCSI command.
    Scsi(Slot),
    /// Task management.
    Task(Slot),
    /// The management request frame.
    Manage,
}

/// Work, and what was true when it was handed over.
#[derive(Clone, Debug)]
pub struct Job {
    /// The era it belongs to.
    pub era: Era,
    /// Its number, which no other has, and from which its random numbers are drawn.
    pub sequence: u64,
    /// Where the host's regions lie.
    pub regions: Arc<Regions>,
    /// The work.
    pub work: Work,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    closed: bool,
}

/// Jobs on their way to the workers.
#[derive(Default)]
pub struct Queue {
    jobs: Mutex<Jobs>,
    more: Condvar,
}

impl Queue {
    /// Adds a job; task management goes before all others.
    pub fn push(&self, job: Job) {
        let mut jobs = self.lock();
        match job.work {
            Work::Task(_) => jobs.waiting.push_front(job),
            Work::Scsi(_) | Work::Manage => jobs.waiting.push_back(job),
        }
        drop(jobs);
        self.more.notify_one();
    }

    /// Takes a job, waiting for one; none once the queue is closed.
    pub fn pop(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if jobs.closed {
                return None;
            }
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            jobs = self.more.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a job if there is one.
    pub fn try_pop(&self) -> Option<Job> {
        self.lock().waiting.pop_front()
    }

    /// Sends all workers home.
    pub fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A card's workers. They go home when this is dropped.
pub struct Workers {
    card: Arc<Card>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts as many threads as the card's parameters say.
    pub fn start(card: &Arc<Card>) -> Workers {
        let work = |_| {
            let card = card.clone();
            thread::spawn(move || {
                while let Some(job) = card.queue.pop() {
                    card.execute(&job);
                }
            })
        };
        Workers {
            card: card.clone(),
            threads: (0..card.params().workers).map(work).collect(),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.card.queue.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker panicked");
            }
        }
    }
}
