// SPDX-License-Identifier: GPL-2.0

//! The twin as a program: serves one card at a socket until it is told to stop.

use apple_raid_twin::scsi::Volume;
use apple_raid_twin::{Config, Twin, vocabulary};
use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// A digital twin of the Apple RAID Card, for QEMU's vfio-user-pci
///
/// SIGINT and SIGTERM end it in an orderly way: the volumes are flushed. Any other
/// end is a power cut.
#[derive(Parser)]
#[command(version, after_help = vocabulary())]
struct Args {
    /// The socket to listen at
    #[arg(long, short, value_name = "PATH")]
    socket: PathBuf,

    /// A volume, at the next LUN: a file or block device that exists, a file to be
    /// made with that size, or ":SIZE" for a temporary one (K, M, G and T are known)
    #[arg(long, short, value_name = "FILE[:SIZE]")]
    volume: Vec<VolumeArg>,

    /// Set a parameter of the card (may be repeated; the keys stand below)
    #[arg(long, short = 'o', value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Write every event to this file
    #[arg(long, short, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Where a volume's blocks lie.
#[derive(Clone, Debug, PartialEq, Eq)]
struct VolumeArg {
    file: PathBuf,
    size: Option<u64>,
}

impl FromStr for VolumeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What does not look like a size belongs to the file's name.
        let sized = text
            .rsplit_once(':')
            .and_then(|(file, size)| Some((file, bytes(size)?)));
        match sized {
            Some((file, size)) => Ok(VolumeArg {
                file: file.into(),
                size: Some(size),
            }),
            None if text.starts_with(':') => Err("a temporary volume needs a size".into()),
            None => Ok(VolumeArg {
                file: text.into(),
                size: None,
            }),
        }
    }
}

impl VolumeArg {
    fn open(&self) -> Result<Volume, Box<dyn Error>> {
        Ok(match self.size {
            Some(size) if self.file == Path::new("") => Volume::temporary(size)?,
            Some(size) if !self.file.exists() => Volume::create(&self.file, size)?,
            _ => Volume::open(&self.file)?,
        })
    }
}

/// A size as people write it: 512, 64M, 2T.
fn bytes(text: &str) -> Option<u64> {
    let shift = match text.chars().last()? {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => return text.parse().ok(),
    };
    text[..text.len() - 1]
        .parse::<u64>()
        .ok()?
        .checked_mul(1 << shift)
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
    let first = config.card.first_volume();
    let twin = Twin::new(config);
    for (lun, volume) in (first..).zip(&args.volume) {
        twin.target().add_volume(lun, volume.open()?)?;
    }
    if let Some(file) = &args.trace {
        twin.trace().write_to(file)?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let server = twin.serve(&args.socket)?;
    tracing::info!(socket = %server.path().display(), "serving");
    signals.forever().next();
    server.stop();
    twin.target().shutdown()?;
    tracing::info!("{:?}", twin.report());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes() {
        let parse = |text: &str| text.parse::<VolumeArg>();
        let volume = |file: &str, size| {
            Ok(VolumeArg {
                file: file.into(),
                size,
            })
        };
        assert_eq!(parse("disk.img"), volume("disk.img", None));
        assert_eq!(parse("disk.img:64M"), volume("disk.img", Some(64 << 20)));
        assert_eq!(parse("a:b"), volume("a:b", None));
        assert_eq!(parse(":2T"), volume("", Some(2 << 40)));
        assert!(parse(":").is_err() && parse(":x").is_err());
        assert_eq!(bytes("99999999999T"), None);
    }
}
