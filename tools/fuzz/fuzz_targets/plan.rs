// SPDX-License-Identifier: GPL-2.0

//! What a CDB moves, and how the driver decides that it travels.

#![no_main]

use formats::properties::plan;

libfuzzer_sys::fuzz_target!(|input: plan::Input| {
    plan::nothing_is_described_that_is_not_there(&input);
});
