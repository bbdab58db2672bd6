// SPDX-License-Identifier: GPL-2.0

//! `tools/vm replay`: a trace of a real card, held against the model.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use apple_raid_twin::replay::{Misfit, Outcome, replay};
use clap::Args;
use vmtest::Result;

/// The exit status for a trace that does not fit.
const MISFIT: u8 = 1;

/// Hold a trace of a real card against the model of it.
#[derive(Debug, Args)]
pub struct Replay {
    /// The trace: events of QEMU's vfio, as its simpletrace.py prints them
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The card, as the trace names it (0000:01:00.0), if others are in it too
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

impl Replay {
    /// Replays it; says what came of it.
    pub fn run(&self) -> Result<u8> {
        let (text, status) = self.outcome()?;
        // A reader that has seen enough is no error.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        Ok(status)
    }

    /// What is to be printed, and the exit status.
    fn outcome(&self) -> anyhow::Result<(String, u8)> {
        let name = self.file.display();
        let bytes = fs::read(&self.file).with_context(|| format!("cannot read {name}"))?;
        let text = String::from_utf8_lossy(&bytes);
        let outcome = replay(&text, self.device.as_deref()).context("the trace")?;
        Ok(told(&outcome))
    }
}

/// The file goes by another name in the build root: it is not named.
fn told(outcome: &Outcome) -> (String, u8) {
    match &outcome.misfit {
        None => (format!("the trace fits: {outcome}\n"), 0),
        Some(Misfit { number, text, why }) => {
            let lines = [
                format!("line {number} does not fit: {why}"),
                format!("    {text}"),
                format!("before it: {outcome}"),
            ];
            (lines.join("\n") + "\n", MISFIT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACOS: &str = include_str!("../../../twin/src/replay/macos.trace");

    /// What is printed for a file that holds this, and the exit status.
    fn of(text: &str) -> anyhow::Result<(String, u8)> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), text)?;
        let file = file.path().to_owned();
        let device = None;
        Replay { file, device }.outcome()
    }

    #[test]
    fn a_trace_that_fits() {
        let (text, status) = of(MACOS).unwrap();
        assert_eq!(status, 0);
        assert!(text.contains("fits: 15 reads as in the model"), "{text}");
    }

    #[test]
    fn a_line_that_does_not_fit() {
        let (text, status) = of(&MACOS.replace("val=0x4", "val=0xa")).unwrap();
        assert_eq!(status, MISFIT);
        assert!(
            text.contains("line 29 does not fit: the firmware has died"),
            "{text}"
        );
        assert!(text.contains("    vfio_pci_read_config 41.888"), "{text}");
    }

    #[test]
    fn files_that_are_no_traces() {
        let error = |text| format!("{:#}", of(text).unwrap_err());
        assert!(error("hello").contains("no event of vfio"));
        assert!(error("vfio_region_read 1 index=0").contains("line 1"));
        let (file, device) = (PathBuf::from("/no/such/file"), None);
        let error = Replay { file, device }.outcome().unwrap_err();
        assert!(error.to_string().contains("cannot read /no/such/file"));
    }
}
