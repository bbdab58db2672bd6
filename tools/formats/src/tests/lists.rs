// SPDX-License-Identifier: GPL-2.0

//! Chains of units, word by word.

use std::collections::BTreeMap;

use crate::{
    cdb::Way,
    lists::{List, UNIT_WORDS, UNITS_PER_TAG},
    transfer::Transfer,
    wire::{Descriptor, Entry},
};

const MOST: usize = 7 * UNITS_PER_TAG as usize;

fn entry(n: usize) -> Entry {
    Entry::new(0x1000 + n as u64 * 8, 8).expect("an entry")
}

/// The words of a list of so many entries, by their places; `None` if there is no room.
fn list(tag: u16, count: usize) -> Option<BTreeMap<usize, u64>> {
    let mut words = BTreeMap::new();
    let mut list = List::begin(tag, |place, word: u64| {
        words.insert(place, u64::from_be(word));
        Some(())
    });
    for n in 0..count {
        list.push(entry(n))?;
    }
    let unit = tag * UNITS_PER_TAG;
    let marked = false;
    assert_eq!(list.end(marked)?, Descriptor::List { unit, marked });
    Some(words)
}

#[test]
fn every_unit_has_seven_entries_and_a_link_but_the_last() {
    for tag in [0, 1, 59] {
        let first = usize::from(tag * UNITS_PER_TAG);
        for count in [2, 7, 8, 14, 15, 256, 257, 258, MOST] {
            let words = list(tag, count).expect("there is room");
            let units = count.div_ceil(7);
            // All words of the units, and no others.
            let places: Vec<_> = words.keys().copied().collect();
            let all: Vec<_> = (first * UNIT_WORDS..(first + units) * UNIT_WORDS).collect();
            assert_eq!(places, all, "{count} entries");
            for n in 0..units * 7 {
                let word = words[&((first + n / 7) * UNIT_WORDS + n % 7)];
                let wanted = if n < count {
                    u64::from_be(entry(n).to_word())
                } else {
                    0
                };
                assert_eq!(word, wanted, "entry {n} of {count}");
            }
            for unit in 0..units {
                let link = words[&((first + unit) * UNIT_WORDS + 7)];
                let next = if unit + 1 < units {
                    first + unit + 1
                } else {
                    0
                };
                assert_eq!(link, (next as u64) << 48, "unit {unit} of {units}");
            }
        }
    }
}

#[test]
fn a_tag_has_room_for_so_many() {
    assert!(list(59, MOST).is_some());
    assert!(list(59, MOST + 1).is_none());
}

/// Data-in of `len` bytes, for which the caller has just the room.
fn straight(len: u32) -> Transfer {
    Transfer {
        way: Way::In,
        len,
        straight: len - len % 8,
        own: len % 8,
    }
}

/// The list of 13 bytes in the trace: two entries in tag 59's first unit, the second is the tail.
#[test]
fn the_list_of_the_trace() {
    let mut words = BTreeMap::new();
    let mut list = List::begin(0x3b, |place, word: u64| {
        words.insert(place, word.to_ne_bytes());
        Some(())
    });
    let segments = [(0x02_319b_5900, 13)].into_iter();
    straight(13)
        .entries(segments, 0x0b59_d1d8, 0, |entry| list.push(entry))
        .expect("there is room");
    let (unit, marked) = (0x0887, true);
    assert_eq!(list.end(marked), Some(Descriptor::List { unit, marked }));
    let mut unit = vec![[0; 8]; UNIT_WORDS];
    unit[0] = [0x02, 0x31, 0x9b, 0x59, 0x00, 0x00, 0x00, 0x02];
    unit[1] = [0x00, 0x0b, 0x59, 0xd1, 0xd8, 0x00, 0x00, 0x02];
    assert_eq!(words.into_values().collect::<Vec<_>>(), unit);
}

/// Seven segments fill a unit, and the tail needs one more: macOS gets this wrong (K).
#[test]
fn a_tail_behind_a_full_unit() {
    for segments in [7, 14, 252] {
        let mut words = BTreeMap::new();
        let mut list = List::begin(0, |place, word: u64| {
            words.insert(place, u64::from_be(word));
            Some(())
        });
        let last = segments - 1;
        let each = (0..segments).map(|n| (n as u64 * 4096, if n < last { 4096 } else { 4093 }));
        let each = each.collect::<Vec<_>>().into_iter();
        straight(segments as u32 * 4096 - 3)
            .entries(each, 0x8000_0000, 0, |entry| list.push(entry))
            .expect("there is room");
        list.end(false).expect("an end");
        let units = segments / 7;
        assert_eq!(words.len(), (units + 1) * UNIT_WORDS);
        assert_eq!(words[&(units * UNIT_WORDS - 1)], (units as u64) << 48);
        assert_eq!(words[&(units * UNIT_WORDS)], 0x8000_0000 << 24 | 2);
        assert_eq!(words[&(units * UNIT_WORDS + 7)], 0);
    }
}

/// A single entry goes into the slot.
#[test]
fn one_entry_is_no_list() {
    let mut list = List::begin(0x3b, |_, _| Some(()));
    list.push(entry(0)).expect("there is room");
    assert_eq!(list.end(true), Some(Descriptor::InPlace(entry(0))));
    assert_eq!(List::begin(0x3b, |_, _| Some(())).end(true), None);
}
