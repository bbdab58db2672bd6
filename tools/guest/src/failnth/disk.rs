// SPDX-License-Identifier: GPL-2.0

//! Input and output, by all ways that lead to a disk.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use guest_tools::buffer::Guarded;
use guest_tools::pattern;
use guest_tools::sg::{self, Direction};
use rustix::fs::OFlags;
use rustix::ioctl::{NoArg, Opcode, Setter, ioctl};

use crate::nth::{Operation, Outcome, Trouble};

const BLKRRPART: Opcode = 0x125f;
const SG_SCSI_RESET: Opcode = 0x2284;
const SG_SCSI_RESET_HOST: i32 = 4;

/// How long a command may take: one that takes longer hangs.
const TIMEOUT: Duration = Duration::from_secs(100);

const BLOCK: usize = 512;
/// Longest transfer.
pub const MOST: usize = 1 << 20;
/// Where there is something to be read, and who wrote it.
const READ_AT: u64 = 1 << 20;
const READ_SALT: u64 = 1;
/// Where is written to.
const WRITE_AT: u64 = 4 << 20;
/// The partition: its first block, and how many it has.
const PARTITION: (u32, u32) = (2048, 2048);

/// Which file a transfer goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The disk's, past the page cache.
    Direct,
    /// The disk's, through the page cache.
    Cache,
    /// The disk's, by a SCSI command.
    Disk,
    /// The logical unit's, by a SCSI command.
    Generic,
}

/// What is done to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Bytes are read into a buffer at that offset in a page.
    Read(By, usize, u16),
    /// Bytes are written from a buffer at that offset in a page.
    Write(By, usize, u16),
    /// One block is written, by a command with a longer buffer.
    WriteShort(By, usize),
    /// A command that moves no blocks, or none at all.
    Ask(By, &'static [u8], usize),
    /// The disk's cache is flushed.
    Flush,
    /// The file is opened, and closed.
    Open(By),
    /// The partition table is read.
    Partitions,
    /// The host is reset.
    Reset,
}

use By::{Cache, Direct, Disk, Generic};
use Job::{Ask, Flush, Open, Partitions, Read, Reset, Write, WriteShort};

/// All of it.
pub const JOBS: &[Job] = &[
    Read(Direct, BLOCK, 0),
    Read(Direct, BLOCK, 3584),
    Read(Direct, 64 << 10, 512),
    Read(Direct, MOST, 0),
    Write(Direct, BLOCK, 0),
    Write(Direct, MOST, 512),
    Read(Cache, 64 << 10, 0),
    Write(Cache, 64 << 10, 0),
    // The block layer copies what lies at an odd place, and so does sg what is not direct.
    Read(Generic, BLOCK, 0),
    Read(Generic, 64 << 10, 4),
    Read(Generic, MOST, 0),
    Write(Generic, 64 << 10, 0),
    Write(Generic, MOST, 512),
    Read(Disk, 4 << 10, 0),
    Read(Disk, 64 << 10, 4),
    Read(Disk, MOST, 512),
    Write(Disk, MOST, 0),
    WriteShort(Generic, 8 << 10),
    WriteShort(Disk, 8 << 10),
    // INQUIRY, READ CAPACITY(10), MODE SENSE(10), TEST UNIT READY
    Ask(Generic, &[0x12, 0, 0, 0, 255, 0], 255),
    Ask(Disk, &[0x12, 1, 0, 0, 252, 0], 300),
    Ask(Generic, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8),
    Ask(Disk, &[0x5a, 0, 0x3f, 0, 0, 0, 0, 0xf0, 0, 0], 0xf000),
    Ask(Generic, &[0, 0, 0, 0, 0, 0], 0),
    Flush,
    Open(Disk),
    Open(Generic),
    Partitions,
    Reset,
];

/// The files of a disk, with known contents.
#[derive(Debug)]
pub struct Files {
    disk: PathBuf,
    generic: PathBuf,
    direct: File,
    cache: File,
    sg: File,
    buffer: Guarded,
    salt: u64,
}

impl Files {
    /// Opens them.
    pub fn open(disk: PathBuf, generic: PathBuf) -> Result<Self> {
        let open = |path: &PathBuf, flags: OFlags| {
            let mut options = OpenOptions::new();
            options.read(true).write(true);
            options.custom_flags(flags.bits() as i32);
            options
                .open(path)
                .with_context(|| path.display().to_string())
        };
        Ok(Self {
            direct: open(&disk, OFlags::DIRECT)?,
            cache: open(&disk, OFlags::empty())?,
            sg: open(&generic, OFlags::empty())?,
            disk,
            generic,
            buffer: Guarded::new(MOST)?,
            salt: READ_SALT,
        })
    }

    /// Writes what is to be read later: data, and a table with one partition.
    pub fn fill(&mut self) -> Result<()> {
        self.buffer.place(0, BLOCK);
        let table = self.buffer.data_mut();
        table.fill(0);
        let first = &mut table[446..462];
        first[4] = 0x83;
        first[8..12].copy_from_slice(&PARTITION.0.to_le_bytes());
        first[12..16].copy_from_slice(&PARTITION.1.to_le_bytes());
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        self.direct.write_all_at(self.buffer.data(), 0)?;
        self.buffer.place(0, MOST);
        pattern::fill(self.buffer.data_mut(), READ_AT, READ_SALT);
        self.direct.write_all_at(self.buffer.data(), READ_AT)?;
        Ok(())
    }

    fn send(&mut self, by: By, cdb: &[u8], direction: Direction) -> Outcome {
        let file = if by == Generic {
            &self.sg
        } else {
            &self.direct
        };
        let ended = sg::send(file, cdb, direction, true, &mut self.buffer, TIMEOUT)?;
        if ended.is_good() {
            Ok(())
        } else {
            Err(Trouble::Command(ended))
        }
    }

    fn read(&mut self, by: By) -> Outcome {
        let len = self.buffer.data().len();
        match by {
            Direct => Ok(self.direct.read_exact_at(self.buffer.data_mut(), READ_AT)?),
            Cache => Ok(self.cache.read_exact_at(self.buffer.data_mut(), READ_AT)?),
            Disk | Generic => self.send(by, &command(0x28, READ_AT, len), Direction::In),
        }
    }

    fn write(&mut self, by: By, len: usize) -> Outcome {
        match by {
            Direct => Ok(self.direct.write_all_at(self.buffer.data(), WRITE_AT)?),
            Cache => {
                self.cache.write_all_at(self.buffer.data(), WRITE_AT)?;
                Ok(self.cache.sync_all()?)
            }
            Disk | Generic => self.send(by, &command(0x2a, WRITE_AT, len), Direction::Out),
        }
    }

    /// The next read by the page cache asks the disk.
    fn drop_cache(&self) -> Result<()> {
        Ok(rustix::fs::fadvise(
            &self.cache,
            0,
            None,
            rustix::fs::Advice::DontNeed,
        )?)
    }

    /// What was written is there, as far as it can be read: memory may be short.
    fn is_written(&mut self, len: usize) -> Result<()> {
        self.buffer.place(0, len.next_multiple_of(BLOCK));
        for _ in 0..5 {
            let read = self.direct.read_exact_at(self.buffer.data_mut(), WRITE_AT);
            if read.is_ok() {
                let wrong = pattern::first_wrong(&self.buffer.data()[..len], WRITE_AT, self.salt);
                ensure!(wrong.is_none(), "written was something else: {wrong:?}");
                break;
            }
        }
        Ok(())
    }
}

/// READ(10) or WRITE(10).
fn command(opcode: u8, at: u64, len: usize) -> [u8; 10] {
    let mut cdb = [0; 10];
    cdb[0] = opcode;
    cdb[2..6].copy_from_slice(&((at / BLOCK as u64) as u32).to_be_bytes());
    cdb[7..9].copy_from_slice(&((len / BLOCK) as u16).to_be_bytes());
    cdb
}

/// A job that is to be done with these files.
#[derive(Debug)]
pub struct Io<'a> {
    files: &'a mut Files,
    job: Job,
}

impl<'a> Io<'a> {
    /// That job.
    pub fn new(files: &'a mut Files, job: Job) -> Self {
        Self { files, job }
    }
}

impl Operation for Io<'_> {
    fn name(&self) -> String {
        match self.job {
            Ask(by, cdb, len) => format!("ask {by:?} {:02x} {len}", cdb[0]).to_lowercase(),
            job => format!("{job:?}").to_lowercase(),
        }
    }

    fn prepare(&mut self) -> Result<()> {
        let files = &mut *self.files;
        match self.job {
            Read(by, len, offset) => {
                if by == Cache {
                    files.drop_cache()?;
                }
                files.buffer.place(offset.into(), len);
                files.buffer.data_mut().fill(0);
            }
            Write(_, len, offset) => {
                files.salt += 1;
                files.buffer.place(offset.into(), len);
                pattern::fill(files.buffer.data_mut(), WRITE_AT, files.salt);
            }
            WriteShort(_, len) => {
                files.salt += 1;
                files.buffer.place(0, len);
                pattern::fill(files.buffer.data_mut(), WRITE_AT, files.salt);
            }
            Ask(_, _, len) => files.buffer.place(0, len),
            Partitions => files.drop_cache()?,
            Flush => {
                files.buffer.place(0, BLOCK);
                files.buffer.data_mut().fill(0);
                files.direct.write_all_at(files.buffer.data(), WRITE_AT)?;
            }
            Open(_) | Reset => {}
        }
        Ok(())
    }

    fn act(&mut self) -> Outcome {
        let files = &mut *self.files;
        match self.job {
            Read(by, ..) => files.read(by),
            Write(by, len, _) => files.write(by, len),
            WriteShort(by, _) => files.write(by, BLOCK),
            Ask(by, cdb, 0) => files.send(by, cdb, Direction::None),
            Ask(by, cdb, _) => files.send(by, cdb, Direction::In),
            Flush => Ok(files.direct.sync_all()?),
            Open(Generic) => Ok(File::open(&files.generic).map(drop)?),
            Open(_) => Ok(File::open(&files.disk).map(drop)?),
            // SAFETY: It has no argument.
            Partitions => Ok(unsafe { ioctl(&files.direct, NoArg::<BLKRRPART>::new()) }?),
            Reset => {
                // SAFETY: Its argument is an `int`.
                let reset = unsafe { Setter::<SG_SCSI_RESET, i32>::new(SG_SCSI_RESET_HOST) };
                // SAFETY: As above.
                Ok(unsafe { ioctl(&files.sg, reset) }?)
            }
        }
    }

    fn judge(&mut self, outcome: &Outcome) -> Result<()> {
        let files = &mut *self.files;
        if let Read(..) | Ask(..) = self.job {
            ensure!(
                files.buffer.damage().is_none(),
                "{:?}",
                files.buffer.damage()
            );
        }
        match (self.job, outcome) {
            (Read(..), Ok(())) => {
                let wrong = pattern::first_wrong(files.buffer.data(), READ_AT, READ_SALT);
                ensure!(wrong.is_none(), "read was something else: {wrong:?}");
                Ok(())
            }
            (Write(_, len, _), Ok(())) => files.is_written(len),
            (WriteShort(..), Ok(())) => files.is_written(BLOCK),
            _ => Ok(()),
        }
    }
}
