// SPDX-License-Identifier: GPL-2.0

//! As many VMs at a time as there are processors: an emulated processor needs a real
//! one, and guests that wait for each other make their time limits expire. A lock
//! goes with its process.

use std::fs::{self, File};
use std::num::NonZero;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::paths;

/// How often a place is looked for.
const PACE: Duration = Duration::from_millis(100);

/// Held for as long as a VM runs.
#[derive(Debug)]
pub struct VmLock {
    _file: File,
}

impl VmLock {
    /// Waits for its turn; says so when that takes time.
    pub fn take() -> Result<Self> {
        let places = thread::available_parallelism().map_or(1, NonZero::get);
        Self::take_in(&Path::new(paths::CACHE).join("locks"), places)
    }

    fn take_in(folder: &Path, places: usize) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let mut said = false;
        loop {
            for place in 0..places {
                if let Some(lock) = Self::try_take(&folder.join(place.to_string()))? {
                    return Ok(lock);
                }
            }
            if !said {
                eprintln!("vm: waiting for another VM to end");
                said = true;
            }
            thread::sleep(PACE);
        }
    }

    fn try_take(path: &Path) -> Result<Option<Self>> {
        let file = File::create(path).with_context(|| format!("open {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(error).context("lock"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VmLock;
    use std::time::{Duration, Instant};

    #[test]
    fn who_finds_no_place_waits_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let take = || VmLock::take_in(folder.path(), 2).unwrap();
        let first = take();
        let _second = take();
        let held = Duration::from_millis(300);
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let third = scope.spawn(|| {
                let _lock = take();
                begin.elapsed()
            });
            std::thread::sleep(held);
            drop(first);
            assert!(third.join().unwrap() >= held);
        });
    }
}
