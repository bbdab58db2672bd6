// SPDX-License-Identifier: GPL-2.0

//! The twin's decoder.

#![no_main]

use apple_raid_twin::card::properties::slot;

libfuzzer_sys::fuzz_target!(|input: slot::Input| {
    slot::decodes_to_what_it_says(&input);
});
