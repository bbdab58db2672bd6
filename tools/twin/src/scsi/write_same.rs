// SPDX-License-Identifier: GPL-2.0

//! WRITE SAME: one block, written again and again (SBC-3, 5.44). The units know
//! no provisioning, so UNMAP and ANCHOR are refused with the reserved bits.

use super::cdb::{Cdb, Extent};
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::Outcome;
use super::{BLOCK_LEN, MAX_TRANSFER_BLOCKS};

/// WRITE SAME(16), byte 1: there is no data-out buffer, the block is all zeroes.
pub(super) const NDOB: u8 = 0x01;

/// WRITE SAME(10), (16). Without data-out (NDOB) the block is zeroes.
pub(super) fn write_same(unit: &LogicalUnit, cdb: &Cdb, block: &[u8]) -> Outcome {
    let Extent { lba, blocks } = Extent::of(cdb);
    let blocks = match blocks {
        0 => unit
            .volume
            .blocks()
            .checked_sub(lba)
            .filter(|rest| *rest != 0),
        blocks => Some(blocks.into()),
    };
    let blocks = blocks.ok_or(Sense::LBA_OUT_OF_RANGE)?;
    if blocks > MAX_TRANSFER_BLOCKS.into() {
        return Err(Sense::invalid_cdb(Extent::length_at(cdb)));
    }
    let block = if block.is_empty() {
        &[0; BLOCK_LEN]
    } else {
        block
    };
    unit.volume
        .write(lba, &block.repeat(blocks as usize), false)?;
    Ok(Vec::new())
}
