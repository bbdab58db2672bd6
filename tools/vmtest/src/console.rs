// SPDX-License-Identifier: GPL-2.0

//! The guest's serial console: a file that QEMU appends to, and all of the
//! kernel's messages are in it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::detector;

/// The console of one VM.
#[derive(Debug, Clone)]
pub struct Console {
    path: PathBuf,
}

impl Console {
    /// The console that is written to a file (which need not be there yet).
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// All that was printed so far.
    pub fn text(&self) -> String {
        let bytes = fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\r', "")
    }

    /// The last lines, for an error message.
    pub fn tail(&self, lines: usize) -> String {
        tail(&self.text(), lines)
    }

    /// Whether the kernel has panicked since the last time `watch` was asked.
    pub fn panicked(&self, watch: &mut Tail) -> bool {
        let Ok(new) = watch.read() else { return false };
        // A panic's line is seldom complete at first, its beginning is enough.
        new.windows(PANIC.len()).any(|window| window == PANIC) && detector::has_panic(&self.text())
    }

    /// A place in the console from which to watch on.
    pub fn watch(&self) -> Tail {
        Tail::new(&self.path)
    }
}

const PANIC: &[u8] = b"panic";

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Reads a file that grows.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
}

impl Tail {
    /// From the beginning of a file, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            offset: 0,
        }
    }

    /// What came since the last call, one mebibyte at most.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut new = Vec::new();
        file.take(1 << 20).read_to_end(&mut new)?;
        self.offset += new.len() as u64;
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::{Console, Tail, tail};
    use std::fs;
    use std::io::Write;

    #[test]
    fn a_growing_file_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut reader = Tail::new(&path);
        assert_eq!(reader.read().unwrap(), b"");
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(b"one\0").unwrap();
        assert_eq!(reader.read().unwrap(), b"one\0");
        assert_eq!(reader.read().unwrap(), b"");
        file.write_all(b"two").unwrap();
        assert_eq!(reader.read().unwrap(), b"two");
    }

    #[test]
    fn a_panic_is_seen_once_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console.log");
        let console = Console::new(&path);
        let mut watch = console.watch();
        fs::write(&path, "[    0.0] Command line: panic=-1\r\n").unwrap();
        assert!(!console.panicked(&mut watch));
        let log = "[    0.0] Command line: panic=-1\r\n[    9.0] Kernel panic - not syncing: x\r\n";
        fs::write(&path, log).unwrap();
        assert!(console.panicked(&mut watch));
    }

    #[test]
    fn the_last_lines_are_the_last() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}
