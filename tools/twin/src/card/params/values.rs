// SPDX-License-Identifier: GPL-2.0

//! The values of settings.

use std::time::Duration;

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

pub(super) fn up_to(text: &str, most: u32) -> Option<u32> {
    number(text).filter(|n| *n <= most)
}

pub(super) fn milliseconds(text: &str) -> Option<Duration> {
    up_to(text, 600_000).map(|n| Duration::from_millis(n.into()))
}

pub(super) fn yes(text: &str) -> Option<bool> {
    named(text, &[("yes", true), ("no", false)])
}

pub(super) fn named<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    choices
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value)
}
