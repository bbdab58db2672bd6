// SPDX-License-Identifier: GPL-2.0

//! What a command asks the fake host to do with it.

use super::super::HostByte;

/// What is to become of a command.
#[derive(Clone, Copy, Default)]
#[repr(u8)]
pub(super) enum Deed {
    /// It completes at once, with the status of [`Ask::argument`] and the residual of
    /// [`Ask::number`].
    #[default]
    Complete,
    /// It completes at once, without an answer of a device: [`HOST_BYTES`].
    CompleteByHost,
    /// It completes at once, with so many bytes of [`SENSE`], and the residual of [`Ask::number`].
    CompleteWithSense,
    /// It is started.
    Start,
    /// It is mapped and started.
    StartMapped,
    /// It is started, unless it is the first one that this host is asked for: when it is tried
    /// again, it completes.
    StartFirst,
    /// Its token is dropped.
    Drop,
    /// It is mapped, and its token is dropped.
    DropMapped,
    /// Its token is forgotten: nobody has it.
    Forget,
}

const DEEDS: [Deed; 9] = [
    Deed::Complete,
    Deed::CompleteByHost,
    Deed::CompleteWithSense,
    Deed::Start,
    Deed::StartMapped,
    Deed::StartFirst,
    Deed::Drop,
    Deed::DropMapped,
    Deed::Forget,
];

/// What [`Deed::CompleteByHost`] can say.
pub(super) const HOST_BYTES: [HostByte; 2] = [HostByte::NoConnect, HostByte::Error];

/// Sense data: INVALID FIELD IN CDB, with all that is not needed for it, and more than fits.
pub(super) const SENSE: [u8; 100] = {
    let mut bytes = [0; 100];
    let mut n = 0;
    while n < bytes.len() {
        bytes[n] = 0x80 | n as u8;
        n += 1;
    }
    bytes[0] = 0x70;
    bytes[2] = 0x05;
    bytes[7] = bytes.len() as u8 - 8;
    bytes[12] = 0x24;
    bytes[13] = 0;
    bytes
};

/// A vendor specific command of ten bytes.
const OPCODE: u8 = 0xc0;

/// A command for the fake host.
#[derive(Clone, Copy, Default)]
pub(super) struct Ask {
    pub(super) deed: Deed,
    pub(super) argument: u8,
    pub(super) number: u32,
}

impl From<Deed> for Ask {
    fn from(deed: Deed) -> Self {
        Self {
            deed,
            ..Self::default()
        }
    }
}

impl Ask {
    /// Length of the CDB: what the midlayer takes that of [`OPCODE`] to be.
    pub(super) const CDB_LEN: usize = 10;

    pub(super) fn to_cdb(self) -> [u8; Self::CDB_LEN] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [OPCODE, self.deed as u8, self.argument, a, b, c, d, 0, 0, 0]
    }

    pub(super) fn from_cdb(cdb: &[u8]) -> Option<Self> {
        match *cdb {
            [OPCODE, deed, argument, a, b, c, d, 0, 0, 0] => Some(Self {
                deed: *DEEDS.get(usize::from(deed))?,
                argument,
                number: u32::from_be_bytes([a, b, c, d]),
            }),
            _ => None,
        }
    }
}
