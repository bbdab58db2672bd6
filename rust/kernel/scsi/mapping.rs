// SPDX-License-Identifier: GPL-2.0

//! The data buffer of a command, mapped for DMA.

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    dma::DmaAddress,
    error::to_result,
    prelude::*,
    sync::atomic::ordering::Relaxed, //
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

/// Why a data buffer was not mapped.
pub enum MapError<'a, T: Operations> {
    /// There is no room for the mapping now: to be returned from `queue_command`.
    TryAgain(Busy<'a, T>),
    /// The device cannot reach the buffer, and never will.
    Impossible(Command<'a, T>),
}

/// A command whose data buffer, if it has one, is mapped for DMA. Dropping it undoes the mapping.
///
/// # Invariants
///
/// The first `segments` entries of the command's scatter-gather list are mapped: all that there is
/// to it. None means that nothing is mapped.
#[must_use = "a command must be completed, started or returned as busy"]
pub struct Mapped<'a, T: Operations> {
    cmd: ManuallyDrop<Command<'a, T>>,
    segments: u32,
}

impl<'a, T: Operations> From<Command<'a, T>> for Mapped<'a, T> {
    /// Nothing is mapped: there is no data, or the device does not use the buffer.
    fn from(cmd: Command<'a, T>) -> Self {
        // INVARIANT: Nothing is mapped.
        Self {
            cmd: ManuallyDrop::new(cmd),
            segments: 0,
        }
    }
}

impl<'a, T: Operations> Mapped<'a, T> {
    pub(super) fn new(cmd: Command<'a, T>) -> Result<Self, MapError<'a, T>> {
        match Self::map(&cmd) {
            // INVARIANT: `map` has just mapped that many.
            Ok(segments) => {
                // SAFETY: The command is valid, and belongs to the token.
                unsafe { Command::<T>::mapped(cmd.as_non_null()) }.store(segments, Relaxed);
                Ok(Self {
                    cmd: ManuallyDrop::new(cmd),
                    segments,
                })
            }
            Err(error) if may_pass(error, bounces(&cmd)) => Err(MapError::TryAgain(cmd.busy())),
            Err(_) => Err(MapError::Impossible(cmd)),
        }
    }

    /// As `scsi_dma_map()`, which `scsi_dma_unmap()` undoes, but for the error: it has one only.
    fn map(cmd: &Command<'_, T>) -> Result<u32> {
        let raw = cmd.as_raw();
        // SAFETY: The command is valid and belongs to the caller. The table is copied: the number
        // of entries, by which the midlayer frees and maps again, stays what it was. The host was
        // added with a DMA device.
        unsafe {
            let mut table = (*raw).sdb.table;
            if table.nents == 0 {
                return Ok(0);
            }
            table.orig_nents = table.nents;
            let dev = (*(*(*raw).device).host).dma_dev;
            if (*dev).dma_mask.is_null() {
                // The device does no DMA at all.
                return Err(EINVAL);
            }
            let direction = (*raw).sc_data_direction;
            to_result(bindings::dma_map_sgtable(dev, &mut table, direction, 0))?;
            Ok(table.nents)
        }
    }

    /// Undoes the mapping of a command, if it has one.
    ///
    /// This is generic so that it is compiled into the driver: the midlayer may be a module, and
    /// then the kernel's own code cannot call it.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T` that belongs to the caller.
    pub(super) unsafe fn undo(cmd: NonNull<bindings::scsi_cmnd>) {
        // SAFETY: By the safety requirement. What says that something is mapped is `Mapped::new`.
        unsafe {
            let mapped = Command::<T>::mapped(cmd);
            if mapped.load(Relaxed) > 0 {
                mapped.store(0, Relaxed);
                bindings::scsi_dma_unmap(cmd.as_ptr());
            }
        }
    }

    /// The segments of the mapping, in order.
    pub fn segments(&self) -> Segments<'_> {
        Segments {
            // SAFETY: The command is valid while the token exists.
            next: unsafe { (*self.cmd.as_raw()).sdb.table.sgl },
            left: self.segments,
            _buffer: PhantomData,
        }
    }

    /// The command itself.
    pub fn command(&self) -> &Command<'a, T> {
        &self.cmd
    }

    /// Undoes the mapping.
    pub fn unmap(self) -> Command<'a, T> {
        let cmd = self.into_command();
        // SAFETY: The command is valid, and belongs to the token.
        unsafe { Self::undo(cmd.as_non_null()) };
        cmd
    }

    /// As [`Command::start`]; the mapping goes with the command.
    pub fn start(self, data: T::CommandData) {
        self.into_command().insert(data);
    }

    fn into_command(self) -> Command<'a, T> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the command is taken once.
        unsafe { ManuallyDrop::take(&mut this.cmd) }
    }
}

/// Whether a mapping that fails like this may succeed later; `dma_map_sgtable()` says what its
/// errors mean. EIO may be either: dma-direct returns it when the bounce buffers of swiotlb are all
/// in use, and when the device cannot reach the memory.
pub(super) fn may_pass(error: Error, bounces: bool) -> bool {
    error == ENOMEM || error == EIO && bounces
}

/// Whether data of the command's device may go through bounce buffers.
fn bounces<T: Operations>(cmd: &Command<'_, T>) -> bool {
    // SAFETY: The command is valid, and its host was added with a DMA device.
    unsafe {
        bindings::dma_max_mapping_size((*(*(*cmd.as_raw()).device).host).dma_dev) < usize::MAX
    }
}

impl<T: Operations> Drop for Mapped<'_, T> {
    fn drop(&mut self) {
        // SAFETY: The command is valid, and belongs to the token; it is not used after this but by
        // its own destructor.
        unsafe {
            Self::undo(self.cmd.as_non_null());
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
