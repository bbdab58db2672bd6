// SPDX-License-Identifier: GPL-2.0

//! `tools/vm demo`: shows, and checks, that the volumes of the card are disks.
//!
//! In a first machine the driver's log and what the disks say of themselves are
//! shown; then files go to one disk, and a pattern to the end of the other. A second
//! machine, with another QEMU and a twin of its own, gets the same volumes: the
//! files have to have the same hashes, and again after the driver was unloaded and
//! loaded. The first thing that is not as it should be ends the demo.

mod disks;
mod guest;
mod step;
mod steps;
mod sums;

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use vmtest::{Builder, Result, VolumeSpec, paths};

use super::{KERNEL_REPORT, Options, status_of};
use disks::Disk;
use guest::{Failure, Guest, Why, at};
use step::Step;
use sums::Sums;

/// The first volume holds the file system.
const FIRST_BYTES: u64 = 1 << 30;
/// The second is too large for 32 bits of block numbers, and for ext4 on the host.
const SECOND_BYTES: u64 = 20 << 40;
/// The build root's own tmpfs, which is gone with this process.
const VOLUMES: &str = "/tmp/demo";

/// Show that the volumes of the card are disks.
#[derive(Debug, Args)]
pub struct Demo {
    #[command(flatten)]
    options: Options,
}

/// What a step, or some of them, came to.
type Outcome<T, E = Failure> = std::result::Result<T, E>;

/// What the first machine leaves for the second to find.
struct Kept {
    /// The hashes of the files, as they were before they were copied.
    sums: Sums,
    /// What sha256sum said of the end of the second volume.
    end: Vec<u8>,
}

impl Demo {
    /// The demo; the exit status tells whether all of it worked.
    pub fn run(&self) -> Result<u8> {
        let begin = Instant::now();
        match self.show(begin) {
            Ok(summary) => {
                let seconds = begin.elapsed().as_secs();
                println!("\ndemo: all of it worked: {summary} ({seconds} s)");
                Ok(0)
            }
            Err(failure) => {
                println!();
                eprintln!("demo: FAILED at {failure}");
                Ok(match failure.why {
                    Why::Wrong(_) => 1,
                    Why::Vm(error) => status_of(&error),
                    Why::Kernel(_) => KERNEL_REPORT,
                })
            }
        }
    }

    fn show(&self, begin: Instant) -> Outcome<String> {
        let (first, second) = at("the preparations", self.machines())?;
        let title = "A machine with the card boots Debian's own kernel, and loads the driver";
        let guest = Guest::boot(title, begin, first)?;
        let kept = first_machine(&guest)?;
        guest.finish()?;
        let title = "A second machine boots, with the same volumes";
        let guest = Guest::boot(title, begin, second)?;
        second_machine(&guest, &kept)?;
        guest.finish()?;
        Ok(format!(
            "two disks; {} files with the same hashes after a new boot, and after rmmod and modprobe",
            kept.sums.count()
        ))
    }

    /// Both machines, with the same volumes.
    fn machines(&self) -> anyhow::Result<(Builder, Builder)> {
        ensure!(
            self.options.volume.is_empty() && !self.options.no_load,
            "the demo has volumes of its own and loads the driver: `run` takes --volume and --no-load"
        );
        let run = paths::new_run()?;
        let mut builder = self.options.builder_in(&run)?;
        fs::create_dir_all(VOLUMES)?;
        for (name, bytes) in [("lun0", FIRST_BYTES), ("lun1", SECOND_BYTES)] {
            let path = Path::new(VOLUMES).join(name);
            File::create(&path)
                .and_then(|file| file.set_len(bytes))
                .with_context(|| format!("make {}", path.display()))?;
            builder = builder.volume(VolumeSpec::File(path));
        }
        let second = builder.clone().run_folder(&run.join("second"));
        Ok((builder, second))
    }
}

/// Shows driver and disks, and writes to the disks.
fn first_machine(guest: &Guest) -> Outcome<Kept> {
    guest.take(&steps::machine())?;
    guest.take(&steps::driver_log())?;
    let disks = find_disks(guest)?;
    guest.take_all(&steps::identity(&disks))?;
    guest.take_all(&steps::fill(&disks))?;
    let sums = take_sums(guest, &steps::source_sums())?;
    guest.take(&steps::unmount())?;
    let end = guest.take(&steps::write_end(&disks))?.stdout;
    Ok(Kept { sums, end })
}

/// Finds what the first machine has written, before and after the driver is loaded
/// anew.
fn second_machine(guest: &Guest, kept: &Kept) -> Outcome<()> {
    let disks = find_disks(guest)?;
    guest.take(&steps::check(&disks))?;
    same_files(guest, &disks, kept)?;
    same_end(guest, &disks, kept)?;
    guest.take(&steps::unload())?;
    guest.take(&steps::load())?;
    let disks = find_disks(guest)?;
    same_files(guest, &disks, kept)?;
    same_end(guest, &disks, kept)
}

fn find_disks(guest: &Guest) -> Outcome<[Disk; 2]> {
    let step = steps::disks();
    at(step.title, Disk::find(&guest.take(&step)?.stdout_text()))
}

fn take_sums(guest: &Guest, step: &Step) -> Outcome<Sums> {
    at(step.title, Sums::parse(&guest.take(step)?.stdout_text()))
}

fn same_files(guest: &Guest, disks: &[Disk; 2], kept: &Kept) -> Outcome<()> {
    guest.take(&steps::mount(disks, "ro"))?;
    let step = steps::disk_sums();
    let sums = take_sums(guest, &step)?;
    at(step.title, kept.sums.check(&sums))?;
    println!("the same {} files, with the same hashes", sums.count());
    guest.take(&steps::unmount()).map(drop)
}

fn same_end(guest: &Guest, disks: &[Disk; 2], kept: &Kept) -> Outcome<()> {
    let step = steps::read_end(disks);
    let end = guest.take(&step)?.stdout;
    at(step.title, check_end(&kept.end, &end))?;
    println!("the same hash");
    Ok(())
}

fn check_end(written: &[u8], read: &[u8]) -> Outcome<(), String> {
    match written == read && !read.is_empty() {
        true => Ok(()),
        false => Err("what was read has another hash than what was written".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::check_end;

    #[test]
    fn another_end_is_refused() {
        assert_eq!(check_end(b"12  -", b"12  -"), Ok(()));
        assert!(check_end(b"12  -", b"13  -").is_err());
        assert!(check_end(b"", b"").is_err());
    }
}
