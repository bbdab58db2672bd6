// SPDX-License-Identifier: GPL-2.0

//! A volume: logical blocks in a sparse file, behind a volatile write cache.
//!
//! The file is the medium: what is in it survives [`Volume::power_cut`], what is
//! in the cache does not. It stands for the medium within one run of the twin;
//! nothing here calls fsync, for the host's own power is not the subject.
//!
//! One read-write lock covers size, cache and file. Reads share it. Writes and
//! flushes have it alone, so no read sees a block half written or finds it in
//! neither place, and a power cut falls before or after a write, never into it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tracing::warn;

use super::BLOCK_LEN;
use super::cache::Cache;
use super::sense::Sense;

/// How much the cache holds before it is written back, unless said otherwise.
const CACHE_LIMIT: u64 = 64 << 20;

/// Why a volume could not be had.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// The size is no multiple of the block length.
    #[error("a volume of {0} bytes does not consist of whole {BLOCK_LEN}-byte blocks")]
    NotWholeBlocks(u64),
    /// The size is zero.
    #[error("a volume needs at least one block")]
    Empty,
    /// The file system said no.
    #[error("volume {name}: {source}")]
    Io {
        /// The volume's name: its path, or "temporary".
        name: String,
        /// What it said.
        source: io::Error,
    },
}

/// Why blocks could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    OutOfRange,
    Unreadable(u64),
    Unwritable(u64),
}

impl From<Fault> for Sense {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::OutOfRange => Self::LBA_OUT_OF_RANGE,
            Fault::Unreadable(lba) => Self::unreadable(lba),
            Fault::Unwritable(lba) => Self::unwritable(lba),
        }
    }
}

/// Logical blocks in a sparse file, behind a volatile write cache.
pub struct Volume {
    name: String,
    identity: u64,
    cache_limit: u64,
    state: RwLock<State>,
}

struct State {
    file: File,
    blocks: u64,
    /// Whether writes may stay in the cache (WCE).
    caching: bool,
    cache: Cache,
}

impl Volume {
    /// Opens an existing file or block device; its size is the volume's.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, VolumeError> {
        let name = path.as_ref().display().to_string();
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path.as_ref());
        let sized = opened.and_then(|mut file| {
            let bytes = file.seek(SeekFrom::End(0))?;
            Ok((file, bytes, fs::canonicalize(path.as_ref())?))
        });
        let (file, bytes, path) = sized.map_err(|source| io_error(&name, source))?;
        Self::new(name, hash(path.as_os_str().as_bytes()), file, bytes)
    }

    /// Makes a sparse file of that size, where no file may be yet.
    pub fn create(path: impl AsRef<Path>, bytes: u64) -> Result<Self, VolumeError> {
        whole_blocks(bytes)?;
        let path: PathBuf = path.as_ref().into();
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|file| file.set_len(bytes))
            .map_err(|source| io_error(&path.display().to_string(), source))?;
        Self::open(path)
    }

    /// A volume in a sparse file without a name, gone with the volume.
    pub fn temporary(bytes: u64) -> Result<Self, VolumeError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        whole_blocks(bytes)?;
        let sized = |file: File| file.set_len(bytes).map(|()| file);
        let file = tempfile::tempfile()
            .and_then(sized)
            .or_else(|err| match err.kind() {
                // ext4 ends one page short of 16 TiB; memory does not.
                io::ErrorKind::FileTooLarge => tempfile::tempfile_in("/dev/shm").and_then(sized),
                _ => Err(err),
            })
            .map_err(|source| io_error("temporary", source))?;
        let count = MADE.fetch_add(1, Ordering::Relaxed);
        let identity = hash(format!("{}.{count}", std::process::id()).as_bytes());
        Self::new("temporary".into(), identity, file, bytes)
    }

    /// A volume whose medium takes nothing.
    #[cfg(test)]
    pub(super) fn read_only(path: &Path) -> Self {
        let file = File::open(path).unwrap();
        let bytes = file.metadata().unwrap().len();
        Self::new("read-only".into(), 0, file, bytes).unwrap()
    }

    fn new(name: String, identity: u64, file: File, bytes: u64) -> Result<Self, VolumeError> {
        let blocks = whole_blocks(bytes)?;
        let state = RwLock::new(State {
            file,
            blocks,
            caching: true,
            cache: Cache::default(),
        });
        Ok(Self {
            name,
            identity,
            cache_limit: CACHE_LIMIT,
            state,
        })
    }

    /// Lets the cache hold so many bytes before all of it is written back.
    #[must_use]
    pub fn with_cache_limit(mut self, bytes: u64) -> Self {
        self.cache_limit = bytes;
        self
    }

    /// Gives the volume the number that its serial number and its name (NAA
    /// identifier) are made of. Without, a file's comes from its path, and that of
    /// a temporary volume is another one each time.
    #[must_use]
    pub fn with_identity(mut self, identity: u64) -> Self {
        self.identity = identity;
        self
    }

    /// The number that the serial number and the name are made of.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// How many blocks the volume has.
    pub fn blocks(&self) -> u64 {
        self.shared().blocks
    }

    /// How many bytes a power cut would lose now.
    pub fn dirty_bytes(&self) -> u64 {
        self.shared().cache.dirty_bytes()
    }

    /// Writes every dirty block to the file.
    pub fn flush(&self) -> Result<(), VolumeError> {
        let state = &mut *self.alone();
        state
            .cache
            .write_back(0..state.blocks, |lba, data| {
                state.file.write_all_at(data, lba * BLOCK_LEN as u64)
            })
            .map_err(|source| io_error(&self.name, source))
    }

    /// Whether writes may stay in the cache.
    pub(super) fn caching(&self) -> bool {
        self.shared().caching
    }

    /// Turns the cache on, or flushes it and turns it off.
    pub(super) fn set_caching(&self, caching: bool) -> Result<(), Fault> {
        let mut state = self.alone();
        if !caching {
            let all = 0..state.blocks;
            self.write_back(&mut state, all)?;
        }
        state.caching = caching;
        Ok(())
    }

    /// Fills `data`, whole blocks, from `lba` on. With `force`, from the medium:
    /// what the cache has of these blocks goes there first.
    pub(super) fn read(&self, lba: u64, data: &mut [u8], force: bool) -> Result<(), Fault> {
        if force {
            let mut state = self.alone();
            let range = state.range(lba, data.len())?;
            self.write_back(&mut state, range)?;
            return self.read_medium(&state, lba, data);
        }
        let state = self.shared();
        state.range(lba, data.len())?;
        self.read_medium(&state, lba, data)?;
        state.cache.overlay(lba, data);
        Ok(())
    }

    /// Writes whole blocks; with `force`, or without cache, to the medium.
    pub(super) fn write(&self, lba: u64, data: &[u8], force: bool) -> Result<(), Fault> {
        let state = &mut *self.alone();
        let range = state.range(lba, data.len())?;
        if force || !state.caching {
            self.write_medium(&state.file, lba, data)?;
            state.cache.forget(range);
            return Ok(());
        }
        state.cache.write(lba, data);
        if state.cache.dirty_bytes() > self.cache_limit {
            let all = 0..state.blocks;
            self.write_back(state, all)?;
        }
        Ok(())
    }

    /// Writes the dirty blocks among `blocks` from `lba` on to the medium; zero
    /// blocks means all to the end.
    pub(super) fn synchronize(&self, lba: u64, blocks: u32) -> Result<(), Fault> {
        let mut state = self.alone();
        let mut range = state.blocks_from(lba, u64::from(blocks))?;
        if blocks == 0 {
            range.end = state.blocks;
        }
        self.write_back(&mut state, range)
    }

    /// Power fails: what was not flushed is lost. The cache is on or off afterwards.
    pub(super) fn power_cut(&self, caching: bool) {
        let mut state = self.alone();
        state.cache.clear();
        state.caching = caching;
    }

    /// Gives the volume another size; blocks beyond it are lost.
    pub(super) fn resize(&self, bytes: u64) -> Result<(), VolumeError> {
        let blocks = whole_blocks(bytes)?;
        let mut state = self.alone();
        state
            .file
            .set_len(bytes)
            .map_err(|source| io_error(&self.name, source))?;
        let gone = blocks..state.blocks;
        state.cache.forget(gone);
        state.blocks = blocks;
        Ok(())
    }

    fn write_back(&self, state: &mut State, range: Range<u64>) -> Result<(), Fault> {
        let State { file, cache, .. } = state;
        cache.write_back(range, |lba, data| self.write_medium(file, lba, data))
    }

    fn write_medium(&self, file: &File, lba: u64, data: &[u8]) -> Result<(), Fault> {
        file.write_all_at(data, lba * BLOCK_LEN as u64)
            .map_err(|err| {
                warn!(volume = self.name, lba, %err, "cannot write");
                Fault::Unwritable(lba)
            })
    }

    fn read_medium(&self, state: &State, lba: u64, data: &mut [u8]) -> Result<(), Fault> {
        let read = |lba, data: &mut [u8]| state.file.read_exact_at(data, lba * BLOCK_LEN as u64);
        read(lba, data).map_err(|err| {
            // Which block is it? The host wants to know.
            let mut blocks = (lba..).zip(data.chunks_exact_mut(BLOCK_LEN));
            let bad = blocks.find_map(|(lba, block)| read(lba, block).err().map(|_| lba));
            let lba = bad.unwrap_or(lba);
            warn!(volume = self.name, lba, %err, "cannot read");
            Fault::Unreadable(lba)
        })
    }

    // No code panics while it holds the lock; if some did, the blocks would still
    // be whole, so a poisoned lock is no reason to stop.
    fn shared(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if let Err(err) = self.flush() {
            warn!(%err, "written blocks are lost");
        }
    }
}

impl State {
    /// The blocks that `bytes` bytes from `lba` on are, if the volume has them.
    fn range(&self, lba: u64, bytes: usize) -> Result<Range<u64>, Fault> {
        self.blocks_from(lba, (bytes / BLOCK_LEN) as u64)
    }

    fn blocks_from(&self, lba: u64, blocks: u64) -> Result<Range<u64>, Fault> {
        let end = lba.checked_add(blocks).filter(|end| *end <= self.blocks);
        end.map(|end| lba..end).ok_or(Fault::OutOfRange)
    }
}

fn io_error(name: &str, source: io::Error) -> VolumeError {
    VolumeError::Io {
        name: name.into(),
        source,
    }
}

fn whole_blocks(bytes: u64) -> Result<u64, VolumeError> {
    match bytes {
        0 => Err(VolumeError::Empty),
        _ if bytes % BLOCK_LEN as u64 != 0 => Err(VolumeError::NotWholeBlocks(bytes)),
        _ => Ok(bytes / BLOCK_LEN as u64),
    }
}

/// FNV-1a: the same name gives the same identity in every run.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
