// SPDX-License-Identifier: GPL-2.0

//! Has an operation fail for want of memory, at each of its allocations or at random.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use guest_tools::sg::{self, Ended};
use rustix::io::Errno;

use crate::kmsg::Log;

/// Most allocations of a loop that are passed over at a time.
const MOST: u32 = 8;

/// Why an operation did not do what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The system call failed.
    Errno(Errno),
    /// The SCSI command did.
    Command(Ended),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => f.write_str(&sg::name(*errno)),
            Self::Command(ended) => ended.fmt(f),
        }
    }
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        // What has no number is a call that moved less than it was asked to.
        Self::Errno(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

/// How an operation ended.
pub type Outcome = Result<(), Trouble>;

/// Something that needs memory of the kernel.
pub trait Operation {
    /// What it is called.
    fn name(&self) -> String;

    /// Does what has to be done before.
    fn prepare(&mut self) -> Result<()>;

    /// Does it, with no more system calls than it takes: whatever these allocate may fail.
    fn act(&mut self) -> Outcome;

    /// Whether the ending is a clean one: an error if it is not.
    fn judge(&mut self, outcome: &Outcome) -> Result<()>;
}

/// The file by which a task has one of its own allocations fail.
#[derive(Debug)]
struct FailNth(File);

impl FailNth {
    fn open() -> Result<Self> {
        let path = "/proc/thread-self/fail-nth";
        let file = OpenOptions::new().read(true).write(true).open(path);
        Ok(Self(file.context(path)?))
    }

    /// The `n`th allocation from now on is to fail; with 0, none is.
    fn set(&self, n: u32) -> Result<()> {
        Ok(self.0.write_all_at(n.to_string().as_bytes(), 0)?)
    }

    /// Whether the one that is to fail is still to come.
    fn is_pending(&self) -> Result<bool> {
        let mut text = [0; 16];
        let len = self.0.read_at(&mut text, 0)?;
        Ok(text[..len].trim_ascii() != b"0")
    }
}

/// Does the operation again and again, and each time has an allocation fail that is further on:
/// the next one, but in a loop of alike ones, those at growing distances. Ends when there is none.
pub fn each_allocation(operation: &mut dyn Operation) -> Result<()> {
    let begin = Instant::now();
    let name = operation.name();
    let fail_nth = FailNth::open()?;
    let mut log = Log::open()?;
    let mut known = HashSet::new();
    let mut outcomes = Outcomes::default();
    let (mut n, mut stride) = (1, 1);
    loop {
        let context = || format!("{name}, allocation {n}");
        operation.prepare().with_context(context)?;
        log.call_chain()?;
        fail_nth.set(n)?;
        let outcome = operation.act();
        let pending = fail_nth.is_pending()?;
        fail_nth.set(0)?;
        let is_new = known.insert(log.call_chain()?);
        operation
            .judge(&outcome)
            .with_context(|| format!("it ended with {outcome:?}"))
            .with_context(context)?;
        if pending {
            ensure!(outcome.is_ok(), "{name}: {outcome:?} without a failure");
            break;
        }
        outcomes.add(&outcome);
        stride = if is_new { 1 } else { MOST.min(2 * stride) };
        n += stride;
    }
    println!(
        "{name}: {outcomes}; up to {n}, {} kinds, {:.1?}",
        known.len(),
        begin.elapsed()
    );
    Ok(())
}

/// The files by which any task's allocations fail, at random.
#[derive(Debug)]
pub struct Storm {
    probabilities: Vec<File>,
    outcomes: Outcomes,
}

impl Storm {
    /// None yet. Which allocations may fail, somebody else has said.
    pub fn open() -> Result<Self> {
        let open = |kind| {
            let path = format!("/sys/kernel/debug/{kind}/probability");
            let file = OpenOptions::new().write(true).open(&path);
            file.context(path)
        };
        Ok(Self {
            probabilities: vec![open("failslab")?, open("fail_page_alloc")?],
            outcomes: Outcomes::default(),
        })
    }

    fn set(&self, percent: u32) -> Result<()> {
        let text = percent.to_string();
        let mut files = self.probabilities.iter();
        Ok(files.try_for_each(|mut file| file.write_all(text.as_bytes()))?)
    }

    /// Does the operation while so many allocations fail, and what it began in the background
    /// meanwhile.
    pub fn meets(
        &mut self,
        operation: &mut dyn Operation,
        percent: u32,
        meanwhile: Duration,
    ) -> Result<()> {
        let name = operation.name();
        operation.prepare().with_context(|| name.clone())?;
        self.set(percent)?;
        let outcome = operation.act();
        thread::sleep(meanwhile);
        self.set(0)?;
        operation
            .judge(&outcome)
            .with_context(|| format!("{name} ended with {outcome:?}"))?;
        self.outcomes.add(&outcome);
        Ok(())
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storm: {}", self.outcomes)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        // It was possible before.
        let _ = self.set(0);
    }
}

/// How often what happened.
#[derive(Debug, Default)]
struct Outcomes(BTreeMap<String, usize>);

impl Outcomes {
    fn add(&mut self, outcome: &Outcome) {
        let kind = match outcome {
            Ok(()) => "ok".to_owned(),
            Err(trouble) => trouble.to_string(),
        };
        *self.0.entry(kind).or_default() += 1;
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times", self.0.values().sum::<usize>())?;
        for (kind, count) in &self.0 {
            write!(f, ", {count} {kind}")?;
        }
        Ok(())
    }
}
