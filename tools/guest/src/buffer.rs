// SPDX-License-Identifier: GPL-2.0

//! A buffer at a chosen place within a page, with guards around it.
//!
//! Buffer and guards are one mapping: from a page before the page that the buffer
//! begins in to a page behind the one that it ends in. All of it but the buffer is
//! filled with one byte; whoever writes past either end changes it.

use std::ptr;
use std::slice;

use rustix::io::Result;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Length of a page.
pub const PAGE: usize = 4096;
/// What the guards are filled with.
pub const GUARD: u8 = 0xa5;

/// Memory for a buffer and its guards.
#[derive(Debug)]
pub struct Guarded {
    base: ptr::NonNull<u8>,
    mapped: usize,
    /// The buffer within the mapping.
    begin: usize,
    len: usize,
}

impl Guarded {
    /// Memory for buffers of up to `most` bytes, anywhere in a page.
    pub fn new(most: usize) -> Result<Self> {
        let mapped = most.next_multiple_of(PAGE) + 3 * PAGE;
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: The kernel chooses where a new mapping goes, so no memory in use
        // is replaced.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), mapped, prot, flags) }?;
        let base = ptr::NonNull::new(base.cast()).ok_or(rustix::io::Errno::NOMEM)?;
        Ok(Self {
            base,
            mapped,
            begin: PAGE,
            len: 0,
        })
    }

    /// Puts the buffer at `offset` within its first page, and repairs the guards.
    ///
    /// # Panics
    ///
    /// When there is no room for it.
    pub fn place(&mut self, offset: usize, len: usize) {
        let end = (PAGE + offset + len).next_multiple_of(PAGE) + PAGE;
        assert!(offset < PAGE && end <= self.mapped, "{offset} + {len}");
        (self.begin, self.len) = (PAGE + offset, len);
        self.mapping_mut().fill(GUARD);
    }

    /// The buffer.
    pub fn data(&self) -> &[u8] {
        &self.mapping()[self.begin..self.begin + self.len]
    }

    /// The buffer, to be filled.
    pub fn data_mut(&mut self) -> &mut [u8] {
        let (begin, end) = (self.begin, self.begin + self.len);
        &mut self.mapping_mut()[begin..end]
    }

    /// The buffer as the kernel wants it.
    pub fn pointer(&mut self) -> *mut u8 {
        self.data_mut().as_mut_ptr()
    }

    /// Whether a guard was written to, and where: the first changed byte behind the
    /// buffer, or the last one before it.
    pub fn damage(&self) -> Option<String> {
        let (before, rest) = self.mapping().split_at(self.begin);
        let behind = &rest[self.len..];
        let changed = |byte: &u8| *byte != GUARD;
        if let Some(at) = behind.iter().position(changed) {
            let count = behind.iter().filter(|byte| changed(byte)).count();
            return Some(format!("{count} bytes changed, {at} behind the end"));
        }
        let at = before.iter().rposition(changed)?;
        Some(format!("changed {} before the begin", self.begin - at))
    }

    fn mapping(&self) -> &[u8] {
        // SAFETY: The mapping is ours, `mapped` bytes long and readable; it is
        // written to through `&mut self` only, or by the kernel during a call that
        // has `&mut self`.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.mapped) }
    }

    fn mapping_mut(&mut self) -> &mut [u8] {
        // SAFETY: As for `mapping`, and `&mut self` makes this the only reference.
        unsafe { slice::from_raw_parts_mut(self.base.as_ptr(), self.mapped) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: The mapping is ours and no reference to it outlives `self`. That
        // it fails cannot be, and would only leave memory behind.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.mapped) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_next_to_the_buffer_is_guarded() {
        let mut buffer = Guarded::new(2 * PAGE).unwrap();
        for (offset, len) in [(0, 0), (0, 512), (1, 13), (4095, 2 * PAGE), (512, PAGE)] {
            buffer.place(offset, len);
            buffer.data_mut().fill(1);
            assert_eq!(buffer.data().len(), len);
            assert_eq!(buffer.pointer() as usize % PAGE, offset);
            assert_eq!(buffer.damage(), None);
            for at in [
                buffer.begin - 1,
                buffer.begin + len,
                buffer.begin + len + PAGE - 1,
            ] {
                let old = std::mem::replace(&mut buffer.mapping_mut()[at], 7);
                assert!(buffer.damage().is_some(), "{at}");
                buffer.mapping_mut()[at] = old;
            }
        }
    }
}
