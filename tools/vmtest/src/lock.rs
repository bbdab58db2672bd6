// SPDX-License-Identifier: GPL-2.0

//! One VM at a time: an emulated processor needs a real one, and two guests on two
//! cores make each other's time limits expire. The lock goes with the process.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::paths;

/// Held for as long as a VM runs.
#[derive(Debug)]
pub struct VmLock {
    _file: File,
}

impl VmLock {
    /// Waits for its turn; says so when that takes time.
    pub fn take() -> Result<Self> {
        fs::create_dir_all(paths::CACHE)?;
        Self::take_at(&Path::new(paths::CACHE).join("lock"))
    }

    fn take_at(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("open {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => eprintln!("vm: another VM runs; waiting for it to end"),
            Err(error) => return Err(error).context("lock"),
        }
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("lock"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VmLock;
    use std::time::{Duration, Instant};

    #[test]
    fn the_second_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = VmLock::take_at(&path).unwrap();
        let held = Duration::from_millis(200);
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| VmLock::take_at(&path).map(|_| begin.elapsed()));
            std::thread::sleep(held);
            drop(first);
            assert!(second.join().unwrap().unwrap() >= held);
        });
    }
}
