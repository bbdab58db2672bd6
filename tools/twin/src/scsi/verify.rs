// SPDX-License-Identifier: GPL-2.0

//! VERIFY: are the blocks readable, and do they hold what the host says (SBC-3,
//! 5.30)? What the cache has of them goes to the medium first, for that is what
//! is verified.

use super::BLOCK_LEN;
use super::cdb::{Cdb, Extent};
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::Outcome;

/// BYTCHK, in byte 1: what the medium is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteCheck {
    /// With nothing: it only must be readable.
    Nothing,
    /// With as many blocks of data-out.
    EveryBlock,
    /// With one block of data-out, again and again.
    OneBlock,
}

impl ByteCheck {
    const BITS: u8 = 0x06;

    /// None for the reserved value.
    pub(super) fn of(cdb: &Cdb) -> Option<Self> {
        match (cdb[1] & Self::BITS) >> 1 {
            0 => Some(Self::Nothing),
            1 => Some(Self::EveryBlock),
            3 => Some(Self::OneBlock),
            _ => None,
        }
    }
}

/// VERIFY(10), (16).
pub(super) fn verify(unit: &LogicalUnit, cdb: &Cdb, expected: &[u8]) -> Outcome {
    let check = ByteCheck::of(cdb).ok_or(Sense::invalid_cdb_bits(1, ByteCheck::BITS))?;
    let extent = Extent::of(cdb);
    let mut held = vec![0; extent.bytes() as usize];
    unit.volume.read(extent.lba, &mut held, true)?;
    let held = (extent.lba..).zip(held.chunks_exact(BLOCK_LEN));
    let differs = match check {
        ByteCheck::Nothing => None,
        ByteCheck::EveryBlock => {
            let mut both = held.zip(expected.chunks_exact(BLOCK_LEN));
            both.find(|((_, held), expected)| held != expected)
                .map(|((lba, _), _)| lba)
        }
        ByteCheck::OneBlock => {
            let mut held = held;
            held.find(|(_, held)| *held != expected).map(|(lba, _)| lba)
        }
    };
    match differs {
        Some(lba) => Err(Sense::miscompare(lba)),
        None => Ok(Vec::new()),
    }
}
