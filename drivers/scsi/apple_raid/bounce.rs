// SPDX-License-Identifier: GPL-2.0

//! Bounce buffers: where data goes that must not go straight into the caller's buffer (see
//! `transfer.rs`).
//!
//! A few of them serve the whole host, since only INQUIRY and its like need one; when all are in
//! use, a command waits in the midlayer. Which are free is one atomic word, so a buffer can be
//! given back in an interrupt.

use crate::{
    model::CardModel,
    scsi,
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
pub(crate) struct Lease {
    index: usize,
    len: usize,
}

impl Lease {
    /// Bytes of the transfer.
    pub(crate) fn len(&self) -> u32 {
        // CAST: At most `BOUNCE_MAX`.
        self.len as u32
    }
}

/// All bounce buffers of a card.
pub(crate) struct Pool {
    buffers: KVec<Coherent<[u8]>>,
    /// A set bit stands for a free buffer.
    free: Atomic<u32>,
}

impl Pool {
    /// Allocates the buffers, each with `margin` bytes behind for what the card writes past the
    /// end.
    pub(crate) fn new(dev: &Device<Bound>, margin: u32) -> Result<Self> {
        let mut buffers = KVec::with_capacity(BUFFERS, GFP_KERNEL)?;
        for _ in 0..BUFFERS {
            let len = (BOUNCE_MAX + margin) as usize;
            buffers.push(Coherent::zeroed_slice(dev, len, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self {
            buffers,
            free: Atomic::new((1 << BUFFERS) - 1),
        })
    }

    /// Buffers for a card that was found to be `model`: these, if they have room enough.
    pub(crate) fn for_card(self, dev: &Device<Bound>, model: &CardModel) -> Result<Self> {
        let margin = model.bounce_margin();
        if margin <= CardModel::LEAST_MARGIN {
            return Ok(self);
        }
        let pool = Self::new(dev, margin)?;
        if !model.address_bits.is_seen() && !pool.is_low() {
            dev_err!(
                dev,
                "no memory below 4 GiB, and not seen whether the card reaches what is above\n"
            );
            return Err(ENOMEM);
        }
        Ok(pool)
    }

    /// Whether all buffers lie below 4 GiB.
    fn is_low(&self) -> bool {
        let end = |buffer: &Coherent<[u8]>| buffer.dma_address() + buffer.size() as DmaAddress;
        self.buffers.iter().all(|buffer| end(buffer) <= 1 << 32)
    }

    /// Takes a buffer for a transfer of `len` bytes, if one is free. Its contents are whatever an
    /// earlier command left.
    pub(crate) fn lease(&self, len: u32) -> Option<Lease> {
        if len > BOUNCE_MAX {
            return None;
        }
        let mut free = self.free.load(ordering::Relaxed);
        loop {
            if free == 0 {
                return None;
            }
            let index = free.trailing_zeros();
            match self
                .free
                .cmpxchg(free, free & !(1 << index), ordering::Acquire)
            {
                Ok(_) => {
                    return Some(Lease {
                        index: index as usize,
                        len: len as usize,
                    })
                }
                Err(now) => free = now,
            }
        }
    }

    /// Makes a buffer free again. The card must not use it any more.
    pub(crate) fn give_back(&self, lease: Lease) {
        self.free.fetch_add(1 << lease.index, ordering::Release);
    }

    /// Bus address of the buffer.
    pub(crate) fn address(&self, lease: &Lease) -> Result<DmaAddress> {
        Ok(self.buffers.get(lease.index).ok_or(EINVAL)?.dma_address())
    }

    /// Fills the buffer with zeros as far as the transfer goes, so that no data of an earlier
    /// command can be read when the card transfers less.
    pub(crate) fn clear(&self, lease: &Lease) -> Result {
        self.chunks(lease, |buffer, _, chunk| {
            buffer.copy_from_slice(chunk);
            true
        })
    }

    /// Copies the caller's data into the buffer.
    pub(crate) fn fill<T: scsi::Operations>(
        &self,
        lease: &Lease,
        cmd: &scsi::Command<'_, T>,
    ) -> Result {
        self.chunks(lease, |buffer, at, chunk| {
            cmd.copy_from_data(at, chunk);
            buffer.copy_from_slice(chunk);
            true
        })
    }

    /// Copies the buffer into the caller's, as far as that goes.
    pub(crate) fn drain<T: scsi::Operations>(
        &self,
        lease: &Lease,
        cmd: &scsi::Command<'_, T>,
    ) -> Result {
        self.chunks(lease, |buffer, at, chunk| {
            buffer.copy_to_slice(chunk);
            cmd.copy_to_data(at, chunk) == chunk.len()
        })
    }

    /// The big-endian word at an offset of what was transferred.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the transfer is too short to have one there.
    pub(crate) fn word_at(&self, lease: &Lease, at: usize) -> Result<u32> {
        if at + 4 > lease.len {
            return Err(EINVAL);
        }
        let buffer = self.buffers.get(lease.index).ok_or(EINVAL)?;
        let mut bytes = [0; 4];
        io_project!(buffer, [try: at..at + 4]).copy_to_slice(&mut bytes);
        Ok(u32::from_be_bytes(bytes))
    }

    /// Walks over the transfer in pieces, with the offset of each and a scratch buffer of zeros
    /// of the same length, until `each` says false.
    fn chunks(
        &self,
        lease: &Lease,
        mut each: impl FnMut(kernel::dma::CoherentView<'_, [u8]>, usize, &mut [u8]) -> bool,
    ) -> Result {
        let buffer = self.buffers.get(lease.index).ok_or(EINVAL)?;
        for at in (0..lease.len).step_by(CHUNK) {
            let len = CHUNK.min(lease.len - at);
            let mut scratch = [0; CHUNK];
            let scratch = scratch.get_mut(..len).ok_or(EINVAL)?;
            if !each(io_project!(buffer, [try: at..at + len]), at, scratch) {
                break;
            }
        }
        Ok(())
    }
}
