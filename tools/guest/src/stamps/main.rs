// SPDX-License-Identifier: GPL-2.0

//! stamps: reads and writes disks while things go wrong with them, and looks whether
//! what is read is what was written.
//!
//! An error of a disk is no failure: it is counted. A sector whose write failed may
//! hold what it held before, or what was to be written. A sector that holds anything
//! else is a failure, and so is a byte that changed beside the buffer.

mod sectors;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use guest_tools::buffer::Guarded;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::fs::OFlags;

use sectors::{SECTOR, Sectors};

/// Sectors of a worker.
const SHARE: usize = 512;
/// Longest transfer, in sectors.
const LONGEST: usize = 128;
/// So many errors in a row, and the disk is given up.
const GIVEN_UP: u32 = 20;

/// Write and read disks at random places, and compare
#[derive(Debug, Parser)]
struct Options {
    /// Transfers of each worker
    #[arg(long, default_value_t = 40)]
    count: u32,
    /// Workers for each disk
    #[arg(long, default_value_t = 8)]
    workers: u64,
    /// What decides the places
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The disks, whose beginnings are to be overwritten
    #[arg(required = true)]
    devices: Vec<PathBuf>,
}

/// How many transfers went well, and how many ended in an error.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    done: u32,
    errors: u32,
    in_a_row: u32,
}

impl Tally {
    fn count(&mut self, well: bool) {
        if well {
            self.done += 1;
            self.in_a_row = 0;
        } else {
            self.errors += 1;
            self.in_a_row += 1;
        }
    }
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(tally) => {
            println!("{} transfers, {} errors", tally.done, tally.errors);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("stamps: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn run(&self) -> Result<Tally> {
        let mut workers = Vec::new();
        for device in &self.devices {
            for number in 0..self.workers {
                let (device, seed, count) = (device.clone(), self.seed, self.count);
                workers.push(thread::spawn(move || {
                    work(&device, seed, number, count)
                        .with_context(|| format!("{}, worker {number}", device.display()))
                }));
            }
        }
        let mut all = Tally::default();
        for worker in workers {
            let tally = worker.join().map_err(|_| anyhow!("a worker panicked"))??;
            all.done += tally.done;
            all.errors += tally.errors;
        }
        Ok(all)
    }
}

/// What one worker does, in its own part of the disk.
fn work(device: &Path, seed: u64, number: u64, count: u32) -> Result<Tally> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(OFlags::DIRECT.bits() as i32);
    let Ok(file) = options.open(device) else {
        // A disk that is gone.
        let mut tally = Tally::default();
        tally.count(false);
        return Ok(tally);
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    let first = number * SHARE as u64;
    let mut worker = Worker {
        file,
        first,
        sectors: Sectors::new(first, SHARE, seed),
        buffer: Guarded::new(LONGEST * SECTOR)?,
        tally: Tally::default(),
    };
    for _ in 0..count {
        let length = random.random_range(1..=LONGEST);
        let at = random.random_range(0..=SHARE - length);
        if random.random() {
            worker.write(at, length);
        } else {
            worker.read(at, length)?;
        }
        if worker.tally.in_a_row > GIVEN_UP {
            return Ok(worker.tally);
        }
    }
    for at in (0..SHARE).step_by(LONGEST) {
        worker.read(at, LONGEST)?;
    }
    Ok(worker.tally)
}

/// A worker; places and lengths are in sectors of its part.
struct Worker {
    file: File,
    /// Where its part begins, in sectors of the disk.
    first: u64,
    sectors: Sectors,
    buffer: Guarded,
    tally: Tally,
}

impl Worker {
    fn place(&self, at: usize) -> u64 {
        (self.first + at as u64) * SECTOR as u64
    }

    fn write(&mut self, at: usize, length: usize) {
        self.buffer.place(0, length * SECTOR);
        self.sectors.stamp(at, self.buffer.data_mut());
        let place = self.place(at);
        let done = self.file.write_at(self.buffer.data(), place).unwrap_or(0);
        self.sectors.written(at, length, done / SECTOR);
        self.tally.count(done == length * SECTOR);
    }

    fn read(&mut self, at: usize, length: usize) -> Result<()> {
        self.buffer.place(0, length * SECTOR);
        self.buffer.data_mut().fill(0xee);
        let place = self.place(at);
        let done = self.file.read_at(self.buffer.data_mut(), place);
        let done = done.unwrap_or(0);
        self.sectors
            .check(at, &self.buffer.data()[..done])
            .map_err(|wrong| anyhow!("WRONG: {wrong}"))?;
        if let Some(damage) = self.buffer.damage() {
            return Err(anyhow!("WRONG: beside the buffer: {damage}"));
        }
        self.tally.count(done == length * SECTOR);
        Ok(())
    }
}
