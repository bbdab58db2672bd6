// SPDX-License-Identifier: GPL-2.0

//! The QEMU process: started, watched, and never left behind.
//!
//! It dies with us even when we are killed: the kernel sends it SIGKILL when the
//! thread that started it ends (PR_SET_PDEATHSIG). So a thread of its own starts
//! it, and stays until it ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

const PACE: Duration = Duration::from_millis(20);
const PROGRAM: &str = "qemu-system-x86_64";

/// A QEMU that runs, or has run.
#[derive(Debug)]
pub struct Process {
    shared: Arc<Mutex<State>>,
    keeper: Option<JoinHandle<()>>,
    log: PathBuf,
}

#[derive(Debug)]
enum State {
    Running(Child),
    Ended(String),
}

impl Process {
    /// Starts QEMU; what it prints goes to `log`. With `terminal` it gets our
    /// standard input and output.
    pub fn start(arguments: &[String], log: &Path, terminal: bool) -> Result<Self> {
        let mut command = command(arguments, log, terminal)?;
        let (sender, receiver) = mpsc::channel();
        let keeper =
            thread::Builder::new()
                .name("qemu".into())
                .spawn(move || match command.spawn() {
                    Ok(child) => {
                        let shared = Arc::new(Mutex::new(State::Running(child)));
                        if sender.send(Ok(Arc::clone(&shared))).is_ok() {
                            keep(&shared);
                        }
                    }
                    Err(error) => drop(sender.send(Err(error))),
                })?;
        let shared = receiver
            .recv()
            .map_err(|_| anyhow!("the thread that starts QEMU is gone"))?
            .context("run QEMU")?;
        Ok(Self {
            shared,
            keeper: Some(keeper),
            log: log.to_path_buf(),
        })
    }

    /// How QEMU ended, with the last that it said, or nothing while it runs.
    pub fn ended(&self) -> Option<String> {
        let State::Ended(how) = &*lock(&self.shared) else {
            return None;
        };
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        match said.trim() {
            "" => Some(how.clone()),
            said => Some(format!("{how}: {said}")),
        }
    }

    /// Waits for the end; false when the time is up first.
    pub fn wait(&self, limit: Duration) -> bool {
        let begin = Instant::now();
        while self.ended().is_none() {
            if begin.elapsed() > limit {
                return false;
            }
            thread::sleep(PACE);
        }
        true
    }

    /// Pulls the plug.
    pub fn kill(&self) {
        if let State::Running(child) = &mut *lock(&self.shared) {
            let _ = child.kill();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

fn command(arguments: &[String], log: &Path, terminal: bool) -> Result<Command> {
    let log = File::create(log).with_context(|| format!("create {}", log.display()))?;
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", PROGRAM])
        .args(arguments)
        .stderr(log.try_clone()?);
    if !terminal {
        command.stdin(Stdio::null()).stdout(log);
    }
    Ok(command)
}

fn keep(shared: &Mutex<State>) {
    loop {
        let how = poll(&mut lock(shared));
        if let Some(how) = how {
            *lock(shared) = State::Ended(how);
            return;
        }
        thread::sleep(PACE);
    }
}

fn poll(state: &mut State) -> Option<String> {
    let State::Running(child) = state else {
        return Some("it never ran".into());
    };
    match child.try_wait() {
        Ok(None) => None,
        Ok(Some(status)) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
