// SPDX-License-Identifier: GPL-2.0

//! Formats, the driver's codec against the twin's.

#![no_main]

use formats::properties::wire;

libfuzzer_sys::fuzz_target!(|input: wire::Input| {
    wire::both_sides_agree(&input);
});
