// SPDX-License-Identifier: GPL-2.0

//! Our own programs for the guest: those of the package `guest-tools`.
//!
//! What is built here runs there, for both have the same root. So a program is
//! built when it is asked for, by the cargo that built the test, and copied into the
//! folder that host and guest exchange files in.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::paths;

/// Builds the program and copies it into `folder`. It is optimized: an emulated
/// processor is slow enough.
pub fn copy_to(folder: &Path, name: &str) -> Result<()> {
    let target = Path::new(paths::TOOLS).join("target");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", "guest-tools"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(paths::TOOLS)
        .status()
        .context("run cargo")?;
    ensure!(status.success(), "guest-tools cannot be built");
    fs::create_dir_all(folder)?;
    let built = target.join("release").join(name);
    fs::copy(&built, folder.join(name)).with_context(|| format!("copy {}", built.display()))?;
    Ok(())
}
