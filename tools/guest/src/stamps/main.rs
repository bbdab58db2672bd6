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
    let mut tally = Tally::default();
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(OFlags::DIRECT.bits() as i32);
    let Ok(file) = options.open(device) else {
        // A disk that is gone.
        tally.count(false);
        return Ok(tally);
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    let first = number * SHARE as u64;
    let mut sectors = Sectors::new(first, SHARE, seed);
    let mut buffer = Guarded::new(LONGEST * SECTOR)?;
    for _ in 0..count {
        let length = random.random_range(1..=LONGEST);
        let at = random.random_range(0..=SHARE - length);
        buffer.place(0, length * SECTOR);
        if random.random() {
            write(&file, first, &mut sectors, at, &mut buffer, &mut tally);
        } else {
            read(&file, first, &mut sectors, at, &mut buffer, &mut tally)?;
        }
        if tally.in_a_row > GIVEN_UP {
            return Ok(tally);
        }
    }
    for at in (0..SHARE).step_by(LONGEST) {
        buffer.place(0, LONGEST * SECTOR);
        read(&file, first, &mut sectors, at, &mut buffer, &mut tally)?;
    }
    Ok(tally)
}

fn write(
    file: &File,
    first: u64,
    sectors: &mut Sectors,
    at: usize,
    buffer: &mut Guarded,
    tally: &mut Tally,
) {
    sectors.stamp(at, buffer.data_mut());
    let place = (first + at as u64) * SECTOR as u64;
    let done = file.write_at(buffer.data(), place).unwrap_or(0);
    sectors.written(at, buffer.data().len() / SECTOR, done / SECTOR);
    tally.count(done == buffer.data().len());
}

fn read(
    file: &File,
    first: u64,
    sectors: &mut Sectors,
    at: usize,
    buffer: &mut Guarded,
    tally: &mut Tally,
) -> Result<()> {
    let place = (first + at as u64) * SECTOR as u64;
    buffer.data_mut().fill(0xee);
    let done = file.read_at(buffer.data_mut(), place).unwrap_or(0);
    sectors
        .check(at, &buffer.data()[..done])
        .map_err(|wrong| anyhow!("WRONG: {wrong}"))?;
    if let Some(damage) = buffer.damage() {
        return Err(anyhow!("WRONG: beside the buffer: {damage}"));
    }
    tally.count(done == buffer.data().len());
    Ok(())
}
