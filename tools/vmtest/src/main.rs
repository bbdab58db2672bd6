// SPDX-License-Identifier: GPL-2.0

//! The program behind `tools/vm`.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Dies with the shell script that started it, so that nothing is left behind.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("vm: {error}");
            ExitCode::from(cli::status_of(&error))
        }
    }
}
