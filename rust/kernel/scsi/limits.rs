// SPDX-License-Identifier: GPL-2.0

//! What a host can do, as one value.

use kernel::{
    dma::DmaMask,
    page::PAGE_SIZE,
    prelude::*, //
};

/// The limits of a host.
///
/// The midlayer and the block layer build requests within these limits: a request that would exceed
/// one of them is split, or refused if that cannot be. So they need not fit one another: a host may
/// say that it takes transfers of 32 MiB in 128 segments. If a transfer of `max_sectors` does not
/// fit into `sg_tablesize` segments of a page, plus one for a buffer that begins within a page,
/// then user space (`SG_IO`) can be refused a length that it was told of.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most commands in flight; also the number of tags.
    pub can_queue: u16,
    /// Most commands in flight for each logical unit.
    pub cmd_per_lun: u16,
    /// Most segments of a command.
    pub sg_tablesize: u16,
    /// Longest segment, in bytes; a page or more.
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
    /// WRITE SAME is not to be used.
    pub no_write_same: bool,
}

impl Limits {
    /// Whether each limit is one that a host can have.
    ///
    /// # Errors
    ///
    /// `EINVAL` if not.
    pub fn check(&self) -> Result {
        let possible = self.can_queue > 0
            && self.cmd_per_lun > 0
            && self.sg_tablesize > 0
            && self.max_lun > 0
            && self.max_sectors > 0
            && self.max_segment_size as usize >= PAGE_SIZE
            && (self.dma_alignment & self.dma_alignment.wrapping_add(1)) == 0;
        if possible {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }
}
