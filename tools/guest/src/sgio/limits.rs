// SPDX-License-Identifier: GPL-2.0

//! `sgio limits`: single commands up to the host's limit, and beyond it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use guest_tools::buffer::Guarded;
use guest_tools::sg::{self, Direction};
use guest_tools::size;
use rustix::io::Errno;

use crate::{Device, TIMEOUT};

const BLOCK: usize = 512;

/// Write, read and compare by single commands of all sizes
///
/// Up to the host's limit each must do; what is larger must be refused.
#[derive(Debug, Args)]
pub struct Limits {
    /// /dev/sgN or /dev/sdX, which is to be overwritten
    device: PathBuf,
}

/// READ and WRITE, with CDBs of 10 and of 16 bytes.
const PAIRS: [(u8, u8); 2] = [(0x28, 0x2a), (0x88, 0x8a)];

impl Limits {
    /// Tries all sizes; true when all went well.
    pub fn run(&self) -> Result<bool> {
        let device = Device::open(&self.device)?;
        let limit = self.limit()?;
        println!("the host's limit is {}", size::show(limit));
        let within = [512, 4 << 10, 64 << 10, 128 << 10, 512 << 10, 768 << 10];
        let beyond = [limit + BLOCK, 2 * limit, 16 * limit];
        let mut buffer = Guarded::new(16 * limit)?;
        let within = within.into_iter().filter(|len| *len < limit);
        for len in within.chain([limit]) {
            for (read, write) in PAIRS {
                for offset in [0, 512, 7] {
                    compare(&device, &mut buffer, (read, write), offset, len)
                        .with_context(|| format!("{read:#x}, {write:#x}: {len} at {offset}"))?;
                }
            }
            println!("{}: written, read back, the same", size::show(len));
        }
        for len in beyond {
            for opcode in [0x28, 0x2a, 0x88, 0x8a] {
                let how = refused(&device, &mut buffer, opcode, len)
                    .with_context(|| format!("{opcode:#x} with {len} bytes"))?;
                println!("{} by {opcode:#04x}: refused, {how}", size::show(len));
            }
        }
        Ok(true)
    }

    /// The host's limit, in bytes.
    fn limit(&self) -> Result<usize> {
        let name = self.device.file_name().context("a device has a name")?;
        let name = name.to_string_lossy();
        let generic = format!("/sys/class/scsi_generic/{name}/device/block");
        let block = match fs::read_dir(&generic) {
            Ok(mut disks) => disks.next().context("not a disk")??.path(),
            Err(_) => format!("/sys/class/block/{name}").into(),
        };
        let file = block.join("queue/max_hw_sectors_kb");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Ok(text.trim().parse::<usize>()? << 10)
    }
}

fn cdb(opcode: u8, lba: u32, blocks: usize) -> Vec<u8> {
    let lba = lba.to_be_bytes();
    let count = (blocks as u32).to_be_bytes();
    match opcode {
        0x28 | 0x2a => [&[opcode, 0], &lba[..], &[0], &count[2..], &[0]].concat(),
        _ => [&[opcode, 0, 0, 0, 0, 0], &lba[..], &count[..], &[0, 0]].concat(),
    }
}

/// Differs from block to block and from command to command.
fn pattern(data: &mut [u8], salt: usize) {
    for (at, word) in data.chunks_mut(8).enumerate() {
        let value = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ salt as u64);
        word.copy_from_slice(&value.to_le_bytes());
    }
}

fn compare(
    device: &Device,
    buffer: &mut Guarded,
    (read, write): (u8, u8),
    offset: usize,
    len: usize,
) -> Result<()> {
    let lba = 8 * (offset as u32 + 1);
    let send = |opcode, direction, buffer: &mut Guarded| -> Result<()> {
        let cdb = cdb(opcode, lba, len / BLOCK);
        let ended = sg::send(&device.file, &cdb, direction, true, buffer, TIMEOUT)?;
        ensure!(ended.is_good() && ended.resid == 0, "{opcode:#x}: {ended}");
        ensure!(
            buffer.damage().is_none(),
            "{opcode:#x}: {:?}",
            buffer.damage()
        );
        Ok(())
    };
    let salt = len ^ (usize::from(read) << 32) ^ (offset << 40);
    buffer.place(offset, len);
    pattern(buffer.data_mut(), salt);
    let written = buffer.data().to_vec();
    send(write, Direction::Out, buffer)?;
    buffer.place(offset, len);
    send(read, Direction::In, buffer)?;
    ensure!(buffer.data() == written, "other data came back");
    Ok(())
}

/// How a command is refused that is too long.
fn refused(device: &Device, buffer: &mut Guarded, opcode: u8, len: usize) -> Result<String> {
    let direction = match opcode {
        0x28 | 0x88 => Direction::In,
        _ => Direction::Out,
    };
    buffer.place(0, len);
    let cdb = cdb(opcode, 0, len / BLOCK);
    let outcome = sg::send(&device.file, &cdb, direction, true, buffer, TIMEOUT);
    ensure!(buffer.damage().is_none(), "{:?}", buffer.damage());
    match outcome {
        Err(errno @ (Errno::INVAL | Errno::NOMEM | Errno::IO)) => Ok(sg::name(errno)),
        Err(errno) => bail!("the ioctl failed: {errno}"),
        Ok(ended) if ended.sense_triple().is_some_and(|(key, ..)| key == 5) => {
            Ok(ended.to_string())
        }
        Ok(ended) => bail!("not refused: {ended}, resid {}", ended.resid),
    }
}

#[cfg(test)]
mod tests {
    use super::cdb;

    #[test]
    fn cdbs_are_as_long_as_they_say() {
        assert_eq!(cdb(0x28, 0x0102, 2048), [0x28, 0, 0, 0, 1, 2, 0, 8, 0, 0]);
        let long = cdb(0x8a, 0x0102, 2048);
        assert_eq!((long.len(), &long[8..12]), (16, &[1, 2, 0, 0][..]));
        assert_eq!(long[12..], [8, 0, 0, 0]);
    }
}
