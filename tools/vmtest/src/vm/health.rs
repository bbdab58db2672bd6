// SPDX-License-Identifier: GPL-2.0

//! What the guest's kernel says, and what it has to complain about.

use anyhow::anyhow;

use super::Vm;
use crate::detector::{self, Report};
use crate::error::Result;

impl Vm {
    /// Everything that the guest's kernel has printed.
    pub fn console_log(&self) -> String {
        self.console.text()
    }

    /// What the kernel has to complain about: from its console and, should that
    /// have nothing and the guest still answer, from dmesg.
    pub fn reports(&self) -> Result<Vec<Report>> {
        let found = detector::reports(&self.console.text());
        if !found.is_empty() || self.process.ended().is_some() {
            return Ok(found);
        }
        let dmesg = self.exec("dmesg")?;
        Ok(detector::reports(&dmesg.stdout_text()))
    }

    /// What the kernel has complained about on its console; asks the guest nothing.
    pub fn reports_of_console(&self) -> Vec<Report> {
        detector::reports(&self.console.text())
    }

    /// The memory that nothing points to any more, as kmemleak sees it; nothing on a kernel
    /// without it. An error if kmemleak is off: without `Builder::find_leaks`, or because it
    /// ran out of memory. An object has to be 5 s old to be looked at, and may hide for a while
    /// in a register: it has to be missing in two scans.
    pub fn leaks(&self) -> Result<String> {
        let leaks = self.exec(
            "set -e; leaks=/sys/kernel/debug/kmemleak; [ -e $leaks ] || exit 0; \
             sleep 5; echo scan >$leaks; sleep 1; echo scan >$leaks; cat $leaks",
        )?;
        if leaks.status != 0 {
            return Err(anyhow!("kmemleak is off: {}", leaks.stderr_text()).into());
        }
        Ok(leaks.stdout_text())
    }
}
