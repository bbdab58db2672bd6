// SPDX-License-Identifier: GPL-2.0

//! What the driver told the card about data, read from the twin's trace.
//!
//! Guards around a buffer in user space do not see everything: the kernel copies
//! much of what SG_IO moves, so junk might hit the kernel's own pages. The trace
//! shows every address.

use std::collections::{BTreeSet, HashMap};

/// A bounce buffer of the driver, and the room behind it.
const BOUNCE_LEN: u64 = 124 * 1024;
const BOUNCE_MARGIN: u64 = 4 * 1024;
const BLOCK: u64 = 512;

/// A line of the trace: its kind and its values.
struct Event<'a> {
    line: &'a str,
    kind: &'a str,
    values: HashMap<&'a str, &'a str>,
}

impl<'a> Event<'a> {
    fn parse(line: &'a str) -> Self {
        let mut words = line.split_whitespace().skip(1);
        Self {
            line,
            kind: words.next().unwrap_or_default(),
            values: words.filter_map(|word| word.split_once('=')).collect(),
        }
    }

    fn text(&self, key: &str) -> &'a str {
        self.values.get(key).copied().unwrap_or_default()
    }

    fn number(&self, key: &str) -> u64 {
        let text = self.text(key);
        let number = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => text.parse(),
        };
        number.unwrap_or_else(|_| panic!("no {key}: {}", self.line))
    }
}

/// What the trace has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Commands that came to the card.
    pub commands: u64,
    /// Of these, the ones that moved data by one descriptor, and by a list.
    pub direct: u64,
    /// See `direct`.
    pub lists: u64,
    /// Transfers that junk followed.
    pub junk: u64,
    /// The buffers that it followed.
    pub bounced_to: BTreeSet<u64>,
}

/// Checks that every transfer is described in full, and that junk only ever lands
/// in the room behind one of a few bounce buffers.
pub fn check(trace: &[String]) -> Seen {
    let mut seen = Seen::default();
    // Where the last command of each tag has its data.
    let mut begins: HashMap<u64, u64> = HashMap::new();
    for event in trace.iter().map(|line| Event::parse(line)) {
        match event.kind {
            "slot" => {
                seen.commands += 1;
                match event.text("data") {
                    "none" => assert_eq!(event.text("dir"), "none", "{}", event.line),
                    "direct" => {
                        seen.direct += 1;
                        let whole = event.text("dir") == "none"
                            || event.number("bytes") >= event.number("len");
                        assert!(whole, "described in part: {}", event.line);
                        begins.insert(event.number("tag"), event.number("addr"));
                    }
                    _ => {
                        seen.lists += 1;
                        begins.remove(&event.number("tag"));
                    }
                }
            }
            "entry" => {
                let bounds = event.number("addr") | event.number("bytes");
                assert_eq!(bounds % BLOCK, 0, "no whole blocks: {}", event.line);
            }
            "junk" => {
                seen.junk += 1;
                let begin = begins.get(&event.number("tag"));
                let begin = *begin.unwrap_or_else(|| panic!("junk after a list: {}", event.line));
                let end = event.number("addr") + event.number("bytes");
                let room = begin + BOUNCE_LEN + BOUNCE_MARGIN;
                assert!(end <= room, "past a bounce buffer: {}", event.line);
                seen.bounced_to.insert(begin);
            }
            "overrun" => panic!("described in part: {}", event.line),
            _ => {}
        }
    }
    let apart = |(a, b): (&u64, &u64)| b - a >= BOUNCE_LEN + BOUNCE_MARGIN;
    let buffers = || seen.bounced_to.iter();
    assert!(buffers().zip(buffers().skip(1)).all(apart), "{seen:x?}");
    seen
}
