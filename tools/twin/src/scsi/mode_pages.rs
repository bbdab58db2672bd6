// SPDX-License-Identifier: GPL-2.0

//! The mode pages (SPC-4, 7.5; SBC-3, 6.4), of which one bit can be changed: WCE,
//! the write cache.

use super::lun::LogicalUnit;

/// The caching page, and WCE in its byte 2.
pub(super) const CACHING: u8 = 0x08;
pub(super) const WCE: u8 = 0x04;
/// Place of the byte that holds WCE.
pub(super) const WCE_AT: usize = 2;
/// The page can be saved.
pub(super) const PS: u8 = 0x80;

/// Which of its values a page is asked for (PAGE CONTROL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Current,
    Changeable,
    Default,
    Saved,
}

impl Control {
    /// From the upper two bits of a byte.
    pub(super) fn from_bits(byte: u8) -> Self {
        match byte >> 6 {
            0 => Self::Current,
            1 => Self::Changeable,
            2 => Self::Default,
            _ => Self::Saved,
        }
    }
}

/// A mode page in the short format: code, length of the rest, the rest.
pub(super) struct Page {
    pub(super) code: u8,
    /// Its default values, code and length included, without PS.
    defaults: &'static [u8],
}

/// Every page, by code.
pub(super) static PAGES: &[Page] = &[
    // Read-write error recovery: AWRE and ARRE, the unit mends what it can.
    Page {
        code: 0x01,
        defaults: &[0x01, 0x0a, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    },
    // Caching: WCE, nothing else.
    Page {
        code: CACHING,
        defaults: &[
            CACHING, 0x12, WCE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ],
    },
    // Control: fixed-format sense, unrestricted reordering, busy timeout unlimited.
    Page {
        code: 0x0a,
        defaults: &[0x0a, 0x0a, 0, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0],
    },
    // Informational exceptions control: reported only on request (MRIE 6).
    Page {
        code: 0x1c,
        defaults: &[0x1c, 0x0a, 0, 0x06, 0, 0, 0, 0, 0, 0, 0, 0],
    },
];

impl Page {
    /// The page as MODE SENSE returns it.
    pub(super) fn values(&self, unit: &LogicalUnit, control: Control) -> Vec<u8> {
        let mut values = self.defaults.to_vec();
        if control == Control::Changeable {
            values[2..].fill(0);
        }
        if self.code == CACHING {
            let caching = match control {
                Control::Current => unit.volume.caching(),
                Control::Saved => unit.saved_caching(),
                Control::Changeable | Control::Default => true,
            };
            values[0] |= PS;
            values[WCE_AT] = if caching { WCE } else { 0 };
        }
        values
    }
}
