// SPDX-License-Identifier: GPL-2.0

//! Where things lie. `tools/env/run` gives the build root a fixed shape: the
//! repository is /src, the cache is /cache, and the build root alone, without what
//! is mounted over it, is /run/vm/root.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};

/// The build root as the guest gets to see it.
pub const GUEST_ROOT: &str = "/run/vm/root";
/// Where the builds of the driver lie, one folder for each kernel release.
pub const BUILD: &str = "/src/build";
/// The Cargo workspace.
pub const TOOLS: &str = "/src/tools";
/// The part of the cache that is ours.
pub const CACHE: &str = "/cache/vm";
/// Leads to the kernel with all of the debugging options, if it was built.
pub const DEBUG_KERNEL: &str = "/src/build/kernel-debug";

/// How many folders of past runs are kept.
const KEPT_RUNS: usize = 30;

/// Complains when this process does not run in the build root.
pub fn check() -> Result<()> {
    ensure!(
        Path::new(GUEST_ROOT).is_dir(),
        "{GUEST_ROOT} is missing: the VM test bed runs in the build root, by tools/env/run"
    );
    Ok(())
}

/// The path under which the host knows a file of the build root's /cache and /src.
pub fn on_host(path: &Path) -> PathBuf {
    for (inside, variable) in [("/cache", "HOST_CACHE"), ("/src", "HOST_SRC")] {
        if let (Ok(rest), Ok(outside)) = (path.strip_prefix(inside), std::env::var(variable)) {
            return Path::new(&outside).join(rest);
        }
    }
    path.to_path_buf()
}

/// Makes a folder for the files of one run, and removes those of runs long past, but for those
/// that somebody holds.
pub fn new_run() -> Result<PathBuf> {
    let runs = Path::new(CACHE).join("runs");
    fs::create_dir_all(&runs).with_context(|| format!("create {}", runs.display()))?;
    let mut past: Vec<PathBuf> = fs::read_dir(&runs)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    past.sort();
    for old in past.iter().rev().skip(KEPT_RUNS - 1) {
        let _ = remove_unless_held(old);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let run = runs.join(format!("{now}-{}", unique()));
    fs::create_dir(&run).with_context(|| format!("create {}", run.display()))?;
    Ok(run)
}

/// Keeps a run's folder from being removed, until what is returned is dropped.
pub fn hold(run: &Path) -> Result<File> {
    let folder = File::open(run).with_context(|| format!("open {}", run.display()))?;
    flock(&folder, FlockOperation::LockShared).context("lock")?;
    Ok(folder)
}

fn remove_unless_held(run: &Path) -> Result<()> {
    flock(&File::open(run)?, FlockOperation::NonBlockingLockExclusive)?;
    Ok(fs::remove_dir_all(run)?)
}

/// A part of a name that no other thread of any process uses now.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{count}", std::process::id())
}

/// Gives the cached file (or folder) `name`; makes it first when it is not there.
/// `make` gets another path, so that nobody finds half a file.
pub fn cached(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let path = Path::new(CACHE).join(name);
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(CACHE).with_context(|| format!("create {CACHE}"))?;
    let making = Path::new(CACHE).join(format!("{name}.making-{}", unique()));
    make(&making)?;
    if fs::rename(&making, &path).is_err() && !path.exists() {
        anyhow::bail!("cannot rename {} to {}", making.display(), path.display());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::{hold, remove_unless_held};

    #[test]
    fn a_run_that_is_held_stays() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let held = hold(&run).unwrap();
        assert!(remove_unless_held(&run).is_err());
        assert!(run.exists());
        drop(held);
        remove_unless_held(&run).unwrap();
        assert!(!run.exists());
    }
}
