// SPDX-License-Identifier: GPL-2.0

//! The data buffer of a command, mapped for DMA.

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    num::NonZero, //
};
use kernel::{
    dma::DmaAddress,
    prelude::*, //
};

use super::{
    Busy,
    Command,
    Operations, //
};

/// A contiguous piece of a data buffer, as the device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Bus address of the first byte.
    pub address: DmaAddress,
    /// Length in bytes.
    pub len: u32,
}

/// A command whose data buffer is mapped for DMA. Dropping it undoes the mapping.
///
/// # Invariants
///
/// `scsi_dma_map` of the command returned `segments`, and `scsi_dma_unmap` has not been called.
#[must_use = "a command must be completed, started or given back"]
pub struct Mapped<'a, T: Operations> {
    cmd: ManuallyDrop<Command<'a, T>>,
    segments: NonZero<u32>,
}

impl<'a, T: Operations> Mapped<'a, T> {
    pub(super) fn new(cmd: Command<'a, T>) -> Result<Self, Busy<'a, T>> {
        // SAFETY: The command is valid and belongs to the caller. The host was added with a DMA
        // device.
        let segments = unsafe { bindings::scsi_dma_map(cmd.as_raw()) };
        match u32::try_from(segments).ok().and_then(NonZero::new) {
            // INVARIANT: `scsi_dma_map` has just mapped that many.
            Some(segments) => Ok(Self {
                cmd: ManuallyDrop::new(cmd),
                segments,
            }),
            None => Err(cmd.busy()),
        }
    }

    /// The segments of the mapping, in order.
    pub fn segments(&self) -> Segments<'_> {
        Segments {
            // SAFETY: The command is valid while the token exists.
            next: unsafe { (*self.cmd.as_raw()).sdb.table.sgl },
            left: self.segments.get(),
            _buffer: PhantomData,
        }
    }

    /// The command itself.
    pub fn command(&self) -> &Command<'a, T> {
        &self.cmd
    }

    /// Undoes the mapping.
    pub fn unmap(self) -> Command<'a, T> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the command is taken once. It is mapped, by the
        // type invariant.
        unsafe {
            let cmd = ManuallyDrop::take(&mut this.cmd);
            bindings::scsi_dma_unmap(cmd.as_raw());
            cmd
        }
    }

    /// As [`Command::start`]; the mapping goes into the table with the command.
    pub fn start(self, data: T::CommandData) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the command is taken once.
        let cmd = unsafe { ManuallyDrop::take(&mut this.cmd) };
        cmd.host()
            .in_flight()
            .insert(cmd, this.segments.get(), data);
    }
}

impl<T: Operations> Drop for Mapped<'_, T> {
    fn drop(&mut self) {
        // SAFETY: The command is mapped, by the type invariant, and is not used after this but by
        // its own destructor.
        unsafe {
            bindings::scsi_dma_unmap(self.cmd.as_raw());
            ManuallyDrop::drop(&mut self.cmd);
        }
    }
}

/// Iterator over the [`Segment`]s of a mapping.
///
/// # Invariants
///
/// `next` is the first of `left` mapped entries of a scatter-gather list that is valid for `'a`.
#[derive(Clone)]
pub struct Segments<'a> {
    next: *mut bindings::scatterlist,
    left: u32,
    _buffer: PhantomData<&'a ()>,
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: By the type invariant `next` is a mapped entry, since `left` was not 0.
        let segment = unsafe {
            Segment {
                address: bindings::sg_dma_address(self.next),
                len: bindings::sg_dma_len(self.next),
            }
        };
        if self.left > 0 {
            // SAFETY: By the type invariant there is another entry.
            self.next = unsafe { bindings::sg_next(self.next) };
        }
        Some(segment)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Segments<'_> {}
