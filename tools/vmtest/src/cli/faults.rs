// SPDX-License-Identifier: GPL-2.0

//! `tools/vm faults`: what can go wrong with the card on purpose.

use std::io::{self, Write};

use apple_raid_twin::FAULTS;
use clap::Args;
use vmtest::Result;

const HOW: &str = "\
Faults of the card, for --twin fault=NAME[:PARAMETER], which may be repeated. The
parameter is [N][xMOST][@WHERE]: the fault strikes one time in N (without: as listed),
at most MOST times. --twin seed=NUMBER decides which times these are.

  chaos   a mix of all but those marked *, decided by the seed

";

const UNSEEN: &str = "
* No driver can see this on the card's interface: data will be wrong.
";

/// List the faults that the card can have.
#[derive(Debug, Args)]
pub struct Faults {}

impl Faults {
    /// Prints the list.
    pub fn run(&self) -> Result<u8> {
        let mut text = String::from(HOW);
        for fault in FAULTS {
            let mark = if fault.can_be_seen() { ' ' } else { '*' };
            let at = match fault.at {
                "" => String::new(),
                at => format!("; @WHERE: {at}"),
            };
            text.push_str(&format!(
                "{mark} {:<27} {} (1 in {}{at})\n",
                fault.name, fault.about, fault.one_in
            ));
        }
        text.push_str(UNSEEN);
        // A reader that has seen enough is no error.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        Ok(0)
    }
}
