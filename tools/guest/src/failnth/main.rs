// SPDX-License-Identifier: GPL-2.0

//! failnth: a host adapter, its logical unit and its disk, while the kernel has no memory.
//!
//! `each` and `io` do an operation again and again, and have one allocation after the other fail,
//! by /proc/thread-self/fail-nth. `storm` does all of them, while failslab and fail_page_alloc have
//! the allocations of any task fail at random; which these may be, somebody else has said. `fill`
//! comes first: it writes what the others read.
//!
//! An operation may fail, but then it says so: data that was read or written without an error is
//! right, and what sysfs says was done was done. Whether the kernel has anything to say is for
//! somebody else to look.

mod disk;
mod kmsg;
mod lifecycle;
mod nth;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::disk::{Files, Io, JOBS};
use crate::lifecycle::{Card, Step, Write};
use crate::nth::{Storm, each_allocation};

/// Uses the card while memory is short
#[derive(Debug, Parser)]
enum Command {
    /// Write to the disk what the other commands read
    Fill,
    /// Have one allocation after the other of a step fail
    Each {
        /// The steps
        #[arg(required = true)]
        steps: Vec<Step>,
    },
    /// Have one allocation after the other of each way to the disk fail
    Io,
    /// Do everything, while any allocation may fail
    Storm {
        /// How often
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
}

fn main() -> ExitCode {
    match Command::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failnth: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(&self) -> Result<()> {
        let card = Card::find()?;
        match self {
            Self::Fill => open(&card)?.fill(),
            Self::Each { steps } => steps
                .iter()
                .try_for_each(|step| each_allocation(&mut Write::new(&card, *step))),
            Self::Io => {
                let mut files = open(&card)?;
                JOBS.iter()
                    .try_for_each(|job| each_allocation(&mut Io::new(&mut files, *job)))
            }
            Self::Storm { rounds } => {
                let mut storm = Storm::open()?;
                for _ in 0..*rounds {
                    all(&card, &mut storm)?;
                }
                println!("{storm}");
                Ok(())
            }
        }
    }
}

fn open(card: &Card) -> Result<Files> {
    card.bind()?;
    // A node may be there before its disk: the one of an earlier disk, for whose removal there was
    // no memory.
    card.appears("the disk", || {
        let (disk, generic) = card.nodes()?;
        Files::open(disk, generic).ok()
    })
}

/// Percent of the allocations that fail in a storm: a step has hundreds, a transfer a few.
const OF_STEP: u32 = 4;
const OF_JOB: u32 = 25;

/// How long what a step began in the background takes.
const BACKGROUND: Duration = Duration::from_millis(200);

/// Everything, once.
fn all(card: &Card, storm: &mut Storm) -> Result<()> {
    for step in Step::ALL {
        storm.meets(&mut Write::new(card, step), OF_STEP, BACKGROUND)?;
    }
    card.bind_anew()?;
    let mut files = open(card)?;
    for job in JOBS {
        storm.meets(&mut Io::new(&mut files, *job), OF_JOB, Duration::ZERO)?;
    }
    Ok(())
}
