// SPDX-License-Identifier: GPL-2.0

//! `tools/vm shell`: a shell in the guest, on the user's terminal.
//!
//! QEMU itself connects the guest's /dev/hvc0 with the terminal, and puts that in
//! raw mode; the shell is a command as any other, whose standard streams are hvc0.

use std::time::Duration;

use clap::Args;
use vmtest::{Error, Result};

use super::{KERNEL_REPORT, Options};

/// A shell in the guest.
#[derive(Debug, Args)]
pub struct Shell {
    #[command(flatten)]
    options: Options,
    /// How many seconds the shell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 60 * 60)]
    timeout: u64,
}

impl Shell {
    /// Boots, shows the shell, powers off.
    pub fn run(&self) -> Result<u8> {
        eprintln!("vm: booting; leave the shell by `exit`, or pull the plug by Ctrl-A X");
        let vm = self.options.boot(self.options.builder()?.terminal())?;
        let (columns, rows) = size();
        // The size is forgotten when nobody holds the console open.
        let term = std::env::var("TERM").unwrap_or_else(|_| "linux".into());
        let session = format!("stty sane rows {rows} cols {columns}; TERM={term} exec bash -l");
        let job = vm.spawn(&format!(
            "exec setsid -c sh -c '{session}' </dev/hvc0 >/dev/hvc0 2>&1"
        ))?;
        match job.wait(Duration::from_secs(self.timeout)) {
            Ok(_) | Err(Error::Died(_)) => {}
            Err(error) => return Err(error),
        }
        let reports = vm.shutdown()?;
        for report in &reports {
            eprintln!("vm: the guest's kernel reports:\n{}", report.text);
        }
        Ok(if reports.is_empty() { 0 } else { KERNEL_REPORT })
    }
}

/// The terminal's columns and rows.
fn size() -> (u16, u16) {
    match rustix::termios::tcgetwinsize(std::io::stdin()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}
