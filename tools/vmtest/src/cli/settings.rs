// SPDX-License-Identifier: GPL-2.0

//! `tools/vm settings`: what the card can be like.

use std::io::{self, Write};

use clap::Args;
use vmtest::Result;

/// List what the card can be like.
#[derive(Debug, Args)]
pub struct Settings {}

impl Settings {
    /// Prints the list.
    pub fn run(&self) -> Result<u8> {
        // A reader that has seen enough is no error.
        let _ = io::stdout()
            .lock()
            .write_all(apple_raid_twin::vocabulary().as_bytes());
        Ok(0)
    }
}
