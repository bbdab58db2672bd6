// SPDX-License-Identifier: GPL-2.0

//! Finds the kernel to boot, and unpacks it.
//!
//! A bzImage unpacks itself, which takes an emulated processor longer than the
//! rest of the way to its first process. The ELF file inside boots by itself (the
//! PVH entry that QEMU knows): the same kernel, not one byte of it changed.
//!
//! Two flavours:
//! - stock: Debian's own, as it came from the archive, in the build root;
//! - debug: the one that tools/env/mkdebug makes, with lockdep, KASAN and the like,
//!   and with the driver in tree: the files `release` and `vmlinux`, and the modules
//!   in `usr/lib/modules/RELEASE`.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::paths;

/// Which kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Debian's, unmodified.
    #[default]
    Stock,
    /// With lockdep, KASAN and more.
    Debug,
}

impl Flavour {
    /// The one that the environment asks for: `VMTEST_KERNEL=stock` or `debug`.
    pub fn from_environment() -> Result<Self> {
        match std::env::var("VMTEST_KERNEL").as_deref() {
            Err(_) | Ok("" | "stock") => Ok(Self::Stock),
            Ok("debug") => Ok(Self::Debug),
            Ok(other) => bail!("VMTEST_KERNEL has to be stock or debug, not {other:?}"),
        }
    }

    /// How much longer than on Debian's kernel things may take.
    pub fn patience(self) -> u32 {
        match self {
            Self::Stock => 1,
            Self::Debug => 4,
        }
    }
}

/// A kernel that can be booted.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// What `uname -r` says.
    pub release: String,
    /// The ELF file.
    pub image: PathBuf,
    /// The tree in which `lib/modules/RELEASE` is found.
    pub base: PathBuf,
    /// A tree that the guest has to lay over the build root to see its modules.
    pub layer: Option<PathBuf>,
}

impl Kernel {
    /// Finds a kernel, or says what is missing.
    pub fn find(flavour: Flavour) -> Result<Self> {
        match flavour {
            Flavour::Stock => Self::stock(),
            Flavour::Debug => Self::debug(Path::new(paths::DEBUG_KERNEL)),
        }
    }

    fn stock() -> Result<Self> {
        let release = fs::read_to_string("/etc/apple-raid-kernel")
            .context("the build root does not say which kernel it has")?;
        let release = release.trim().to_owned();
        let packed = format!("/usr/lib/modules/{release}/vmlinuz.unsigned");
        Ok(Self {
            image: unpack(Path::new(&packed))?,
            base: PathBuf::from("/"),
            layer: None,
            release,
        })
    }

    fn debug(folder: &Path) -> Result<Self> {
        let folder = fs::canonicalize(folder)
            .with_context(|| format!("the debug kernel is not built: {}", folder.display()))?;
        let release = fs::read_to_string(folder.join("release"))
            .with_context(|| format!("{} is not complete", folder.display()))?;
        Ok(Self {
            release: release.trim().to_owned(),
            image: folder.join("vmlinux"),
            base: folder.clone(),
            layer: Some(folder),
        })
    }

    /// The folder with the kernel's modules, when it has one.
    pub fn modules(&self) -> Option<PathBuf> {
        let folder = self.base.join("usr/lib/modules").join(&self.release);
        folder.join("modules.dep").exists().then_some(folder)
    }
}

/// A hash for the names of cached files.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn unpack(packed: &Path) -> Result<PathBuf> {
    let bytes = fs::read(packed).with_context(|| format!("read {}", packed.display()))?;
    paths::cached(&format!("vmlinux-{:016x}", hash(&bytes)), |to| {
        let (tool, payload) =
            payload(&bytes).with_context(|| format!("{} is not a bzImage", packed.display()))?;
        let mut child = Command::new(tool)
            .args(["-d", "-c"])
            .stdin(Stdio::piped())
            .stdout(fs::File::create(to)?)
            .spawn()
            .with_context(|| format!("run {tool}"))?;
        child
            .stdin
            .take()
            .context("no pipe")?
            .write_all(payload)
            .with_context(|| format!("unpack by {tool}"))?;
        ensure!(child.wait()?.success(), "{tool} cannot unpack the kernel");
        let mut magic = [0; 4];
        std::io::Read::read_exact(&mut fs::File::open(to)?, &mut magic)?;
        ensure!(
            magic == *b"\x7fELF",
            "the unpacked kernel is not an ELF file"
        );
        Ok(())
    })
}

/// The compressed ELF file within a bzImage, and what unpacks it. The header's
/// fields are those of Documentation/arch/x86/boot.rst; the payload's last four
/// bytes are the size of what is in it.
fn payload(image: &[u8]) -> Result<(&'static str, &[u8])> {
    ensure!(image.get(0x202..0x206) == Some(b"HdrS"), "no boot header");
    let word = |at: usize| -> Result<usize> {
        let bytes = image.get(at..at + 4).context("too short")?;
        Ok(u32::from_le_bytes(bytes.try_into()?).try_into()?)
    };
    let setup = (usize::from(image[0x1f1]) + 1) * 512;
    let begin = setup + word(0x248)?;
    let payload = image
        .get(begin..begin + word(0x24c)?)
        .and_then(|payload| payload.split_last_chunk::<4>())
        .context("the payload lies outside of the file")?
        .0;
    let tool = match payload {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0x1f, 0x8b, ..] => "gzip",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        _ => bail!("a compression that is not known here"),
    };
    Ok((tool, payload))
}

#[cfg(test)]
mod tests {
    use super::payload;

    fn image(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 0x400];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&3_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
        image.extend([0; 3]);
        image.extend(payload);
        image
    }

    #[test]
    fn the_payload_is_found() {
        let packed = image(b"\x28\xb5\x2f\xfdkernel\x01\x02\x03\x04");
        let (tool, payload) = payload(&packed).unwrap();
        assert_eq!((tool, payload), ("zstd", &b"\x28\xb5\x2f\xfdkernel"[..]));
    }

    #[test]
    fn other_files_are_refused() {
        assert!(payload(b"").is_err());
        assert!(payload(&[0; 0x1000]).is_err());
        let mut short = image(b"\x28\xb5\x2f\xfdkernel\x01\x02\x03\x04");
        short.truncate(short.len() - 1);
        assert!(payload(&short).is_err());
    }
}
