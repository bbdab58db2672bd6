// SPDX-License-Identifier: GPL-2.0

//! Bounce buffers: where the data of a command goes whose CDB and buffer do not agree (see
//! `transfer.rs`).
//!
//! A few of them serve the whole host, since only programs that send commands of their own need
//! one; when all are in use, a command waits in the midlayer. Which are free is one atomic word, so
//! a buffer can be given back in an interrupt.

use crate::{
    scsi::Cursor,
    transfer::BOUNCE_MAX, //
};
use kernel::{
    device::{
        Bound,
        Device, //
    },
    dma::{
        Coherent,
        DmaAddress, //
    },
    io::{
        io_project,
        Io, //
    },
    prelude::*,
    sync::atomic::{
        ordering,
        Atomic, //
    },
};

/// Number of buffers.
const BUFFERS: usize = 8;

/// Bytes that are copied at a time.
const CHUNK: usize = 256;

/// The right to use one buffer; to be given back.
#[must_use = "a bounce buffer must be given back"]
pub(crate) struct Lease(u8);

/// All bounce buffers of a card.
pub(crate) struct Pool {
    buffers: KVec<Coherent<[u8]>>,
    /// A set bit stands for a free buffer.
    free: Atomic<u32>,
}

impl Pool {
    /// Allocates the buffers.
    pub(crate) fn new(dev: &Device<Bound>) -> Result<Self> {
        let mut buffers = KVec::with_capacity(BUFFERS, GFP_KERNEL)?;
        for _ in 0..BUFFERS {
            let buffer = Coherent::zeroed_slice(dev, BOUNCE_MAX as usize, GFP_KERNEL)?;
            buffers.push(buffer, GFP_KERNEL)?;
        }
        Ok(Self {
            buffers,
            free: Atomic::new((1 << BUFFERS) - 1),
        })
    }

    /// Takes a buffer, if one is free. Its contents are whatever an earlier command left.
    pub(crate) fn lease(&self) -> Option<Lease> {
        let mut free = self.free.load(ordering::Relaxed);
        while free != 0 {
            let index = free.trailing_zeros();
            let rest = free & !(1 << index);
            match self.free.cmpxchg(free, rest, ordering::Acquire) {
                // CAST: Less than 32.
                Ok(_) => return Some(Lease(index as u8)),
                Err(now) => free = now,
            }
        }
        None
    }

    /// Makes a buffer free again. The card must not use it any more.
    pub(crate) fn give_back(&self, lease: Lease) {
        self.free.fetch_add(1 << lease.0, ordering::Release);
    }

    /// The leased buffer. There always is one.
    pub(crate) fn buffer(&self, lease: &Lease) -> Result<&Coherent<[u8]>> {
        self.buffers.get(usize::from(lease.0)).ok_or(EINVAL)
    }

    /// Bus address of a buffer.
    pub(crate) fn address(&self, lease: &Lease) -> Result<DmaAddress> {
        Ok(self.buffer(lease)?.dma_address())
    }

    /// Fills the first `len` bytes with the caller's data and then with zeros, so that no data of
    /// an earlier command can be read when the card transfers less.
    pub(crate) fn fill(&self, lease: &Lease, len: u32, mut data: Option<Cursor<'_>>) -> Result {
        let (buffer, len) = (self.buffer(lease)?, len as usize);
        for at in (0..len).step_by(CHUNK) {
            let mut chunk = [0; CHUNK];
            let end = len.min(at + CHUNK);
            let chunk = chunk.get_mut(..end - at).ok_or(EINVAL)?;
            if let Some(data) = &mut data {
                data.read(chunk);
            }
            io_project!(buffer, [try: at..end]).copy_from_slice(chunk);
        }
        Ok(())
    }

    /// The four bytes at a place.
    pub(crate) fn word(&self, lease: &Lease, at: usize) -> Result<[u8; 4]> {
        let mut word = [0; 4];
        let end = at.checked_add(word.len()).ok_or(EINVAL)?;
        io_project!(self.buffer(lease)?, [try: at..end]).copy_to_slice(&mut word);
        Ok(word)
    }

    /// Copies the first `len` bytes into the caller's buffer, as far as that goes.
    pub(crate) fn drain(&self, lease: &Lease, len: u32, mut data: Cursor<'_>) -> Result {
        let (buffer, len) = (self.buffer(lease)?, data.left().min(len as usize));
        for at in (0..len).step_by(CHUNK) {
            let mut chunk = [0; CHUNK];
            let end = len.min(at + CHUNK);
            let chunk = chunk.get_mut(..end - at).ok_or(EINVAL)?;
            io_project!(buffer, [try: at..end]).copy_to_slice(chunk);
            data.write(chunk);
        }
        Ok(())
    }
}
