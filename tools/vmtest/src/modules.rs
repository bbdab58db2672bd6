// SPDX-License-Identifier: GPL-2.0

//! Puts the driver where the guest's `modprobe` finds it.
//!
//! What the guest gets is a thin tree, `usr/lib/modules/RELEASE`, that it lays over
//! the build root's: our modules in `updates`, and the indices of depmod, which
//! know these too. depmod reads all of Debian's modules for that (5 s), so that
//! its work is kept, for as long as what the modules say of themselves (aliases,
//! dependencies) stays the same; their code may change.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::kernel::{Kernel, hash};
use crate::paths;

/// The name of the card's driver.
pub const DRIVER: &str = "apple_raid";

/// Lays the tree out in `to`, with no module of ours when none is built; says
/// whether a driver is among them.
pub fn stage(kernel: &Kernel, name: &str, to: &Path) -> Result<bool> {
    let place = to.join("usr/lib/modules").join(&kernel.release);
    fs::create_dir_all(place.join("updates"))?;
    let ours = built(&kernel.release)?;
    for module in &ours {
        let name = module.file_name().context("a file without a name")?;
        fs::copy(module, place.join("updates").join(name))
            .with_context(|| format!("copy {}", module.display()))?;
    }
    if !ours.is_empty() {
        let index = index(kernel, &ours)?;
        for entry in fs::read_dir(index)?.flatten() {
            fs::copy(entry.path(), place.join(entry.file_name()))?;
        }
    }
    Ok(driver(kernel, name)?.is_some() || is_in_tree(kernel, name))
}

/// A driver's file, if it is one of our modules.
pub fn driver(kernel: &Kernel, name: &str) -> Result<Option<PathBuf>> {
    let ours = built(&kernel.release)?;
    let is_driver = |module: &PathBuf| module.file_stem().is_some_and(|stem| stem == name);
    Ok(ours.into_iter().find(is_driver))
}

/// Whether a driver is one of the kernel's own modules.
fn is_in_tree(kernel: &Kernel, name: &str) -> bool {
    let file = format!("kernel/drivers/scsi/{name}/{name}.ko");
    kernel
        .modules()
        .is_some_and(|modules| modules.join(file).exists())
}

/// Our modules that are built for this kernel.
fn built(release: &str) -> Result<Vec<PathBuf>> {
    let folder = Path::new(paths::BUILD).join(release);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut modules: Vec<PathBuf> = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ko"))
        .collect();
    modules.sort();
    Ok(modules)
}

fn index(kernel: &Kernel, ours: &[PathBuf]) -> Result<PathBuf> {
    let mut facts = kernel.release.clone().into_bytes();
    facts.extend(kernel.base.as_os_str().as_encoded_bytes());
    for module in ours {
        facts.extend(module.as_os_str().as_encoded_bytes());
        for field in ["alias", "depends", "softdep"] {
            let output = Command::new("modinfo")
                .args(["-F", field])
                .arg(module)
                .output()
                .context("run modinfo")?;
            facts.extend(output.stdout);
            facts.push(0);
        }
    }
    paths::cached(&format!("depmod-{:016x}", hash(&facts)), |to| {
        depmod(kernel, ours, to)
    })
}

/// Runs depmod over a tree of symbolic links: the kernel's own modules, and ours.
fn depmod(kernel: &Kernel, ours: &[PathBuf], to: &Path) -> Result<()> {
    let mut work = to.as_os_str().to_owned();
    work.push(".work");
    let work = PathBuf::from(work);
    let _ = fs::remove_dir_all(&work);
    let inside = Path::new("lib/modules").join(&kernel.release);
    let tree = work.join("tree").join(&inside);
    fs::create_dir_all(tree.join("updates"))?;
    if let Some(modules) = kernel.modules() {
        for entry in fs::read_dir(modules)?.flatten() {
            symlink(entry.path(), tree.join(entry.file_name()))?;
        }
    }
    for module in ours {
        let name = module.file_name().context("a file without a name")?;
        symlink(module, tree.join("updates").join(name))?;
    }
    let output = Command::new("depmod")
        .arg("-b")
        .arg(work.join("tree"))
        .arg("-o")
        .arg(work.join("out"))
        .arg(&kernel.release)
        .output()
        .context("run depmod")?;
    ensure!(
        output.status.success(),
        "depmod failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::rename(work.join("out").join(&inside), to)?;
    fs::remove_dir_all(&work)?;
    Ok(())
}
