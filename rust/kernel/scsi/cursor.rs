// SPDX-License-Identifier: GPL-2.0

//! The data buffer of a command, as the processor sees it.

use crate::bindings;
use core::marker::PhantomData;
use kernel::types::NotThreadSafe;

use super::{
    Command,
    Direction,
    Operations, //
};

/// A place in the data buffer of a command, from which it is read or written onwards.
///
/// All that is done here moves the place on, and costs as much as the bytes that are passed: to go
/// through a buffer in pieces costs as much as to do it at once. It ends at the buffer's end; what
/// is returned is how many bytes that were. Can be used in any context.
///
/// A buffer that is mapped for DMA belongs to the device.
pub struct Cursor<'c> {
    /// Stopped, between the calls: so it has no page mapped, and can be moved.
    miter: bindings::sg_mapping_iter,
    /// Bytes up to the end of the buffer.
    left: usize,
    writable: bool,
    _command: PhantomData<&'c ()>,
    _not_send: NotThreadSafe,
}

impl<T: Operations> Command<'_, T> {
    /// The beginning of the data buffer.
    pub fn data(&self) -> Cursor<'_> {
        // From the device into the buffer: a driver may write there in the device's place. A buffer
        // of data for the device can be anything, for example the one page of zeros.
        let writable = matches!(self.direction(), Direction::In);
        let way = if writable {
            bindings::SG_MITER_TO_SG
        } else {
            bindings::SG_MITER_FROM_SG
        };
        let flags = bindings::SG_MITER_ATOMIC | way;
        let mut miter = bindings::sg_mapping_iter::default();
        // SAFETY: By the type invariant the command is valid, and so is the scatter-gather list of
        // its buffer, which stays as it is while the cursor borrows the token.
        unsafe {
            let table = &(*self.as_raw()).sdb.table;
            bindings::sg_miter_start(&mut miter, table.sgl, table.nents, flags);
        }
        Cursor {
            miter,
            left: self.data_len() as usize,
            writable,
            _command: PhantomData,
            _not_send: NotThreadSafe,
        }
    }

    /// Copies `from` into the data buffer, `at` bytes from its beginning; returns how many bytes
    /// had room. As [`Cursor::write`], for a single place.
    pub fn copy_to_data(&self, at: usize, from: &[u8]) -> usize {
        let mut data = self.data();
        data.skip(at);
        data.write(from)
    }

    /// Copies from the data buffer, `at` bytes from its beginning; returns how many bytes there
    /// were. As [`Cursor::read`], for a single place.
    pub fn copy_from_data(&self, at: usize, to: &mut [u8]) -> usize {
        let mut data = self.data();
        data.skip(at);
        data.read(to)
    }
}

impl Cursor<'_> {
    /// Bytes up to the end of the buffer.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Passes over `len` bytes.
    pub fn skip(&mut self, len: usize) -> usize {
        let len = len.min(self.left);
        // SAFETY: The iterator was started. It is within a list that holds `left` bytes more.
        //
        // CAST: Buffers are shorter than 4 GiB; `off_t` may have 32 bits, and then so do pointers.
        unsafe { bindings::sg_miter_skip(&mut self.miter, len as bindings::off_t) };
        self.left -= len;
        len
    }

    /// Copies from the buffer into `to`.
    pub fn read(&mut self, to: &mut [u8]) -> usize {
        self.each_piece(to.len(), |at, piece, len| {
            let Some(to) = to.get_mut(at..at + len) else {
                return;
            };
            // SAFETY: There are `len` bytes at `piece`, and `to` is as long. User space may write
            // to its pages meanwhile, as a device would: then any of the bytes are copied.
            unsafe { core::ptr::copy_nonoverlapping(piece, to.as_mut_ptr(), len) };
        })
    }

    /// Copies `from` into the buffer. Nothing, if it holds data for the device: then it must not
    /// change.
    pub fn write(&mut self, from: &[u8]) -> usize {
        if !self.writable {
            return 0;
        }
        self.each_piece(from.len(), |at, piece, len| {
            let Some(from) = from.get(at..at + len) else {
                return;
            };
            // SAFETY: There are `len` bytes at `piece` that may be written, since `writable`, and
            // `from` is as long. As for `read`.
            unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), piece, len) };
        })
    }

    /// Writes `len` zeros into the buffer; as [`Cursor::write`].
    pub fn fill(&mut self, len: usize) -> usize {
        if !self.writable {
            return 0;
        }
        self.each_piece(len, |_, piece, len| {
            // SAFETY: There are `len` bytes at `piece` that may be written, since `writable`.
            unsafe { core::ptr::write_bytes(piece, 0, len) };
        })
    }

    /// Calls `each` for the next `len` bytes, with how many came before, and a piece of the buffer
    /// and its length.
    fn each_piece(&mut self, len: usize, mut each: impl FnMut(usize, *mut u8, usize)) -> usize {
        let len = len.min(self.left);
        let mut done = 0;
        // SAFETY: The iterator was started. It is stopped below, in the same context.
        while done < len && unsafe { bindings::sg_miter_next(&mut self.miter) } {
            let piece = self.miter.length.min(len - done);
            each(done, self.miter.addr.cast(), piece);
            // The next call goes on behind what was consumed.
            self.miter.consumed = piece;
            done += piece;
        }
        // SAFETY: The iterator was started.
        unsafe { bindings::sg_miter_stop(&mut self.miter) };
        self.left -= done;
        done
    }
}
