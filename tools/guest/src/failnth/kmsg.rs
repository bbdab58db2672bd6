// SPDX-License-Identifier: GPL-2.0

//! What the kernel says of the allocation that it has just had fail: the functions that led to it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use rustix::fs::OFlags;

/// Longer than any record.
const RECORD: usize = 8 << 10;

/// The functions that led to a failure; none if the kernel was told to keep silent (__GFP_NOWARN).
pub type CallChain = Vec<String>;

/// The kernel's log, from now on.
#[derive(Debug)]
pub struct Log(File);

impl Log {
    /// Opens it.
    pub fn open() -> Result<Self> {
        let path = "/dev/kmsg";
        let mut options = OpenOptions::new();
        options.read(true);
        options.custom_flags(OFlags::NONBLOCK.bits() as i32);
        let mut file = options.open(path).context(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(file))
    }

    /// The stack traces since the last time.
    pub fn call_chain(&mut self) -> Result<CallChain> {
        let mut chain = Vec::new();
        let mut record = [0; RECORD];
        loop {
            match self.0.read(&mut record) {
                Ok(len) => chain.extend(frame(&String::from_utf8_lossy(&record[..len]))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(chain),
                // Records were overwritten before they were read.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A record that is a line of a stack trace, and says for sure who called.
fn frame(record: &str) -> Option<String> {
    let (_, message) = record.split_once(';')?;
    let line = message.lines().next()?.trim();
    let (name, place) = line.split_once("+0x")?;
    (!name.contains(' ') && place.contains("/0x")).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::frame;

    #[test]
    fn frames_are_told_from_the_rest() {
        let line = "4,1234,5678,-; scsi_host_alloc+0x4e/0x1200 [scsi_mod]\n SUBSYSTEM=x\n";
        assert_eq!(
            frame(line).as_deref(),
            Some("scsi_host_alloc+0x4e/0x1200 [scsi_mod]")
        );
        for other in [
            "4,1,2,-; ? vfs_write+0x1/0x2\n",
            "4,1,2,-;RIP: 0010:vfs_write+0x1/0x2\n",
            "5,1,2,-;FAULT_INJECTION: forcing a failure.\\x0aname failslab\n",
            "4,1,2,-; <TASK>\n",
        ] {
            assert_eq!(frame(other), None, "{other}");
        }
    }
}
