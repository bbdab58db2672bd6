// SPDX-License-Identifier: GPL-2.0

//! What the driver told the card about data, read from the twin's trace.
//!
//! Guards around a buffer in user space do not see everything: the kernel copies
//! much of what SG_IO moves, so junk might hit the kernel's own pages. The trace
//! shows every address.
//!
//! The card moves units of 8 bytes. What ends within one goes to the sink, which is one
//! place for all, or its last bytes go to memory of the tag's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{Event, events};

/// What the card moves at least.
const UNIT: u64 = 8;

/// Bytes of each tag's own memory.
const OWN: u64 = 32;

/// What the trace has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Commands that came to the card.
    pub commands: u64,
    /// Of these, the ones that moved data by one entry, and by a list.
    pub direct: u64,
    /// See `direct`.
    pub lists: u64,
    /// Commands whose data ended within a unit, and with that in memory of the tag's own, or
    /// in the sink.
    pub tails: u64,
    /// See `tails`.
    pub to_the_sink: u64,
}

/// A command with a list, as far as it was read.
struct List {
    entries: u64,
    left: u64,
    ends_within: bool,
}

/// The last entry of data that ended within a unit.
struct End {
    tag: u64,
    at: u64,
    bytes: u64,
    line: String,
}

impl End {
    fn new(event: &Event<'_>) -> Self {
        let number = |key| event.number(key);
        End {
            tag: number("tag"),
            at: number("addr"),
            bytes: number("bytes"),
            line: event.line.to_string(),
        }
    }
}

/// Checks that every transfer is described in full and in units, and that none ends within a
/// unit of the caller's memory.
pub fn check(trace: &[String]) -> Seen {
    let mut seen = Seen::default();
    let mut lists: BTreeMap<u64, List> = BTreeMap::new();
    let mut ends = Vec::new();
    for event in &events(trace) {
        match event.kind {
            "slot" => slot(event, &mut seen, &mut lists, &mut ends),
            "entry" => {
                let (at, bytes) = (event.number("addr"), event.number("bytes"));
                assert_eq!((at | bytes) % UNIT, 0, "no whole units: {}", event.line);
                if let Some(list) = lists.get_mut(&event.number("tag")) {
                    list.entries += 1;
                    list.left = list.left.saturating_sub(bytes);
                    if list.left == 0 && list.ends_within {
                        ends.push(End::new(event));
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
    check_ends(&ends, &mut seen);
    seen
}

fn check_ends(ends: &[End], seen: &mut Seen) {
    // What is too long for a tag's own memory can be in the sink only.
    let long = ends.iter().filter(|end| end.bytes > OWN);
    let sinks: BTreeSet<u64> = long.map(|end| end.at).collect();
    assert!(sinks.len() <= 1, "{} places were the sink", sinks.len());
    let (in_sink, own): (Vec<&End>, Vec<&End>) =
        ends.iter().partition(|end| sinks.contains(&end.at));
    seen.to_the_sink = in_sink.len() as u64;
    seen.tails = own.len() as u64;
    let mut begin = BTreeSet::new();
    for end in own {
        begin.insert(end.at - OWN * end.tag);
        assert!(
            begin.len() == 1,
            "not in the tag's own memory: {}",
            end.line
        );
    }
}

fn slot(event: &Event<'_>, seen: &mut Seen, lists: &mut BTreeMap<u64, List>, ends: &mut Vec<End>) {
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
            if len % UNIT != 0 {
                ends.push(End::new(event));
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
