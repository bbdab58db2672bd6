// SPDX-License-Identifier: GPL-2.0

//! Host memory for a card on a bench: a few pieces of plain bytes, and a record of
//! what the card wrote, and how far it reached.

use super::memory::{GuestMemory, Why};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A mapped piece of host memory.
struct Piece {
    address: u64,
    bytes: Vec<u8>,
    writable: bool,
}

/// Something that the card wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub address: u64,
    /// What.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct Inner {
    pieces: Vec<Piece>,
    written: Vec<Written>,
    /// The end of the highest piece that the card read or wrote.
    reached: u64,
}

impl Inner {
    /// A range that lies within one piece, and whether the card may write it.
    fn find(&mut self, address: u64, length: usize) -> Result<(&mut [u8], bool), Why> {
        self.pieces
            .iter_mut()
            .find_map(|piece| {
                let skip = usize::try_from(address.checked_sub(piece.address)?).ok()?;
                let bytes = piece.bytes.get_mut(skip..skip.checked_add(length)?)?;
                Some((bytes, piece.writable))
            })
            .ok_or(Why::NotMapped)
    }
}

/// Host memory, mapped piece by piece. Clones are handles on the same memory.
#[derive(Clone, Default)]
pub struct FakeMemory(Arc<Mutex<Inner>>);

impl FakeMemory {
    /// Maps a piece, filled with 0xa5.
    pub fn map(&self, address: u64, length: usize, writable: bool) {
        self.lock().pieces.push(Piece {
            address,
            bytes: vec![0xa5; length],
            writable,
        });
    }

    /// Reads as the host does, if all of it is mapped.
    pub fn peek<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut inner = self.lock();
        let (bytes, _) = inner.find(address, N).ok()?;
        <[u8; N]>::try_from(&*bytes).ok()
    }

    /// Writes as the host does, whatever the card may do, if all of it is mapped.
    pub fn poke(&self, address: u64, data: &[u8]) -> Result<(), Why> {
        let mut inner = self.lock();
        inner.find(address, data.len())?.0.copy_from_slice(data);
        Ok(())
    }

    /// What the card wrote since this was last asked.
    pub fn take_written(&self) -> Vec<Written> {
        std::mem::take(&mut self.lock().written)
    }

    /// The first address above all that the card ever reached.
    pub fn reached(&self) -> u64 {
        self.lock().reached
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl FakeMemory {
    /// Reads what is known to be mapped.
    pub(crate) fn get(&self, address: u64, length: usize) -> Vec<u8> {
        self.lock().find(address, length).unwrap().0.to_vec()
    }

    /// Writes what is known to be mapped.
    pub(crate) fn put(&self, address: u64, data: &[u8]) {
        self.poke(address, data).unwrap();
    }
}

impl GuestMemory for FakeMemory {
    fn read(&self, address: u64, data: &mut [u8]) -> Result<(), Why> {
        let mut inner = self.lock();
        data.copy_from_slice(inner.find(address, data.len())?.0);
        inner.reached = inner.reached.max(address + data.len() as u64);
        Ok(())
    }

    fn write(&self, address: u64, data: &[u8]) -> Result<(), Why> {
        let mut inner = self.lock();
        let (bytes, writable) = inner.find(address, data.len())?;
        if !writable {
            return Err(Why::Protected);
        }
        bytes.copy_from_slice(data);
        inner.reached = inner.reached.max(address + data.len() as u64);
        inner.written.push(Written {
            address,
            bytes: data.to_vec(),
        });
        Ok(())
    }
}
