// SPDX-License-Identifier: GPL-2.0

//! What a host can do, as one value.

use kernel::{
    dma::DmaMask,
    page::PAGE_SIZE,
    prelude::*, //
};

/// The limits of a host.
///
/// The midlayer and the block layer build requests within these limits, so a driver that states
/// them truly never meets a request that it cannot map. [`Limits::check`] refuses combinations
/// in which that could not hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most commands in flight; also the number of tags.
    pub can_queue: u16,
    /// Most commands in flight for each logical unit.
    pub cmd_per_lun: u16,
    /// Most segments of a command.
    pub sg_tablesize: u16,
    /// Longest segment, in bytes.
    pub max_segment_size: u32,
    /// Longest transfer, in 512-byte sectors.
    pub max_sectors: u32,
    /// Mask of the address and length bits that must be zero in data buffers; what is not aligned
    /// so is copied by the block layer. One less than a power of two.
    pub dma_alignment: u32,
    /// The bus addresses that the device reaches.
    pub dma_mask: DmaMask,
    /// One more than the highest logical unit number.
    pub max_lun: u64,
    /// Longest CDB, in bytes.
    pub max_cdb_len: u16,
}

impl Limits {
    /// Longest transfer, in bytes.
    pub fn max_transfer(&self) -> u64 {
        u64::from(self.max_sectors) * 512
    }

    /// Whether every transfer that these limits admit can be described.
    ///
    /// # Errors
    ///
    /// `EINVAL` if a transfer of `max_sectors` could need more than `sg_tablesize` segments: a
    /// buffer of single pages that begins and ends within a page is the worst that user space can
    /// hand in without being told so.
    pub fn check(&self) -> Result {
        let pages = self.max_transfer().div_ceil(PAGE_SIZE as u64) + 1;
        let longest = u64::from(self.sg_tablesize) * u64::from(self.max_segment_size);
        let consistent = self.can_queue > 0
            && self.cmd_per_lun > 0
            && self.max_lun > 0
            && self.max_sectors > 0
            && self.max_segment_size as usize >= PAGE_SIZE
            && (self.dma_alignment & self.dma_alignment.wrapping_add(1)) == 0
            && pages <= u64::from(self.sg_tablesize)
            && self.max_transfer() <= longest;
        if consistent {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}
