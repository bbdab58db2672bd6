// SPDX-License-Identifier: GPL-2.0

//! The twin as a program: serves one card at a socket until it is killed.

use apple_raid_twin::{Config, KEYS, Twin};
use clap::Parser;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// A digital twin of the Apple RAID Card, for QEMU's vfio-user-pci
#[derive(Parser)]
#[command(version, after_help = keys())]
struct Args {
    /// The socket to listen at
    #[arg(long, short, value_name = "PATH")]
    socket: PathBuf,

    /// Set a parameter of the card (may be repeated; the keys stand below)
    #[arg(long, short = 'o', value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Write every event to this file
    #[arg(long, short, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// The parameters, for the help text.
fn keys() -> String {
    let mut text = String::from("Parameters of the card:\n");
    for key in KEYS {
        let setting = format!("{}={}", key.name, key.values);
        // A String takes whatever is written to it.
        let _ = writeln!(text, "  {setting:<42} {}", key.about);
    }
    text
}

fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let mut config = Config::default();
    for setting in &args.set {
        config.set(setting)?;
    }
    let twin = Twin::new(config);
    if let Some(file) = &args.trace {
        twin.trace().write_to(file)?;
    }
    let server = twin.serve(&args.socket)?;
    tracing::info!(socket = %server.path().display(), "serving");
    server.wait();
    Ok(())
}
