// SPDX-License-Identifier: GPL-2.0

//! What the driver told the card about data, read from the twin's trace.
//!
//! Guards around a buffer in user space do not see everything: the kernel copies
//! much of what SG_IO moves, so junk might hit the kernel's own pages. The trace
//! shows every address.
//!
//! The card moves units of 8 bytes. What ends within one goes to a bounce buffer, of
//! which there are a few, or its last bytes go to the tail buffer of the tag.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{Event, events};

/// What the card moves at least.
const UNIT: u64 = 8;

/// What the trace has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Commands that came to the card.
    pub commands: u64,
    /// Of these, the ones that moved data by one entry, and by a list.
    pub direct: u64,
    /// See `direct`.
    pub lists: u64,
    /// Commands whose data ended within a unit, with an entry of more than a unit: the
    /// places it went to.
    pub bounced_to: BTreeSet<u64>,
    /// Commands whose last bytes went to a tail buffer.
    pub tails: u64,
}

/// A command with a list, as far as it was read.
struct List {
    entries: u64,
    left: u64,
    ends_within: bool,
}

/// Checks that every transfer is described in full and in units, and that one which ends
/// within a unit does so in a bounce buffer, or in the tail buffer of its tag.
pub fn check(trace: &[String]) -> Seen {
    let mut seen = Seen::default();
    let mut lists: BTreeMap<u64, List> = BTreeMap::new();
    // Where the tail buffers begin.
    let mut tails = BTreeSet::new();
    for event in &events(trace) {
        match event.kind {
            "slot" => slot(event, &mut seen, &mut lists),
            "entry" => {
                let (at, bytes) = (event.number("addr"), event.number("bytes"));
                assert_eq!((at | bytes) % UNIT, 0, "no whole units: {}", event.line);
                if let Some(list) = lists.get_mut(&event.number("tag")) {
                    list.entries += 1;
                    list.left = list.left.saturating_sub(bytes);
                    if list.left == 0 && list.ends_within {
                        assert_eq!(bytes, UNIT, "no tail: {}", event.line);
                        tails.insert(at - UNIT * event.number("tag"));
                        seen.tails += 1;
                    }
                }
            }
            "response" => {
                // What is refused, or comes in the response, does not need its list.
                let list = lists.remove(&event.number("tag"));
                let left = list
                    .filter(|list| list.entries > 0)
                    .map_or(0, |list| list.left);
                assert_eq!(left, 0, "described in part: {}", event.line);
            }
            "overrun" => panic!("described in part: {}", event.line),
            _ => {}
        }
    }
    assert!(tails.len() <= 1, "tail buffers do not lie side by side");
    seen
}

fn slot(event: &Event<'_>, seen: &mut Seen, lists: &mut BTreeMap<u64, List>) {
    seen.commands += 1;
    match event.text("data") {
        "none" => assert_eq!(event.text("dir"), "none", "{}", event.line),
        "direct" => {
            seen.direct += 1;
            if event.text("dir") == "none" {
                return;
            }
            let (len, bytes) = (event.number("len"), event.number("bytes"));
            assert_eq!(bytes, len.next_multiple_of(UNIT), "{}", event.line);
            if len % UNIT != 0 && len > UNIT {
                seen.bounced_to.insert(event.number("addr"));
            }
        }
        _ => {
            seen.lists += 1;
            let len = event.number("len");
            let list = List {
                entries: 0,
                left: len.next_multiple_of(UNIT),
                ends_within: len % UNIT != 0,
            };
            lists.insert(event.number("tag"), list);
        }
    }
}
