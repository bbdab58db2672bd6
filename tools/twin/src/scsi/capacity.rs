// SPDX-License-Identifier: GPL-2.0

//! READ CAPACITY: how many blocks of which length (SBC-3, 5.12 and 5.13).

use super::BLOCK_LEN;
use super::cdb::Cdb;
use super::lun::LogicalUnit;
use super::target::Outcome;

/// READ CAPACITY(10) has no allocation length: it returns eight bytes.
pub(super) const CAPACITY_10_LEN: u64 = 8;
const CAPACITY_16_LEN: usize = 32;

/// READ CAPACITY(10). An address that four bytes cannot hold becomes all ones:
/// the host then asks with 16 bytes.
pub(super) fn read_capacity_10(unit: &LogicalUnit, _: &Cdb, _: &[u8]) -> Outcome {
    let last = u32::try_from(last_lba(unit)).unwrap_or(u32::MAX);
    Ok([last.to_be_bytes(), (BLOCK_LEN as u32).to_be_bytes()].concat())
}

/// READ CAPACITY(16). What follows the block length is zero: no protection
/// information, physical blocks as long as logical ones, no provisioning.
pub(super) fn read_capacity_16(unit: &LogicalUnit, _: &Cdb, _: &[u8]) -> Outcome {
    let mut data = vec![0; CAPACITY_16_LEN];
    data[0..8].copy_from_slice(&last_lba(unit).to_be_bytes());
    data[8..12].copy_from_slice(&(BLOCK_LEN as u32).to_be_bytes());
    Ok(data)
}

fn last_lba(unit: &LogicalUnit) -> u64 {
    unit.volume.blocks().saturating_sub(1)
}
