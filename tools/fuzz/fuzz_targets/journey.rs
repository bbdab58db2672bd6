// SPDX-License-Identifier: GPL-2.0

//! Commands that the driver plans and the twin carries out.

#![no_main]

use formats::properties::journey;

libfuzzer_sys::fuzz_target!(|input: journey::Input| {
    journey::the_card_touches_only_what_is_meant_for_it(&input);
});
