// SPDX-License-Identifier: GPL-2.0

//! Scatter-gather lists: chains of units of 64 bytes.
//!
//! ```text
//!   unit    0        8              48       56   58       64
//!           +--------+--- ... ------+--------+----+--------+
//!           | entry  |              | entry  |link| zeros  |
//!           +--------+--- ... ------+--------+----+--------+
//!             0                       6        |
//!                                              +--> index of the next unit; 0 in the last one
//! ```
//!
//! A unit has seven entries, and a tag has 37 units of its own, one after the other (K, O). What is
//! not used is zero (K). A descriptor may hold index 0, tag 0's first unit; a link may not (K).

use crate::wire::{
    Descriptor,
    Entry, //
};

/// Words of 8 bytes in a unit (K: 64 bytes).
pub(crate) const UNIT_WORDS: usize = 8;

/// Entries in a unit (K).
const UNIT_ENTRIES: usize = UNIT_WORDS - 1;

/// Units of a tag (O, K).
pub(crate) const UNITS_PER_TAG: u16 = 37;

/// A list that is being written.
///
/// The function writes a word at a place, in words from the beginning of all units, or says that
/// there is no such place.
pub(crate) struct List<F> {
    write: F,
    /// Index of the first unit, and of the one that is being filled.
    first: u16,
    unit: u16,
    /// Entries in that one.
    used: usize,
    /// The first entry of all.
    only: Option<Entry>,
}

impl<F: FnMut(usize, u64) -> Option<()>> List<F> {
    /// Begins the list of a tag.
    pub(crate) fn begin(tag: u16, write: F) -> Self {
        let first = tag * UNITS_PER_TAG;
        Self {
            write,
            first,
            unit: first,
            used: 0,
            only: None,
        }
    }

    fn write(&mut self, at: usize, word: u64) -> Option<()> {
        (self.write)(usize::from(self.unit) * UNIT_WORDS + at, word)
    }

    /// Appends an entry. `None` if the list is full, or a word could not be written.
    pub(crate) fn push(&mut self, entry: Entry) -> Option<()> {
        if self.used == UNIT_ENTRIES {
            let next = self.unit + 1;
            if next == self.first + UNITS_PER_TAG {
                return None;
            }
            self.write(UNIT_ENTRIES, (u64::from(next) << 48).to_be())?;
            (self.unit, self.used) = (next, 0);
        }
        self.only.get_or_insert(entry);
        self.write(self.used, entry.to_word())?;
        self.used += 1;
        Some(())
    }

    /// Ends the list: what is left of its last unit becomes zero. Returns the descriptor that leads
    /// to it: a single entry goes in place. For `marked` see [`Descriptor::List`].
    ///
    /// `None` if there is no entry, or a word could not be written.
    pub(crate) fn end(mut self, marked: bool) -> Option<Descriptor> {
        let (unit, only) = (self.first, self.only?);
        if self.unit == unit && self.used == 1 {
            return Some(Descriptor::InPlace(only));
        }
        (self.used..UNIT_WORDS).try_for_each(|at| self.write(at, 0))?;
        Some(Descriptor::List { unit, marked })
    }
}
