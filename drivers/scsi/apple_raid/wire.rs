// SPDX-License-Identifier: GPL-2.0

//! The card's formats in host memory: slot, scatter-gather entry, response.
//!
//! Pure functions on bytes, without I/O and without the kernel, so that they compile anywhere and
//! are tested against the bytes of the macOS trace. Everything is big-endian. The marks O, P, K, I
//! and A are those of `Documentation/scsi/apple_raid_hw.rst`.

/// Length of the CDB field of a slot, in bytes (O).
pub(crate) const CDB_LEN: usize = 16;

/// Words of 8 bytes in a slot, and in a response (O, K: 32 bytes).
pub(crate) const SLOT_WORDS: usize = 4;

/// Most bytes of data or sense in a response (K).
pub(crate) const BODY_LEN: usize = 24;

/// The card moves data in units of so many bytes: addresses and lengths are multiples (K, I).
pub(crate) const UNIT: u32 = 8;

/// Bits of a bus address in an entry (O). The card's window on host memory has 36 (P).
pub(crate) const ADDRESS_BITS: u32 = 40;

/// Longest entry, in bytes (K).
pub(crate) const MAX_ENTRY_LEN: u32 = 1 << 20;

/// Byte 0 of a slot (K).
const SCSI_COMMAND: u64 = 1;
const TASK_MANAGEMENT: u64 = 4;

/// Byte 0 of a response to a SCSI command (O).
const SCSI_RESPONSE: u8 = 2;

/// A scatter-gather entry: 5 bytes of address, 3 bytes of length in words of 4 bytes (K).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u64);

impl Entry {
    /// An entry of `len` bytes at `address`.
    ///
    /// `None` if the card cannot be told so: both are multiples of [`UNIT`], the address has
    /// [`ADDRESS_BITS`], the length is neither 0 nor above [`MAX_ENTRY_LEN`].
    pub(crate) fn new(address: u64, len: u32) -> Option<Self> {
        let units = (address | u64::from(len)) % u64::from(UNIT) == 0;
        let fits = address >> ADDRESS_BITS == 0 && len > 0 && len <= MAX_ENTRY_LEN;
        (units && fits).then(|| Self(address << 24 | u64::from(len / 4)))
    }

    /// The word as it lies in memory.
    pub(crate) fn to_word(self) -> u64 {
        self.0.to_be()
    }
}

/// Where a slot says that the data is: bytes 24..32, and bit 0 of byte 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptor {
    /// There is no data.
    None,
    /// At this entry.
    InPlace(Entry),
    /// By the list that begins with this unit (K).
    List {
        /// Index of the unit.
        unit: u16,
        /// Whether bit 0 of byte 1 is set: by K it is clear, in the trace it is set (O).
        marked: bool,
    },
}

/// A task management function: the low nibble of byte 7 (K).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// Abort the task with this tag.
    AbortTask(u16),
    /// Reset the logical unit.
    LogicalUnitReset,
}

/// A slot, in words as they lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) [u64; SLOT_WORDS]);

impl Slot {
    /// A SCSI command with the task attribute SIMPLE (0).
    pub(crate) fn command(tag: u16, lun: u16, cdb: &[u8; CDB_LEN], data: Descriptor) -> Self {
        let (mark, data) = match data {
            Descriptor::None => (0, 0),
            Descriptor::InPlace(entry) => (1, entry.to_word()),
            Descriptor::List { unit, marked } => (marked.into(), (u64::from(unit) << 48).to_be()),
        };
        let cdb = u128::from_be_bytes(*cdb);
        // CAST: Each half is one word.
        let [first, second] = [((cdb >> 64) as u64).to_be(), (cdb as u64).to_be()];
        Self([head(SCSI_COMMAND, mark, tag, lun, 0), first, second, data])
    }

    /// A task management request. It has a tag of its own.
    pub(crate) fn task(tag: u16, lun: u16, function: Function) -> Self {
        let (number, argument) = match function {
            Function::AbortTask(victim) => (1, victim),
            Function::LogicalUnitReset => (8, 0),
        };
        let head = head(TASK_MANAGEMENT, 0, tag, lun, number);
        Self([head, (u64::from(argument) << 48).to_be(), 0, 0])
    }
}

/// The first 8 bytes of a slot.
fn head(kind: u64, mark: u64, tag: u16, lun: u16, last: u64) -> u64 {
    let head = kind << 56 | mark << 48 | u64::from(tag) << 32 | u64::from(lun) << 16 | last;
    head.to_be()
}

/// A CDB as the slot holds it. `None` if it is longer.
pub(crate) fn padded(cdb: &[u8]) -> Option<[u8; CDB_LEN]> {
    let mut padded = [0; CDB_LEN];
    padded.get_mut(..cdb.len())?.copy_from_slice(cdb);
    Some(padded)
}

/// What follows the header of a response (K).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// So many bytes of the command's data-in, at most [`BODY_LEN`].
    Data(usize),
    /// So many bytes of sense, at most [`BODY_LEN`].
    Sense(usize),
    /// The response makes no sense.
    Garbled,
}

/// What the first 8 bytes of a response say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    /// SCSI status.
    pub(crate) status: u8,
    /// What follows.
    pub(crate) body: Body,
}

/// The header that says that a tag was not answered yet.
pub(crate) const UNANSWERED: u64 = 0;

impl Response {
    /// Reads the header in the place of a SCSI command with this tag. `None` if there is no
    /// response: nothing yet, or one that bears another tag.
    pub(crate) fn of_command(word: u64, tag: u16) -> Option<Self> {
        let [kind, flags, _, _, high, low, status, _] = word.to_ne_bytes();
        if kind != SCSI_RESPONSE || !is_for(word, tag) {
            return None;
        }
        let len = usize::from(u16::from_be_bytes([high, low]));
        let body = match flags >> 1 & 3 {
            0 => Body::None,
            // Inline data needs bit 0 of byte 1 (K).
            1 if flags & 1 == 1 && len <= BODY_LEN => Body::Data(len),
            // More sense than there is room for is cut.
            2 => Body::Sense(len.min(BODY_LEN)),
            _ => Body::Garbled,
        };
        Some(Self { status, body })
    }

    /// Reads the header in the place of a task management request with this tag. Returns the status
    /// of the answer, which is 0 if the request was carried out (K).
    pub(crate) fn of_task(word: u64, tag: u16) -> Option<u8> {
        let [.., status, _] = word.to_ne_bytes();
        (word != UNANSWERED && is_for(word, tag)).then_some(status)
    }
}

/// Whether a response bears this tag.
fn is_for(word: u64, tag: u16) -> bool {
    let [_, _, high, low, ..] = word.to_ne_bytes();
    u16::from_be_bytes([high, low]) == tag
}
