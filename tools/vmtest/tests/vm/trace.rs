// SPDX-License-Identifier: GPL-2.0

//! The twin's trace, line by line.

use std::collections::HashMap;

/// A line of the trace: its kind and its values.
pub struct Event<'a> {
    pub line: &'a str,
    pub kind: &'a str,
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

    /// A value as it stands there; empty if there is none.
    pub fn text(&self, key: &str) -> &'a str {
        self.values.get(key).copied().unwrap_or_default()
    }

    /// A value that is a number.
    pub fn number(&self, key: &str) -> u64 {
        let text = self.text(key);
        let number = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => text.parse(),
        };
        number.unwrap_or_else(|_| panic!("no {key}: {}", self.line))
    }

    /// Whether it is an access of this kind to a register.
    pub fn is_access(&self, kind: &str, off: u64) -> bool {
        self.kind == kind && self.number("off") == off
    }
}

/// The lines of a trace.
pub fn events(lines: &[String]) -> Vec<Event<'_>> {
    lines.iter().map(|line| Event::parse(line)).collect()
}

/// How many accesses of this kind to a register there are.
pub fn accesses(events: &[Event<'_>], kind: &str, off: u64) -> usize {
    let wanted = |event: &&Event<'_>| event.is_access(kind, off);
    events.iter().filter(wanted).count()
}

/// How many lines are of this kind.
pub fn of_kind(events: &[Event<'_>], kind: &str) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}
