// SPDX-License-Identifier: GPL-2.0

//! The twin as a whole, with a host that makes no sense.

#![no_main]

use apple_raid_twin::card::properties::host;

libfuzzer_sys::fuzz_target!(|input: host::Script| {
    host::every_command_ends(&input);
});
