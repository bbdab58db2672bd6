// SPDX-License-Identifier: GPL-2.0

//! The guest's memory as QEMU hands it over: pieces of files, by bus address.
//!
//! Every file is mapped into this process once, whole, however many pieces of it
//! the guest maps (with a virtual IOMMU each page is one). A DMA holds the table's
//! read lock while it copies, and mapping and unmapping take the write lock: when
//! [`Maps::unmap`] returns, no DMA into that range is under way, and none can
//! begin.

use super::memory::{Direction, GuestMemory, Why};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use vm_memory::{Bytes, FileOffset, MmapRegion, VolatileMemory, VolatileSlice};

/// What the card may do with a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The card may read it.
    pub read: bool,
    /// The card may write it.
    pub write: bool,
}

impl Access {
    fn allows(self, direction: Direction) -> bool {
        match direction {
            Direction::In => self.write,
            Direction::Out => self.read,
        }
    }
}

/// A piece of guest memory; it begins at its key in the table.
#[derive(Clone)]
struct Piece {
    /// Bus address of its last byte (inclusive: a piece may end at 2^64).
    last: u64,
    access: Access,
    /// The file it is a part of, and where; none if QEMU gave no file.
    backing: Option<(Arc<MmapRegion>, u64)>,
}

#[derive(Default)]
struct Table {
    pieces: BTreeMap<u64, Piece>,
    /// By device and inode.
    files: HashMap<(u64, u64), Arc<MmapRegion>>,
}

/// The guest's memory.
#[derive(Default)]
pub struct Maps(RwLock<Table>);

impl Maps {
    /// Maps `size` bytes of `file` at `offset` to the bus address `address`.
    pub fn map(
        &self,
        address: u64,
        size: u64,
        file: Option<(File, u64)>,
        access: Access,
    ) -> io::Result<()> {
        let last = last_of(address, size)?;
        let mut table = self.write_lock();
        let backing = match file {
            Some((file, offset)) => Some((table.whole_file(file, offset, size)?, offset)),
            None => None,
        };
        table.remove(address, last);
        table.pieces.insert(
            address,
            Piece {
                last,
                access,
                backing,
            },
        );
        Ok(())
    }

    /// Unmaps a range, however many pieces, or parts of pieces, it covers.
    pub fn unmap(&self, address: u64, size: u64) -> io::Result<()> {
        let last = last_of(address, size)?;
        self.write_lock().remove(address, last);
        Ok(())
    }

    /// How much is mapped, in bytes.
    pub fn mapped(&self) -> u64 {
        let table = self.read_lock();
        let sizes = table.pieces.iter().map(|(at, piece)| piece.last - at);
        sizes.fold(0, |sum: u64, rest| {
            sum.saturating_add(rest).saturating_add(1)
        })
    }

    /// Unmaps everything, and lets the files go.
    pub fn clear(&self) {
        *self.write_lock() = Table::default();
    }

    fn read_lock(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address of a range's last byte.
fn last_of(address: u64, size: u64) -> io::Result<u64> {
    size.checked_sub(1)
        .and_then(|rest| address.checked_add(rest))
        .ok_or_else(|| io::Error::other(format!("no such range: {size:#x} at {address:#x}")))
}

impl Table {
    /// The whole of `file`, mapped; at least `offset + size` bytes of it.
    fn whole_file(&mut self, file: File, offset: u64, size: u64) -> io::Result<Arc<MmapRegion>> {
        let about = file.metadata()?;
        let needed = offset.checked_add(size).filter(|end| *end <= about.size());
        let needed = needed.ok_or_else(|| io::Error::other("the file is too short"))?;
        let id = (about.dev(), about.ino());
        if let Some(known) = self
            .files
            .get(&id)
            .filter(|known| known.size() as u64 >= needed)
        {
            return Ok(known.clone());
        }
        let length = usize::try_from(about.size()).map_err(io::Error::other)?;
        let whole = MmapRegion::from_file(FileOffset::new(file, 0), length);
        let whole = Arc::new(whole.map_err(io::Error::other)?);
        self.files.insert(id, whole.clone());
        Ok(whole)
    }

    /// Removes a range; what lies on either side of it stays.
    fn remove(&mut self, first: u64, last: u64) {
        let before = self.pieces.range(..first).next_back();
        let start = before
            .filter(|(_, piece)| piece.last >= first)
            .map_or(first, |(at, _)| *at);
        let hit: Vec<u64> = self.pieces.range(start..=last).map(|(at, _)| *at).collect();
        for at in hit {
            let Some(piece) = self.pieces.remove(&at) else {
                continue;
            };
            if piece.last > last {
                let mut right = piece.clone();
                if let Some((_, offset)) = &mut right.backing {
                    *offset += last + 1 - at;
                }
                self.pieces.insert(last + 1, right);
            }
            if at < first {
                self.pieces.insert(
                    at,
                    Piece {
                        last: first - 1,
                        ..piece
                    },
                );
            }
        }
    }

    /// The memory behind a range, piece by piece; all of it, or the reason why not.
    fn slices(
        &self,
        address: u64,
        length: usize,
        direction: Direction,
    ) -> Result<Vec<VolatileSlice<'_>>, Why> {
        let mut slices = Vec::with_capacity(1);
        let (mut at, mut left) = (address, length);
        while left > 0 {
            let (start, piece) = self.pieces.range(..=at).next_back().ok_or(Why::NotMapped)?;
            if piece.last < at {
                return Err(Why::NotMapped);
            }
            if !piece.access.allows(direction) {
                return Err(Why::Protected);
            }
            let (file, offset) = piece.backing.as_ref().ok_or(Why::NotMapped)?;
            let room = usize::try_from(piece.last - at)
                .unwrap_or(usize::MAX)
                .saturating_add(1);
            let now = room.min(left);
            let offset = usize::try_from(offset + (at - start)).map_err(|_| Why::NotMapped)?;
            slices.push(file.get_slice(offset, now).map_err(|_| Why::NotMapped)?);
            left -= now;
            at = at.wrapping_add(now as u64);
            if left > 0 && at == 0 {
                return Err(Why::NotMapped);
            }
        }
        Ok(slices)
    }
}

impl GuestMemory for Arc<Maps> {
    fn read(&self, address: u64, data: &mut [u8]) -> Result<(), Why> {
        Maps::read(self, address, data)
    }

    fn write(&self, address: u64, data: &[u8]) -> Result<(), Why> {
        Maps::write(self, address, data)
    }
}

impl Maps {
    /// Reads guest memory.
    pub fn read(&self, address: u64, mut data: &mut [u8]) -> Result<(), Why> {
        let table = self.read_lock();
        for slice in table.slices(address, data.len(), Direction::Out)? {
            let (now, rest) = data.split_at_mut(slice.len().min(data.len()));
            slice.copy_to(now);
            data = rest;
        }
        Ok(())
    }

    /// Writes guest memory.
    pub fn write(&self, address: u64, mut data: &[u8]) -> Result<(), Why> {
        let table = self.read_lock();
        for slice in table.slices(address, data.len(), Direction::In)? {
            let (now, rest) = data.split_at(slice.len().min(data.len()));
            // One store where it can be one: the host may be looking.
            let at_once = <[u8; 8]>::try_from(now).ok().map(u64::from_ne_bytes);
            if at_once.is_none_or(|word| slice.store(word, 0, Ordering::Release).is_err()) {
                slice.copy_from(now);
            }
            data = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
