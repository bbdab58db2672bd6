// SPDX-License-Identifier: GPL-2.0

//! Fixed-format sense data (SPC-4, 4.5.3).

/// A sense key that a host gives (SPC-4, table 48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SenseKey {
    /// The command or its parameters are not acceptable.
    IllegalRequest = 0x5,
}

/// What sense data say of the logical unit, beyond the command that they came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SenseEvent {
    /// Units came or went, or this one is not what it was.
    Changed,
    /// There is no such unit.
    NotThere,
}

impl SenseEvent {
    /// Of a sense key, an additional sense code and its qualifier (SPC-4, tables 48 and 56).
    pub(super) fn of(key: u8, asc: u8, ascq: u8) -> Option<Self> {
        match (key, asc, ascq) {
            // UNIT ATTENTION: CAPACITY DATA HAS CHANGED, INQUIRY DATA HAS CHANGED,
            // DEVICE IDENTIFIER CHANGED, REPORTED LUNS DATA HAS CHANGED
            (0x6, 0x2a, 0x09) | (0x6, 0x3f, 0x03 | 0x05 | 0x0e) => Some(Self::Changed),
            // ILLEGAL REQUEST: LOGICAL UNIT NOT SUPPORTED
            (0x5, 0x25, 0x00) => Some(Self::NotThere),
            _ => None,
        }
    }

    /// Of sense data in fixed format that are about the command itself, not an earlier one.
    pub(super) fn of_sense(sense: &[u8]) -> Option<Self> {
        match *sense {
            [code, _, key, _, _, _, _, _, _, _, _, _, asc, ascq, ..] if code & 0x7f == 0x70 => {
                Self::of(key & 0xf, asc, ascq)
            }
            _ => None,
        }
    }
}

/// Fixed-format sense data that a host makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sense([u8; Self::LEN]);

impl Sense {
    /// Length of fixed-format sense data without additional bytes.
    const LEN: usize = 18;

    /// Sense data of a sense key, an additional sense code and its qualifier.
    pub const fn new(key: SenseKey, asc: u8, ascq: u8) -> Self {
        let mut bytes = [0; Self::LEN];
        bytes[0] = 0x70;
        bytes[2] = key as u8;
        bytes[7] = (Self::LEN - 8) as u8;
        bytes[12] = asc;
        bytes[13] = ascq;
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
