// SPDX-License-Identifier: GPL-2.0

//! READ, WRITE and SYNCHRONIZE CACHE, in all lengths (SBC-3, 5). DPO is accepted
//! and means nothing: the cache keeps no block for being read again. That there
//! are no more blocks than one command may move was checked before.

use super::cdb::{Cdb, Extent, force_unit_access};
use super::lun::LogicalUnit;
use super::target::Outcome;

/// READ(6), (10), (12), (16).
pub(super) fn read(unit: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    let extent = Extent::of(cdb);
    let mut data = vec![0; extent.bytes() as usize];
    unit.volume
        .read(extent.lba, &mut data, force_unit_access(cdb))?;
    Ok(data)
}

/// WRITE(6), (10), (12), (16).
pub(super) fn write(unit: &LogicalUnit, cdb: &Cdb, data: &[u8]) -> Outcome {
    let extent = Extent::of(cdb);
    unit.volume
        .write(extent.lba, data, force_unit_access(cdb))?;
    Ok(Vec::new())
}

/// SYNCHRONIZE CACHE(10), (16). IMMED makes no difference: the cache is flushed
/// before the status goes out, which is what "soon" may mean.
pub(super) fn synchronize_cache(unit: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    let extent = Extent::of(cdb);
    unit.volume.synchronize(extent.lba, extent.blocks)?;
    Ok(Vec::new())
}
