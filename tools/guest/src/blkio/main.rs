// SPDX-License-Identifier: GPL-2.0

//! blkio: what is written to a disk is read back, byte by byte, with transfers of
//! given sizes, through the page cache and past it.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use guest_tools::buffer::Guarded;
use guest_tools::{pattern, size};
use rustix::fs::OFlags;

/// Most bytes that are given to one system call: what is longer goes in pieces.
const CALL: usize = 16 << 20;

/// Write a pattern to a disk, read it back and compare
#[derive(Debug, Parser)]
struct Options {
    /// Sizes of the transfers, such as 512,64K,1G
    #[arg(long, value_delimiter = ',', value_parser = size::parse, required = true)]
    sizes: Vec<usize>,
    /// The disk, which is to be overwritten
    device: PathBuf,
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blkio: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// By which way data reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Through the page cache.
    Buffered,
    /// With O_DIRECT.
    Direct,
}

impl Options {
    /// Writes each size by each way, and reads it by both.
    fn run(&self) -> Result<()> {
        let most = self.sizes.iter().copied().max().unwrap_or(0).min(CALL);
        let mut buffer = Guarded::new(most)?;
        for (salt, len) in (1..).zip(&self.sizes) {
            for (salt, way) in [(salt, Way::Buffered), (salt + 100, Way::Direct)] {
                let what = format!("{} {way:?}", size::show(*len));
                self.write(way, &mut buffer, *len, salt)
                    .with_context(|| format!("{what}: write"))?;
                for back in [Way::Direct, Way::Buffered] {
                    self.compare(back, &mut buffer, *len, salt)
                        .with_context(|| format!("{what}: read back {back:?}"))?;
                }
                println!("{what}: the same");
            }
        }
        Ok(())
    }

    fn open(&self, way: Way) -> Result<File> {
        let flags = match way {
            Way::Buffered => OFlags::empty(),
            Way::Direct => OFlags::DIRECT,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.custom_flags(flags.bits() as i32);
        Ok(options.open(&self.device)?)
    }

    fn write(&self, way: Way, buffer: &mut Guarded, len: usize, salt: u64) -> Result<()> {
        let file = self.open(way)?;
        for (at, piece) in pieces(len) {
            buffer.place(0, piece);
            pattern::fill(buffer.data_mut(), at, salt);
            file.write_all_at(buffer.data(), at)?;
        }
        file.sync_all()?;
        drop(file);
        // What is read next comes from the disk.
        fs::write("/proc/sys/vm/drop_caches", "1").context("drop the page cache")
    }

    fn compare(&self, way: Way, buffer: &mut Guarded, len: usize, salt: u64) -> Result<()> {
        let file = self.open(way)?;
        for (at, piece) in pieces(len) {
            buffer.place(0, piece);
            file.read_exact_at(buffer.data_mut(), at)?;
            let wrong = pattern::first_wrong(buffer.data(), at, salt);
            ensure!(wrong.is_none(), "{wrong:?}");
            ensure!(buffer.damage().is_none(), "{:?}", buffer.damage());
        }
        Ok(())
    }
}

/// The system calls of a transfer: where, and how long.
fn pieces(len: usize) -> impl Iterator<Item = (u64, usize)> {
    (0..len)
        .step_by(CALL)
        .map(move |at| (at as u64, CALL.min(len - at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole() {
        assert_eq!(pieces(512).collect::<Vec<_>>(), [(0, 512)]);
        let long: Vec<_> = pieces(CALL + 512).collect();
        assert_eq!(long, [(0, CALL), (CALL as u64, 512)]);
    }
}
