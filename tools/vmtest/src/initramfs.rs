// SPDX-License-Identifier: GPL-2.0

//! The initramfs: a static busybox, the modules that are needed to mount the root
//! (by 9p, or from the card), and the scripts that do it. It is small, not compressed, and made anew
//! for every boot, which takes less time than to find out whether that is needed.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::kernel::Kernel;
use crate::modules;

/// What must be loaded before the root can be mounted.
const NEEDED: &[&str] = &[
    "virtio_pci",
    "virtio_console",
    "9pnet_virtio",
    "9p",
    "overlay",
];

/// What else, if the root lies on the card; the driver itself comes last.
const NEEDED_FOR_CARD: &[&str] = &["ext4", "sd_mod"];

const INITRAMFS_SH: &str = include_str!("../guest/initramfs.sh");
const INIT_SH: &str = include_str!("../guest/init.sh");
const EXEC_SH: &str = include_str!("../guest/exec.sh");

/// Writes the initramfs for a kernel.
pub fn write(kernel: &Kernel, root_on_card: bool, to: &Path) -> Result<()> {
    let mut archive = Archive::new(Vec::new());
    for folder in ["bin", "m", "dev"] {
        archive.folder(folder)?;
    }
    let busybox = fs::read("/usr/bin/busybox").context("read the static busybox")?;
    archive.file("bin/busybox", 0o755, &busybox)?;
    archive.file("init", 0o755, INITRAMFS_SH.as_bytes())?;
    archive.file("init.sh", 0o755, INIT_SH.as_bytes())?;
    archive.file("exec.sh", 0o755, EXEC_SH.as_bytes())?;
    let mut order = String::new();
    let mut files = load_order(kernel, NEEDED)?;
    if root_on_card {
        files.extend(load_order(kernel, NEEDED_FOR_CARD)?);
        files.extend(match modules::driver(kernel, modules::DRIVER)? {
            Some(ours) => vec![ours.display().to_string()],
            None => load_order(kernel, &[modules::DRIVER])?,
        });
    }
    let mut loaded = Vec::new();
    for path in files {
        if loaded.contains(&path) {
            continue;
        }
        let name = path.rsplit('/').next().unwrap_or(&path);
        let name = name.trim_end_matches(".xz").trim_end_matches(".zst");
        archive.file(&format!("m/{name}"), 0o644, &module(&path)?)?;
        order.push_str(name);
        order.push('\n');
        loaded.push(path);
    }
    archive.file("m/order", 0o644, order.as_bytes())?;
    let bytes = archive.finish()?;
    fs::write(to, bytes).with_context(|| format!("write {}", to.display()))
}

/// The files of these modules, each after those that it depends on.
fn load_order(kernel: &Kernel, names: &[&str]) -> Result<Vec<String>> {
    if kernel.modules().is_none() {
        return Ok(Vec::new()); // all is built in
    }
    let mut order: Vec<String> = Vec::new();
    for name in names {
        let output = Command::new("modprobe")
            .arg("-d")
            .arg(&kernel.base)
            .args(["-S", &kernel.release, "--show-depends", name])
            .output()
            .context("run modprobe")?;
        ensure!(
            output.status.success(),
            "kernel {} has no {name}: {}",
            kernel.release,
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        let files = text.lines().filter_map(|line| line.strip_prefix("insmod "));
        for file in files.map(|file| file.trim().to_owned()) {
            if !order.contains(&file) {
                order.push(file);
            }
        }
    }
    Ok(order)
}

fn module(path: &str) -> Result<Vec<u8>> {
    let tool = match path.rsplit('.').next() {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("ko") => return fs::read(path).with_context(|| format!("read {path}")),
        _ => bail!("{path} is packed in a way that is not known here"),
    };
    let output = Command::new(tool)
        .args(["-d", "-c", path])
        .output()
        .with_context(|| format!("run {tool}"))?;
    ensure!(output.status.success(), "{tool} cannot unpack {path}");
    Ok(output.stdout)
}

/// A cpio archive of the "newc" kind: Documentation/driver-api/early-userspace.
struct Archive<W> {
    to: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    fn new(to: W) -> Self {
        Self { to, entries: 0 }
    }

    fn folder(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, 0o040_755, &[])
    }

    fn file(&mut self, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.entry(name, 0o100_000 | mode, bytes)
    }

    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let too_long = |_| io::Error::from(io::ErrorKind::FileTooLarge);
        let size = u32::try_from(bytes.len()).map_err(too_long)?;
        let name_size = u32::try_from(name.len() + 1).map_err(too_long)?;
        self.entries += 1;
        let (inode, links) = (self.entries, 1);
        let fields = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        self.padded(&[header.as_bytes(), name.as_bytes(), b"\0"].concat())?;
        self.padded(bytes)
    }

    fn padded(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        self.to.write_all(&[0; 3][..padding])
    }

    fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, &[])?;
        Ok(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn cpio_reads_the_archive() {
        let mut archive = Archive::new(Vec::new());
        archive.folder("bin").unwrap();
        archive.file("bin/odd", 0o755, b"seven b").unwrap();
        archive.file("empty", 0o644, b"").unwrap();
        let bytes = archive.finish().unwrap();
        let mut cpio = Command::new("cpio")
            .args(["-i", "-t", "-v", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        cpio.stdin.take().unwrap().write_all(&bytes).unwrap();
        let output = cpio.wait_with_output().unwrap();
        assert!(output.status.success());
        let list = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = list.lines().collect();
        assert!(lines[0].starts_with("drwxr-xr-x") && lines[0].ends_with("bin"));
        assert!(lines[1].starts_with("-rwxr-xr-x") && lines[1].ends_with("bin/odd"));
        assert!(lines[1].contains(" 7 "));
        assert_eq!(lines.len(), 3);
    }
}
