// SPDX-License-Identifier: GPL-2.0

//! Reading fields out of a CDB.

use super::BLOCK_LEN;

/// A command descriptor block, zero padded as the card's slot holds it.
pub(super) type Cdb = [u8; 16];

/// FORCE UNIT ACCESS, in byte 1 of the READ and WRITE commands of 10 bytes and more.
const FUA: u8 = 0x08;

/// Big-endian number.
pub(super) fn be(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Whether the FUA bit is set; the 6-byte commands have none.
pub(super) fn force_unit_access(cdb: &Cdb) -> bool {
    cdb[0] >> 5 != 0 && cdb[1] & FUA != 0
}

/// A range of logical blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) lba: u64,
    pub(super) blocks: u32,
}

impl Extent {
    /// The LOGICAL BLOCK ADDRESS and the length field after it, whose places the
    /// command group (the opcode's upper three bits) gives (SPC-4, 4.3).
    pub(super) fn of(cdb: &Cdb) -> Self {
        let (lba, blocks) = match cdb[0] >> 5 {
            // A length of zero means 256 in the oldest format only.
            0 => (
                be(&cdb[1..4]) & 0x1f_ffff,
                if cdb[4] == 0 { 256 } else { be(&cdb[4..5]) },
            ),
            4 => (be(&cdb[2..10]), be(&cdb[10..14])),
            5 => (be(&cdb[2..6]), be(&cdb[6..10])),
            _ => (be(&cdb[2..6]), be(&cdb[7..9])),
        };
        Self {
            lba,
            blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
        }
    }

    /// Where the length field begins, for the field pointer of the sense data.
    pub(super) fn length_at(cdb: &Cdb) -> u16 {
        match cdb[0] >> 5 {
            0 => 4,
            4 => 10,
            5 => 6,
            _ => 7,
        }
    }

    /// How many bytes the blocks are.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.blocks) * BLOCK_LEN as u64
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, force_unit_access};

    fn extent(cdb: &[u8]) -> (u64, u32) {
        let mut padded = [0; 16];
        padded[..cdb.len()].copy_from_slice(cdb);
        let Extent { lba, blocks } = Extent::of(&padded);
        (lba, blocks)
    }

    #[test]
    fn every_group_has_its_own_places() {
        assert_eq!(extent(&[0x08, 0xff, 0x02, 0x03, 4, 0]), (0x1f_0203, 4));
        assert_eq!(extent(&[0x08, 0, 0, 1, 0, 0]), (1, 256));
        assert_eq!(
            extent(&[0x28, 0, 1, 2, 3, 4, 0, 5, 6, 0]),
            (0x0102_0304, 0x0506)
        );
        assert_eq!(
            extent(&[0xa8, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
            (0x0102_0304, 0x0506_0708)
        );
        let read16 = [0x88, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0];
        assert_eq!(extent(&read16), (0x0102_0304_0506_0708, 0x090a_0b0c));
    }

    #[test]
    fn a_length_of_all_ones_is_counted_in_full() {
        let mut cdb = [0xff; 16];
        cdb[0] = 0x88;
        assert_eq!(Extent::of(&cdb).bytes(), u64::from(u32::MAX) * 512);
    }

    #[test]
    fn six_byte_commands_have_no_fua() {
        let mut cdb = [0; 16];
        (cdb[0], cdb[1]) = (0x08, 0x08);
        assert!(!force_unit_access(&cdb));
        cdb[0] = 0x28;
        assert!(force_unit_access(&cdb));
    }
}
