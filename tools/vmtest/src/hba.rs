// SPDX-License-Identifier: GPL-2.0

//! The host adapter of a VM: the card's twin, or one that QEMU emulates by itself, of which anybody
//! can try our driver.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::builder::{Builder, Iommu, VolumeSpec};
use crate::modules;

/// Which host adapter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hba {
    /// The card: its twin.
    #[default]
    AppleRaid,
    /// QEMU's `pvscsi`. Each volume is a disk of its own, LUN 0 of target 0, 1, ...; see
    /// [`qemu::disks`](crate::qemu::disks).
    Pvscsi,
}

impl Hba {
    /// The name of its driver.
    pub fn driver(self) -> &'static str {
        match self {
            Self::AppleRaid => modules::DRIVER,
            Self::Pvscsi => "pvscsi_rust",
        }
    }
}

/// The volumes that are asked for, or one of 1 GiB.
pub(crate) fn volumes(builder: &Builder) -> Vec<VolumeSpec> {
    if builder.volumes.is_empty() {
        vec![VolumeSpec::Size(1 << 30)]
    } else {
        builder.volumes.clone()
    }
}

/// The files that are the disks of [`Hba::Pvscsi`]. A disk that is gone with the VM is a sparse
/// file in the folder of the run.
pub(crate) fn disks(builder: &Builder, run: &Path) -> Result<Vec<PathBuf>> {
    if builder.hba == Hba::AppleRaid {
        return Ok(Vec::new());
    }
    // It reads its rings past the IOMMU.
    if builder.iommu != Iommu::Off {
        bail!("QEMU's pvscsi does not work with an IOMMU");
    }
    if builder.behind_bridge || builder.trace || !builder.twin.is_empty() {
        bail!("pvscsi has no twin and no bridge above it: no --twin, --trace, --behind-bridge");
    }
    let disk = |(n, spec)| match spec {
        VolumeSpec::File(path) => Ok(path),
        VolumeSpec::Size(bytes) => {
            let path = run.join(format!("disk{n}.img"));
            File::create(&path)
                .and_then(|file| file.set_len(bytes))
                .with_context(|| format!("create {}", path.display()))?;
            Ok(path)
        }
    };
    volumes(builder).into_iter().enumerate().map(disk).collect()
}

/// Removes the disks that are gone with the VM.
pub(crate) fn remove_temporary(disks: &[PathBuf], run: &Path) {
    for disk in disks.iter().filter(|disk| disk.starts_with(run)) {
        let _ = fs::remove_file(disk);
    }
}
