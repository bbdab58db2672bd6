// SPDX-License-Identifier: GPL-2.0

//! Sense data: why a command did not complete (SPC-4, 4.5), in the fixed format.

use super::SENSE_LEN;

/// Response code of current information in the fixed format.
const CURRENT_FIXED: u8 = 0x70;
/// INFORMATION holds something (byte 0).
const VALID: u8 = 0x80;
/// The sense-key specific bytes hold something; here: a field pointer.
const SKSV: u8 = 0x80;
/// The field pointer points into the CDB, not into the parameter list.
const IN_CDB: u8 = 0x40;
/// The bit pointer is valid.
const BPV: u8 = 0x08;

/// Sense keys (SPC-4, table 48), as far as the device server uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Key {
    NoSense = 0x0,
    NotReady = 0x2,
    MediumError = 0x3,
    HardwareError = 0x4,
    IllegalRequest = 0x5,
    UnitAttention = 0x6,
    AbortedCommand = 0xb,
    Miscompare = 0xe,
}

/// Where the field is that the device server did not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FieldPointer {
    in_cdb: bool,
    byte: u16,
    bit: Option<u8>,
}

/// Why a command did not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sense {
    key: Key,
    /// Additional sense code and its qualifier.
    asc: (u8, u8),
    information: Option<u32>,
    field: Option<FieldPointer>,
}

impl Sense {
    pub(super) const NONE: Self = Self::new(Key::NoSense, 0x00, 0x00);
    /// LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED.
    pub(super) const STOPPED: Self = Self::new(Key::NotReady, 0x04, 0x02);
    /// INTERNAL TARGET FAILURE.
    pub(super) const INTERNAL_FAILURE: Self = Self::new(Key::HardwareError, 0x44, 0x00);
    pub(super) const PARAMETER_LIST_LENGTH: Self = Self::new(Key::IllegalRequest, 0x1a, 0x00);
    pub(super) const INVALID_OPCODE: Self = Self::new(Key::IllegalRequest, 0x20, 0x00);
    pub(super) const LBA_OUT_OF_RANGE: Self = Self::new(Key::IllegalRequest, 0x21, 0x00);
    pub(super) const NO_SUCH_UNIT: Self = Self::new(Key::IllegalRequest, 0x25, 0x00);
    pub(super) const POWER_ON: Self = Self::new(Key::UnitAttention, 0x29, 0x00);
    pub(super) const CAPACITY_CHANGED: Self = Self::new(Key::UnitAttention, 0x2a, 0x09);
    pub(super) const INQUIRY_CHANGED: Self = Self::new(Key::UnitAttention, 0x3f, 0x03);
    pub(super) const LUNS_CHANGED: Self = Self::new(Key::UnitAttention, 0x3f, 0x0e);
    /// DATA PHASE ERROR: there was less data-out than the CDB announced.
    pub(super) const DATA_PHASE: Self = Self::new(Key::AbortedCommand, 0x4b, 0x00);

    const fn new(key: Key, asc: u8, ascq: u8) -> Self {
        Self {
            key,
            asc: (asc, ascq),
            information: None,
            field: None,
        }
    }

    /// INVALID FIELD IN CDB, pointing at `byte`.
    pub(super) const fn invalid_cdb(byte: u16) -> Self {
        let field = FieldPointer {
            in_cdb: true,
            byte,
            bit: None,
        };
        Self {
            field: Some(field),
            ..Self::new(Key::IllegalRequest, 0x24, 0x00)
        }
    }

    /// INVALID FIELD IN CDB, pointing at the highest bit of `bits` in `byte`.
    pub(super) const fn invalid_cdb_bits(byte: u16, bits: u8) -> Self {
        let bit = if bits == 0 {
            None
        } else {
            Some(7 - bits.leading_zeros() as u8)
        };
        let field = FieldPointer {
            in_cdb: true,
            byte,
            bit,
        };
        Self {
            field: Some(field),
            ..Self::new(Key::IllegalRequest, 0x24, 0x00)
        }
    }

    /// INVALID FIELD IN PARAMETER LIST, pointing at `byte`.
    pub(super) fn invalid_parameter(byte: usize) -> Self {
        let byte = u16::try_from(byte).unwrap_or(u16::MAX);
        let field = FieldPointer {
            in_cdb: false,
            byte,
            bit: None,
        };
        Self {
            field: Some(field),
            ..Self::new(Key::IllegalRequest, 0x26, 0x00)
        }
    }

    /// UNRECOVERED READ ERROR at `lba`.
    pub(super) fn unreadable(lba: u64) -> Self {
        Self::new(Key::MediumError, 0x11, 0x00).at(lba)
    }

    /// WRITE ERROR at `lba`.
    pub(super) fn unwritable(lba: u64) -> Self {
        Self::new(Key::MediumError, 0x0c, 0x00).at(lba)
    }

    /// MISCOMPARE DURING VERIFY OPERATION at `lba`.
    pub(super) fn miscompare(lba: u64) -> Self {
        Self::new(Key::Miscompare, 0x1d, 0x00).at(lba)
    }

    /// The LBA goes into INFORMATION, unless its four bytes cannot hold it.
    fn at(self, lba: u64) -> Self {
        Self {
            information: u32::try_from(lba).ok(),
            ..self
        }
    }

    /// The bytes on the wire.
    pub(super) fn fixed(&self) -> [u8; SENSE_LEN] {
        let mut bytes = [0; SENSE_LEN];
        bytes[0] = CURRENT_FIXED;
        bytes[2] = self.key as u8;
        if let Some(information) = self.information {
            bytes[0] |= VALID;
            bytes[3..7].copy_from_slice(&information.to_be_bytes());
        }
        bytes[7] = (SENSE_LEN - 8) as u8;
        bytes[12] = self.asc.0;
        bytes[13] = self.asc.1;
        if let Some(field) = self.field {
            bytes[15] = SKSV;
            bytes[15] |= if field.in_cdb { IN_CDB } else { 0 };
            bytes[15] |= field.bit.map_or(0, |bit| BPV | bit);
            bytes[16..18].copy_from_slice(&field.byte.to_be_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Sense;

    #[test]
    fn luns_changed_is_what_the_trace_shows() {
        let seen = [
            0x70, 0, 6, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0, 0x3f, 0x0e, 0, 0, 0, 0,
        ];
        assert_eq!(Sense::LUNS_CHANGED.fixed(), seen);
    }

    #[test]
    fn a_field_pointer_names_byte_and_bit() {
        let sense = Sense::invalid_cdb_bits(1, 0x24).fixed();
        assert_eq!(sense[15..18], [0xc0 | 0x08 | 5, 0, 1]);
        let sense = Sense::invalid_parameter(0x123).fixed();
        assert_eq!(sense[15..18], [0x80, 0x01, 0x23]);
    }

    #[test]
    fn information_is_valid_only_if_it_fits() {
        let near = Sense::unreadable(0x1234_5678).fixed();
        assert_eq!(near[0], 0xf0);
        assert_eq!(near[3..7], [0x12, 0x34, 0x56, 0x78]);
        assert_eq!(Sense::unreadable(1 << 32).fixed()[0], 0x70);
    }
}
