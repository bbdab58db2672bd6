// SPDX-License-Identifier: GPL-2.0

//! What the driver takes the card to be, where `apple_raid_hw.rst` knows of cards that could be
//! otherwise: a value that is made once, by `learn.rs`, and does not change any more.
//!
//! Nothing but values, so that it compiles, and is tested, in user space too.

use core::fmt;

/// How surely something is known of the card at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Not seen: it is what the reference model says.
    Assumed,
    /// Seen, and as the reference model says.
    Confirmed,
    /// Seen, and other than the reference model says.
    Learned,
}

impl Evidence {
    /// For people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::Confirmed => "confirmed",
            Self::Learned => "learned",
        }
    }
}

/// One thing that is known of the card, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item<T> {
    /// What is known.
    pub(crate) value: T,
    /// How surely.
    pub(crate) evidence: Evidence,
}

impl<T: PartialEq> Item<T> {
    const fn assumed(value: T) -> Self {
        Self {
            value,
            evidence: Evidence::Assumed,
        }
    }

    /// It was seen to be `value`, where so far the reference model's was assumed.
    pub(crate) fn see(&mut self, value: T) {
        self.evidence = if value == self.value {
            Evidence::Confirmed
        } else {
            Evidence::Learned
        };
        self.value = value;
    }

    /// Whether it was seen.
    pub(crate) fn is_seen(&self) -> bool {
        self.evidence != Evidence::Assumed
    }
}

/// How a slot's bytes 4..8 name the logical unit (A). The number is how far the unit's is shifted
/// to the left in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum LunEncoding {
    /// As one big-endian `u32`.
    U32 = 0,
    /// As a big-endian `u16` in the first two bytes.
    U16 = 16,
}

impl LunEncoding {
    /// Both, the reference model's first.
    pub(crate) const CANDIDATES: [Self; 2] = [Self::U32, Self::U16];

    /// The encoding with this number.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        // CAST: The encoding is its number.
        Self::CANDIDATES
            .into_iter()
            .find(|encoding| *encoding as u32 == number)
    }

    /// Bytes 4..8 of a slot.
    pub(crate) fn encode(self, lun: u64) -> [u8; 4] {
        // CAST: The host's limit keeps logical unit numbers small. The encoding is its number.
        ((lun as u32) << self as u32).to_be_bytes()
    }
}

/// What the submit doorbell holds. The number is what is added to what is written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum DoorbellKind {
    /// Always the same: each write rings it (A).
    Constant = 0,
    /// What was written last: it counts (I).
    Counter = 1,
}

/// Entries of the completion ring (A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ring {
    /// Tags, as big-endian `u32`s.
    Tag32,
    /// Tags, as big-endian `u16`s.
    Tag16,
    /// The card does not write any.
    None,
    /// What is not known.
    Unknown,
}

/// The card, as far as it is not known for sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CardModel {
    /// Bytes from one tag's response to the next (A).
    pub(crate) response_stride: Item<usize>,
    /// Bytes in a unit of a list index (I).
    pub(crate) list_unit: Item<usize>,
    /// What the submit doorbell holds (I).
    pub(crate) doorbell: Item<DoorbellKind>,
    /// How a slot names the logical unit (A).
    pub(crate) lun_encoding: Item<LunEncoding>,
    /// Most bytes that were seen to be written behind data-in (O: a few).
    pub(crate) overrun: Item<u32>,
    /// Bits of an entry's count of words (A). Not relied on: entries make do with 16.
    pub(crate) count_bits: Item<u32>,
    /// Bits of a bus address that reach the memory (P: 36).
    pub(crate) address_bits: Item<u32>,
    /// The completion ring. Not relied on.
    pub(crate) ring: Item<Ring>,
}

impl CardModel {
    /// The reference model of `apple_raid_hw.rst`.
    pub(crate) const REFERENCE: Self = Self {
        response_stride: Item::assumed(64),
        list_unit: Item::assumed(64),
        doorbell: Item::assumed(DoorbellKind::Counter),
        lun_encoding: Item::assumed(LunEncoding::U32),
        overrun: Item::assumed(0),
        count_bits: Item::assumed(24),
        address_bits: Item::assumed(36),
        ring: Item::assumed(Ring::Tag32),
    };

    /// Strides of the responses with which the driver can work.
    pub(crate) const RESPONSE_STRIDES: [usize; 5] = [32, 64, 128, 256, 512];

    /// The largest of them.
    pub(crate) const MAX_RESPONSE_STRIDE: usize = 512;

    /// Units of a list index with which the driver can work.
    pub(crate) const LIST_UNITS: [usize; 2] = [8, 64];

    /// Bytes of region E for each tag: 37 units of 64 bytes, as macOS has it (I).
    pub(crate) const LIST_LEN: usize = 37 * 64;

    /// Segments of a list: the last entry is the zero that ends it.
    pub(crate) const MAX_SEGMENTS: u16 = (Self::LIST_LEN / crate::wire::ENTRY_LEN - 1) as u16;

    /// Longest segment, in bytes: well within 16 bits of 4-byte words (A: 24 or 16).
    pub(crate) const MAX_SEGMENT_SIZE: u32 = 128 * 1024;

    /// Room behind a bounce buffer where nothing was seen to be written behind data-in.
    pub(crate) const LEAST_MARGIN: u32 = 4 * 1024;

    /// Room behind a bounce buffer for what the card writes behind data-in: several times what it
    /// was seen to write.
    pub(crate) fn bounce_margin(&self) -> u32 {
        let margin = self.overrun.value.saturating_mul(4).max(Self::LEAST_MARGIN);
        margin.saturating_add(511) & !511
    }

    /// Calls `each` with the name, the value and the evidence of each item.
    fn items(
        &self,
        each: &mut dyn FnMut(&str, fmt::Arguments<'_>, Evidence) -> fmt::Result,
    ) -> fmt::Result {
        macro_rules! item {
            ($name:literal, $item:expr, $format:literal $(, $value:expr)?) => {
                each($name, format_args!($format $(, $value)?), $item.evidence)
            };
        }
        let (stride, unit) = (self.response_stride, self.list_unit);
        item!("response stride", stride, "{}", stride.value)?;
        item!("list unit", unit, "{}", unit.value)?;
        item!("doorbell", self.doorbell, "{:?}", self.doorbell.value)?;
        let lun = self.lun_encoding;
        item!("LUN", lun, "{:?}", lun.value)?;
        item!("bytes behind data", self.overrun, "{}", self.overrun.value)?;
        let bits = self.count_bits;
        item!("entry count bits", bits, "{}", bits.value)?;
        let bits = self.address_bits;
        item!("address bits", bits, "{}", bits.value)?;
        item!("ring", self.ring, "{:?}", self.ring.value)
    }

    /// All of it in one line, without its end.
    pub(crate) fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        self.items(&mut |name, value, evidence| {
            write!(f, "{comma}{name} {value} ({})", evidence.word())?;
            comma = ", ";
            Ok(())
        })
    }

    /// An item a line: evidence, name, value.
    pub(crate) fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items(&mut |name, value, evidence| {
            writeln!(f, "{:<10} {name:<18} {value}", evidence.word())
        })
    }
}
