// SPDX-License-Identifier: GPL-2.0

//! sgio: SCSI commands as user space may send them, sound or not.

mod cases;
mod fuzz;
mod limits;
mod one;
mod sweep;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

/// How long a command may take: long enough for an emulated machine under load, so
/// that one that takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Sends SCSI commands by SG_IO to /dev/sgN or /dev/sdX
#[derive(Debug, Parser)]
enum Command {
    One(one::One),
    Fuzz(fuzz::Fuzz),
    Sweep(sweep::Sweep),
    Limits(limits::Limits),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::One(one) => one.run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Sweep(sweep) => sweep.run(),
        Command::Limits(limits) => limits.run(),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sgio: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// A device, open for everything.
#[derive(Debug)]
struct Device {
    path: PathBuf,
    file: File,
}

impl Device {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .with_context(|| format!("open {}", path.display()))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Whether the driver sg is in between.
    fn is_generic(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("sg")
    }
}

/// Bytes as two hexadecimal digits each.
fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half & 0xf)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}
