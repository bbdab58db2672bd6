// SPDX-License-Identifier: GPL-2.0

//! What a host can do, as one value.

use crate::bindings;
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

/// The limits of a host. A driver states those that differ from [`Limits::DEFAULT`].
///
/// The midlayer and the block layer build requests within these limits: a request that would exceed
/// one of them is split, or refused if that cannot be. So they need not fit one another: a host may
/// say that it takes transfers of 32 MiB in 128 segments. If a transfer of `max_sectors` does not
/// fit into `sg_tablesize` segments of a page, plus one for a buffer that begins within a page,
/// then user space (`SG_IO`) can be refused a length that it was told of.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most commands in flight of each hardware queue, or of all if they share their tags. Tags are
    /// below this.
    pub can_queue: u16,
    /// Most commands in flight for each logical unit.
    pub cmd_per_lun: u16,
    /// Number of hardware queues.
    pub nr_hw_queues: u16,
    /// The hardware queues share their tags.
    pub host_tagset: bool,
    /// Most segments of a command.
    pub sg_tablesize: u16,
    /// Longest segment, in bytes; a page or more.
    pub max_segment_size: u32,
    /// No segment crosses a multiple of this plus one: one less than a power of two, and a page or
    /// more.
    pub dma_boundary: usize,
    /// Longest transfer, in 512-byte sectors; a page or more.
    pub max_sectors: u32,
    /// The length of transfers that suits the host best, in 512-byte sectors; 0 if none does.
    pub opt_sectors: u32,
    /// Mask of the address and length bits that must be zero in data buffers; what is not aligned
    /// so is copied by the block layer. One less than a power of two, and less than a page.
    pub dma_alignment: u32,
    /// The highest channel; 255 at most.
    pub max_channel: u32,
    /// One more than the highest target id.
    pub max_id: u32,
    /// One more than the highest logical unit number.
    pub max_lun: u64,
    /// The id of the host itself, at which no target is looked for.
    pub this_id: Option<u32>,
    /// Longest CDB, in bytes.
    pub max_cdb_len: u16,
    /// WRITE SAME is not to be used.
    pub no_write_same: bool,
}

impl Limits {
    /// One command at a time for one logical unit, by one queue; of data as much as the midlayer
    /// likes.
    pub const DEFAULT: Self = Self {
        can_queue: 1,
        cmd_per_lun: 1,
        nr_hw_queues: 1,
        host_tagset: false,
        sg_tablesize: 128,
        max_segment_size: 65536,
        dma_boundary: u32::MAX as usize,
        max_sectors: 1024,
        opt_sectors: 0,
        dma_alignment: 3,
        max_channel: 0,
        max_id: 1,
        max_lun: 1,
        this_id: None,
        max_cdb_len: 16,
        no_write_same: false,
    };

    /// Whether each limit is one that a host can have.
    ///
    /// # Errors
    ///
    /// `EINVAL` if not.
    pub fn check(&self) -> Result {
        let possible = self.can_queue > 0
            && i16::try_from(self.cmd_per_lun).is_ok_and(|most| most > 0)
            && self.nr_hw_queues > 0
            && self.sg_tablesize > 0
            && self.max_id > 0
            && self.max_lun > 0
            && self.max_cdb_len > 0
            && self.max_channel <= u8::MAX.into()
            && self.max_sectors as usize >= PAGE_SIZE / 512
            && self.max_segment_size as usize >= PAGE_SIZE
            && self.dma_boundary >= PAGE_SIZE - 1
            && (self.dma_boundary & self.dma_boundary.wrapping_add(1)) == 0
            && (self.dma_alignment & self.dma_alignment.wrapping_add(1)) == 0
            && (self.dma_alignment as usize) < PAGE_SIZE
            && self.this_id.is_none_or(|id| i32::try_from(id).is_ok());
        if possible {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    /// Sets the limits of a host that was just allocated.
    ///
    /// # Safety
    ///
    /// `host` must be valid, and nobody else may use these fields.
    pub(super) unsafe fn apply(&self, host: *mut bindings::Scsi_Host) {
        // SAFETY: By the safety requirement.
        unsafe {
            (*host).can_queue = self.can_queue.into();
            // CAST: Positive, see `check`.
            (*host).cmd_per_lun = self.cmd_per_lun as i16;
            (*host).nr_hw_queues = self.nr_hw_queues.into();
            bindings::Scsi_Host::set_host_tagset_raw(host, self.host_tagset.into());
            (*host).sg_tablesize = self.sg_tablesize;
            (*host).max_segment_size = self.max_segment_size;
            (*host).dma_boundary = self.dma_boundary;
            (*host).max_sectors = self.max_sectors;
            (*host).opt_sectors = self.opt_sectors;
            (*host).dma_alignment = self.dma_alignment;
            (*host).max_channel = self.max_channel;
            (*host).max_id = self.max_id;
            (*host).max_lun = self.max_lun;
            // CAST: It fits, see `check`.
            (*host).this_id = self.this_id.map_or(-1, |id| id as i32);
            (*host).max_cmd_len = self.max_cdb_len;
            bindings::Scsi_Host::set_no_write_same_raw(host, self.no_write_same.into());
            // The logical unit is named by the transport. To old devices the midlayer would write
            // its number into the CDB as well, over bits that mean something else today.
            bindings::Scsi_Host::set_no_scsi2_lun_in_cdb_raw(host, 1);
        }
    }
}
