// SPDX-License-Identifier: GPL-2.0

//! Chains of list units, in memory as long as a tag has it.

#[kernel::prelude::kunit_tests(apple_raid_lists)]
mod tests {
    use crate::{
        lists::{
            List,
            UNITS_PER_TAG,
            UNIT_WORDS, //
        },
        regions::COMMANDS,
        wire::{
            Descriptor,
            Entry, //
        },
    };
    use kernel::prelude::*;

    /// Entries that fit.
    const MOST: usize = UNITS_PER_TAG as usize * (UNIT_WORDS - 1);

    /// What is nowhere written.
    const JUNK: u64 = u64::MAX;

    /// Writes a list of so many entries into the units of a tag, as they were before.
    fn write(tag: u16, count: usize, units: &mut [u64]) -> Option<Descriptor> {
        let first = usize::from(tag * UNITS_PER_TAG) * UNIT_WORDS;
        let mut list = List::begin(tag, |at: usize, word| {
            *units.get_mut(at.checked_sub(first)?)? = word;
            Some(())
        });
        for n in 0..count {
            list.push(Entry::new(n as u64 * 4096, 8)?)?;
        }
        list.end(false)
    }

    /// Follows the links as the card does. Returns the number of entries, which are in order.
    fn walk(tag: u16, units: &[u64]) -> Option<usize> {
        let first = tag * UNITS_PER_TAG;
        let (mut unit, mut count) = (first, 0);
        loop {
            let begin = usize::from(unit.checked_sub(first)?) * UNIT_WORDS;
            let (link, entries) = units.get(begin..begin + UNIT_WORDS)?.split_last()?;
            for entry in entries.iter().take_while(|entry| **entry != 0) {
                if u64::from_be(*entry) != (count as u64 * 4096) << 24 | 2 {
                    return None;
                }
                count += 1;
            }
            // CAST: The upper 16 of 64 bits.
            match (u64::from_be(*link) >> 48) as u16 {
                0 => return Some(count),
                next => unit = next,
            }
        }
    }

    #[test]
    fn lists_of_every_length() -> Result {
        let len = usize::from(UNITS_PER_TAG) * UNIT_WORDS;
        for tag in [0, 1, COMMANDS - 1] {
            for count in 1..=MOST {
                let mut units = KVec::from_elem(JUNK, len, GFP_KERNEL)?;
                let unit = tag * UNITS_PER_TAG;
                match write(tag, count, &mut units) {
                    Some(Descriptor::InPlace(only)) => {
                        assert_eq!((count, Some(only)), (1, Entry::new(0, 8)));
                        continue;
                    }
                    other => {
                        let marked = false;
                        assert_eq!(other, Some(Descriptor::List { unit, marked }));
                    }
                }
                assert_eq!(walk(tag, &units), Some(count));
                // What was not needed was not touched.
                let used = count.div_ceil(UNIT_WORDS - 1) * UNIT_WORDS;
                assert!(units.iter().skip(used).all(|word| *word == JUNK));
            }
            let mut units = KVec::from_elem(JUNK, len, GFP_KERNEL)?;
            assert_eq!(write(tag, MOST + 1, &mut units), None);
        }
        Ok(())
    }

    /// Tag 59's list begins at unit 0x887 (O).
    #[test]
    fn trace_index() -> Result {
        let mut list = List::begin(59, |_, _| Some(()));
        for n in 0..2 {
            assert_eq!(list.push(Entry::new(n * 8, 8).ok_or(EINVAL)?), Some(()));
        }
        let (unit, marked) = (0x0887, true);
        assert_eq!(list.end(marked), Some(Descriptor::List { unit, marked }));
        Ok(())
    }

    #[test]
    fn a_list_has_an_entry() {
        assert_eq!(List::begin(0, |_, _| Some(())).end(false), None);
    }
}
