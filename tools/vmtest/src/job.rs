// SPDX-License-Identifier: GPL-2.0

//! A command in the guest, while it runs.
//!
//! guest/exec.sh writes its output to `ID.out` and `ID.err` in the exchange folder,
//! its status to `ID.status`, and at last there is `ID.end`. The host only looks at
//! files: a command is not disturbed by being watched.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::console::{Tail, tail};
use crate::error::{Error, Result};
use crate::vm::Vm;

/// How often the files are looked at.
const PACE: Duration = Duration::from_millis(10);
/// How long the output may come after the command's end; it does not end at all when
/// the command has left something behind that may still write.
const LATE_OUTPUT: Duration = Duration::from_secs(1);
/// What tells where a command is that takes too long, and how many seconds it may take
/// to tell, on Debian's kernel.
const STUCK_SH: &str = include_str!("../guest/stuck.sh");
const ASKING: u64 = 20;
/// How many lines of output go into the message about a timeout.
const SHOWN: usize = 15;

/// What a command left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; 128 and the number of the signal when one ended it.
    pub status: i32,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Its standard output as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its standard error as text.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A command that was started. Dropping it leaves the command running.
#[derive(Debug)]
#[must_use]
pub struct Job<'vm> {
    vm: &'vm Vm,
    /// Its files, but for their endings.
    files: PathBuf,
    pid: u64,
    what: String,
}

impl<'vm> Job<'vm> {
    pub(crate) fn new(vm: &'vm Vm, files: PathBuf, pid: u64, what: String) -> Self {
        Self {
            vm,
            files,
            pid,
            what,
        }
    }

    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        self.file("status").exists()
    }

    /// What it has written to its standard output so far.
    pub fn stdout_so_far(&self) -> Vec<u8> {
        fs::read(self.file("out")).unwrap_or_default()
    }

    /// Ends it, and all that it started, with SIGKILL.
    pub fn kill(&self) -> Result<()> {
        self.vm.kill_group(self.pid)
    }

    /// Waits for its end.
    pub fn wait(self, limit: Duration) -> Result<Output> {
        let status = self.wait_status(limit, || Ok(()))?;
        let read = |ending: &str| {
            let file = self.file(ending);
            fs::read(&file).with_context(|| format!("read {}", file.display()))
        };
        Ok(Output {
            status,
            stdout: read("out")?,
            stderr: read("err")?,
        })
    }

    /// Waits for its end, and passes on what it writes while it runs.
    pub fn follow(
        self,
        limit: Duration,
        stdout: &mut dyn Write,
        stderr: &mut dyn Write,
    ) -> Result<i32> {
        let mut out = Tail::new(&self.file("out"));
        let mut err = Tail::new(&self.file("err"));
        let mut pass = || -> anyhow::Result<usize> {
            let (new_out, new_err) = (out.read()?, err.read()?);
            stdout
                .write_all(&new_out)
                .context("write to the standard output")?;
            stderr
                .write_all(&new_err)
                .context("write to the standard error")?;
            stdout.flush()?;
            Ok(new_out.len() + new_err.len())
        };
        let status = self.wait_status(limit, || pass().map(drop));
        while pass()? > 0 {}
        status
    }

    fn wait_status(
        &self,
        limit: Duration,
        mut meanwhile: impl FnMut() -> anyhow::Result<()>,
    ) -> Result<i32> {
        let begin = Instant::now();
        let mut watch = self.vm.watch();
        loop {
            meanwhile()?;
            if let Some(status) = self.status()? {
                self.wait_output();
                return Ok(status);
            }
            watch.check()?;
            if begin.elapsed() > limit {
                let error = self.timeout(limit);
                let _ = self.kill();
                return Err(error);
            }
            thread::sleep(PACE);
        }
    }

    fn wait_output(&self) {
        let begin = Instant::now();
        while !self.file("end").exists() && begin.elapsed() < LATE_OUTPUT {
            thread::sleep(PACE);
        }
        self.vm.reap(self.pid);
    }

    fn status(&self) -> anyhow::Result<Option<i32>> {
        let file = self.file("status");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Some(text.trim().parse().context("a strange status")?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("read the status"),
        }
    }

    fn timeout(&self, limit: Duration) -> Error {
        let mut shown = match self.where_it_is() {
            Ok(text) => format!("\nit was here:\n{text}"),
            Err(error) => format!("\nthe guest does not say where it was: {error:#}"),
        };
        for ending in ["out", "err"] {
            let bytes = fs::read(self.file(ending)).unwrap_or_default();
            let text = tail(&String::from_utf8_lossy(&bytes), SHOWN);
            if !text.is_empty() {
                shown.push_str(&format!("\nits std{ending} ended with:\n{text}"));
            }
        }
        Error::Timeout {
            what: self.what.clone(),
            seconds: limit.as_secs(),
            tail: shown,
        }
    }

    /// Where the command is in the guest's kernel, and what the disks there wait for.
    fn where_it_is(&self) -> anyhow::Result<String> {
        let session = self.pid.to_string();
        let asked = self
            .vm
            .spawn_program(&["/bin/sh", "-c", STUCK_SH, "stuck.sh", &session])?;
        let begin = Instant::now();
        while !asked.file("end").exists() && begin.elapsed() < self.vm.within(ASKING) {
            thread::sleep(PACE);
        }
        if asked.file("end").exists() {
            asked.vm.reap(asked.pid);
        } else {
            asked.kill()?;
        }
        Ok(String::from_utf8_lossy(&asked.stdout_so_far()).into_owned())
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.files.with_extension(ending)
    }
}
