// SPDX-License-Identifier: GPL-2.0

//! A file system with a small Debian, for a guest whose root lies on the card.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::kernel::hash;
use crate::paths;

const SCRIPT: &str = include_str!("../guest/root-image.sh");
const SIZE: &str = "1G";

/// Gives a file of 1 GiB with an ext4 file system, which is made once for each state of
/// the build root. It is not to be written to.
pub fn root_image() -> Result<PathBuf> {
    let packages = fs::read("/var/lib/dpkg/status").context("read the list of packages")?;
    let facts = [SCRIPT.as_bytes(), &packages].concat();
    paths::cached(&format!("root-{:016x}.ext4", hash(&facts)), make)
}

fn make(to: &Path) -> Result<()> {
    let output = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "root-image.sh"])
        .arg(to)
        .arg(SIZE)
        .output()
        .context("run root-image.sh")?;
    ensure!(
        output.status.success() && to.exists(),
        "root-image.sh failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
