// SPDX-License-Identifier: GPL-2.0

//! Descriptors, as they lie in memory: pure functions on bytes. The layouts are those of the
//! header; all numbers are little-endian.

/// Length of a CDB; longer ones are "to be specified".
pub(crate) const CDB_LEN: usize = 16;

/// Length of a request descriptor.
pub(crate) const REQUEST_LEN: usize = 128;

/// Length of a completion descriptor.
pub(crate) const COMPLETION_LEN: usize = 32;

/// Length of a message descriptor.
pub(crate) const MESSAGE_LEN: usize = 128;

/// A simple task (SPI: the message SIMPLE QUEUE TAG). The header does not say what a tag is.
const SIMPLE_TAG: u8 = 0x20;

/// Flags of a request.
pub(crate) mod flag {
    /// The address is that of a list.
    pub(crate) const WITH_LIST: u32 = 1 << 0;
    pub(crate) const NO_DATA: u32 = 1 << 2;
    pub(crate) const TO_HOST: u32 = 1 << 3;
    pub(crate) const TO_DEVICE: u32 = 1 << 4;
}

/// A request.
pub(crate) struct Request<'a> {
    /// Not 0, and of 32 bits: what the completion says again.
    pub(crate) context: u32,
    pub(crate) flags: u32,
    /// Address of the data, or of the list of them.
    pub(crate) data: u64,
    pub(crate) data_len: u32,
    pub(crate) sense: u64,
    pub(crate) sense_len: u32,
    /// Of at most [`CDB_LEN`] bytes.
    pub(crate) cdb: &'a [u8],
    pub(crate) target: u8,
    pub(crate) lun: u8,
}

impl Request<'_> {
    /// The descriptor.
    pub(crate) fn to_bytes(&self) -> [u8; REQUEST_LEN] {
        let mut bytes = [0; REQUEST_LEN];
        let mut put = |at: usize, from: &[u8]| {
            if let Some(to) = bytes.get_mut(at..at + from.len()) {
                to.copy_from_slice(from);
            }
        };
        put(0, &u64::from(self.context).to_le_bytes());
        put(8, &self.data.to_le_bytes());
        put(16, &u64::from(self.data_len).to_le_bytes());
        put(24, &self.sense.to_le_bytes());
        put(32, &self.sense_len.to_le_bytes());
        put(36, &self.flags.to_le_bytes());
        let cdb = self.cdb.get(..CDB_LEN).unwrap_or(self.cdb);
        put(40, cdb);
        // CAST: At most `CDB_LEN`. A LUN of one level has its number in the second of eight bytes
        // (SAM-5, 4.7). The bus is 0, and there is no hint as to the processor.
        put(56, &[cdb.len() as u8]);
        put(57, &lun_bytes(self.lun));
        put(65, &[SIMPLE_TAG, 0, self.target]);
        bytes
    }
}

/// A logical unit number.
pub(crate) fn lun_bytes(lun: u8) -> [u8; 8] {
    [0, lun, 0, 0, 0, 0, 0, 0]
}

/// An element of a list: address, then length, then flags, of which none is set.
pub(crate) fn element(address: u64, len: u32) -> [u64; 2] {
    [address.to_le(), u64::from(len).to_le()]
}

/// What the device says of a request that has ended.
#[derive(Clone, Copy)]
pub(crate) struct Completion {
    pub(crate) context: u64,
    /// Bytes transferred. QEMU does not say, and leaves it at 0.
    pub(crate) data_len: u64,
    pub(crate) sense_len: u32,
    pub(crate) host_status: u16,
    pub(crate) scsi_status: u16,
}

impl Completion {
    pub(crate) fn from_bytes(bytes: &[u8; COMPLETION_LEN]) -> Self {
        Self {
            context: u64::from_le_bytes(part(bytes, 0)),
            data_len: u64::from_le_bytes(part(bytes, 8)),
            sense_len: u32::from_le_bytes(part(bytes, 16)),
            host_status: u16::from_le_bytes(part(bytes, 20)),
            scsi_status: u16::from_le_bytes(part(bytes, 22)),
        }
    }
}

/// What the device says of its logical units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Added { target: u32 },
    Removed { target: u32 },
    Unknown(u32),
}

impl Message {
    pub(crate) fn from_bytes(bytes: &[u8; MESSAGE_LEN]) -> Self {
        let target = u32::from_le_bytes(part(bytes, 8));
        match u32::from_le_bytes(part(bytes, 0)) {
            0 => Self::Added { target },
            1 => Self::Removed { target },
            other => Self::Unknown(other),
        }
    }
}

/// `N` bytes at a place.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let part = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    part.copied().unwrap_or([0; N])
}
