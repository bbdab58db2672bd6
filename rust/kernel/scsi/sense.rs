// SPDX-License-Identifier: GPL-2.0

//! Fixed-format sense data (SPC-4, 4.5.3).

/// A sense key that a host gives (SPC-4, table 48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SenseKey {
    /// The medium does not hold what was asked for.
    MediumError = 0x3,
    /// The command or its parameters are not acceptable.
    IllegalRequest = 0x5,
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
