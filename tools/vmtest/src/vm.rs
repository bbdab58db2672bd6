// SPDX-License-Identifier: GPL-2.0

//! A VM that runs.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use apple_raid_twin::Twin;

use crate::agent::Agent;
use crate::builder::Builder;
use crate::card::Card;
use crate::console::Console;
use crate::detector::{self, Report};
use crate::error::{Error, Result};
use crate::hba::{self, Hba};
use crate::job::{Job, Output};
use crate::kernel::{Flavour, Kernel};
use crate::lock::VmLock;
use crate::process::Process;
use crate::qemu::{self, Machine};
use crate::qmp::Qmp;
use crate::{guest_tool, initramfs, modules, paths};

mod health;
mod watch;

pub(crate) use watch::Watch;

const PACE: Duration = Duration::from_millis(10);
/// How long a QEMU that does not start gets to say why.
const LAST_WORDS: Duration = Duration::from_secs(1);
const SHUTDOWN: Duration = Duration::from_secs(60);
pub(crate) const CARD_SOCKET: &str = "card.sock";

/// A guest that runs, and the QEMU that it runs in. Dropped, both are gone.
#[derive(Debug)]
pub struct Vm {
    // In the order of their ends: QEMU before the card that it uses.
    process: Process,
    qmp: Mutex<Qmp>,
    agent: Mutex<Agent>,
    card: Card,
    pub(crate) hba: Hba,
    pub(crate) disks: Vec<PathBuf>,
    console: Console,
    run: PathBuf,
    jobs: AtomicU32,
    boot_limit: Duration,
    exec_limit: Duration,
    flavour: Flavour,
    _lock: VmLock,
    _held: File,
}

impl Vm {
    /// The description of a VM, to be changed and booted.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn boot(builder: Builder) -> Result<Self> {
        let vm = Self::start(&builder)?;
        vm.wait_ready()?;
        if builder.load && !builder.root_on_card {
            vm.load_driver()?;
        }
        Ok(vm)
    }

    fn start(builder: &Builder) -> anyhow::Result<Self> {
        paths::check()?;
        let flavour = match builder.flavour {
            Some(flavour) => flavour,
            None => Flavour::from_environment()?,
        };
        let kernel = Kernel::find(flavour)?;
        let run = match &builder.run_folder {
            Some(folder) => folder.clone(),
            None => paths::new_run()?,
        };
        fs::create_dir_all(run.join("exchange"))?;
        let held = paths::hold(&run)?;
        let driver = builder.hba.driver();
        if !modules::stage(&kernel, driver, &run.join("modules"))? && builder.load {
            bail!(
                "the driver is not built for {}: {}/{}/{driver}.ko is missing (run `make module`, or boot with --no-load)",
                kernel.release,
                paths::on_host(Path::new(paths::BUILD)).display(),
                kernel.release,
            );
        }
        initramfs::write(&kernel, builder.root_on_card, &run.join("initramfs"))?;
        let card = make_card(builder, &run)?;
        let disks = hba::disks(builder, &run)?;
        let lock = VmLock::take()?;
        let machine = Machine {
            kvm: qemu::has_kvm(),
            memory: builder.memory,
            high_memory: builder.high_memory,
            cpus: builder.cpus,
            kernel: kernel.image,
            kernel_layer: kernel.layer,
            share: builder.share.clone(),
            iommu: builder.iommu,
            behind_bridge: builder.behind_bridge,
            card: serves_card(builder).then(|| run.join(CARD_SOCKET)),
            disks: disks.clone(),
            terminal: builder.terminal,
            find_leaks: builder.find_leaks && flavour == Flavour::Debug,
            kunit: builder.kunit,
            root_on_card: builder.root_on_card,
            append: builder.append.clone(),
            run: run.clone(),
        };
        let arguments = machine.arguments();
        fs::write(run.join("qemu.args"), arguments.join("\n"))?;
        let process = Process::start(&arguments, &run.join("qemu.log"), builder.terminal)?;
        let qmp = connect(&run.join("qmp.sock"), &process).and_then(Qmp::new);
        let agent = connect(&run.join("agent.sock"), &process).map(Agent::new);
        if let Some(how) = early_end(&process, qmp.is_err()) {
            bail!("QEMU does not start: {how}");
        }
        Ok(Self {
            qmp: Mutex::new(qmp?),
            agent: Mutex::new(agent?),
            process,
            card,
            hba: builder.hba,
            disks,
            console: Console::new(&run.join("console.log")),
            run,
            jobs: AtomicU32::new(0),
            flavour,
            boot_limit: builder.boot_limit * flavour.patience(),
            exec_limit: builder.exec_limit * flavour.patience(),
            _lock: lock,
            _held: held,
        })
    }

    /// Which kernel it runs.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// A time limit for what may take so many seconds on Debian's kernel.
    pub fn within(&self, seconds: u64) -> Duration {
        Duration::from_secs(seconds) * self.flavour.patience()
    }

    /// How many of `count` repetitions a test should do: on the debug kernel, where each
    /// shows more and takes longer, fewer.
    pub fn repetitions(&self, count: u64) -> u64 {
        match self.flavour {
            Flavour::Stock => count,
            Flavour::Debug => count / 5,
        }
    }

    /// Runs a shell command, and waits for its end.
    pub fn exec(&self, command: &str) -> Result<Output> {
        self.spawn(command)?.wait(self.exec_limit)
    }

    /// Starts a shell command, so that other things can be done while it runs.
    pub fn spawn(&self, command: &str) -> Result<Job<'_>> {
        self.spawn_program(&["/bin/sh", "-c", command])
    }

    /// Starts a program with arguments.
    pub fn spawn_program(&self, words: &[&str]) -> Result<Job<'_>> {
        let id = self.jobs.fetch_add(1, Ordering::Relaxed).to_string();
        // A session of its own, so that it can be killed with its children.
        let mut arguments = vec!["/bin/sh".to_owned(), "/run/exec.sh".to_owned(), id.clone()];
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        let pid = lock(&self.agent).start("/usr/bin/setsid", &arguments)?;
        let what = match words {
            ["/bin/sh", "-c", command] => format!("`{command}`"),
            words => format!("`{}`", words.join(" ")),
        };
        Ok(Job::new(
            self,
            self.run.join("exchange").join(id),
            pid,
            what,
        ))
    }

    /// Hands a program of the package `guest-tools` over to the guest, and gives its
    /// path there.
    pub fn guest_tool(&self, name: &str) -> Result<String> {
        guest_tool::copy_to(&self.run.join("exchange/tools"), name)?;
        Ok(format!("/run/vm/tools/{name}"))
    }

    /// Loads the driver; its disks are there afterwards.
    pub fn load_driver(&self) -> Result<()> {
        let driver = self.hba.driver();
        let output = self.exec(&format!("modprobe {driver}"))?;
        if output.status == 0 {
            return Ok(());
        }
        Err(Error::Harness(anyhow!(
            "modprobe {driver} failed (status {}): {}\nthe guest's console ended with:\n{}",
            output.status,
            output.stderr_text().trim(),
            self.console.tail(15)
        )))
    }

    /// Has the guest reboot in an orderly way (the driver's shutdown method runs),
    /// and waits until commands can be run again. The driver is not loaded then.
    pub fn reboot(&self) -> Result<()> {
        self.restarted_by(&["/bin/sh", "-c", "sync; busybox reboot -f"])
    }

    /// Runs a program at whose end another kernel runs.
    pub(crate) fn restarted_by(&self, words: &[&str]) -> Result<()> {
        self.forget_ready()?;
        let _unfinished = self.spawn_program(words)?;
        self.wait_ready()
    }

    /// Resets the guest as by its reset button, and waits as [`Vm::reboot`] does.
    pub fn reset(&self) -> Result<()> {
        self.forget_ready()?;
        self.qmp().execute("system_reset", serde_json::json!({}))?;
        self.wait_ready()
    }

    /// Has the guest power off in an orderly way, and gives what its kernel had to
    /// complain about.
    pub fn shutdown(self) -> Result<Vec<Report>> {
        if self.process.ended().is_none() {
            let _unfinished = self.spawn("sync; busybox poweroff -f")?;
            let begin = Instant::now();
            let mut watch = self.watch();
            while self.process.ended().is_none() {
                match watch.check() {
                    Ok(()) | Err(Error::Died(_)) => {}
                    Err(error) => return Err(error),
                }
                if begin.elapsed() > SHUTDOWN {
                    return Err(self.timeout("the guest's power-off", SHUTDOWN));
                }
                thread::sleep(PACE);
            }
        }
        Ok(detector::reports(&self.console.text()))
    }

    /// The card's twin. It is there even in a VM without a card.
    pub fn twin(&self) -> &Twin {
        self.card.twin()
    }

    /// QEMU's control socket.
    pub fn qmp(&self) -> MutexGuard<'_, Qmp> {
        lock(&self.qmp)
    }

    /// The folder with the files of this run.
    pub fn run_folder(&self) -> &Path {
        &self.run
    }

    pub(crate) fn kill_group(&self, pid: u64) -> Result<()> {
        let arguments = ["-KILL".to_owned(), "--".to_owned(), format!("-{pid}")];
        lock(&self.agent).start("/usr/bin/kill", &arguments)?;
        Ok(())
    }

    /// Has the agent forget a program that has ended.
    pub(crate) fn reap(&self, pid: u64) {
        if let Err(error) = lock(&self.agent).reap(pid) {
            tracing::debug!("{error:#}");
        }
    }

    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch {
            vm: self,
            console: self.console.watch(),
        }
    }

    fn forget_ready(&self) -> anyhow::Result<()> {
        fs::remove_file(self.ready_file()).context("the guest was not ready")
    }

    fn ready_file(&self) -> PathBuf {
        self.run.join("exchange/ready")
    }

    fn wait_ready(&self) -> Result<()> {
        let begin = Instant::now();
        let mut watch = self.watch();
        while !self.ready_file().exists() {
            watch.check()?;
            if begin.elapsed() > self.boot_limit {
                return Err(self.timeout("the boot", self.boot_limit));
            }
            thread::sleep(PACE);
        }
        while !lock(&self.agent).sync()? {
            watch.check()?;
            if begin.elapsed() > self.boot_limit {
                return Err(self.timeout("the start of the guest's agent", self.boot_limit));
            }
        }
        Ok(())
    }

    fn timeout(&self, what: &str, limit: Duration) -> Error {
        Error::Timeout {
            what: what.to_owned(),
            seconds: limit.as_secs(),
            tail: format!("\nits console ended with:\n{}", self.console.tail(15)),
        }
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.process.kill();
        self.process.wait(SHUTDOWN);
        hba::remove_temporary(&self.disks, &self.run);
        if let Err(error) = self.card.finish(&self.run.join("twin.report")) {
            eprintln!("vm: {error:#}");
        }
    }
}

fn serves_card(builder: &Builder) -> bool {
    builder.card && builder.hba == Hba::AppleRaid
}

fn make_card(builder: &Builder, run: &Path) -> anyhow::Result<Card> {
    let volumes = match builder.hba {
        Hba::AppleRaid => hba::volumes(builder),
        Hba::Pvscsi => Vec::new(),
    };
    let mut card = Card::new(&builder.twin, &volumes)?;
    if builder.trace {
        card.trace_to(&run.join("card.trace"))?;
    }
    if serves_card(builder) {
        card.serve(&run.join(CARD_SOCKET))?;
    }
    Ok(card)
}

/// How QEMU ended when it did not like its arguments; what it says is worth waiting
/// for when something is amiss.
fn early_end(process: &Process, amiss: bool) -> Option<String> {
    if amiss {
        process.wait(LAST_WORDS);
    }
    process.ended()
}

/// Connects to a socket that QEMU makes as it starts.
fn connect(socket: &Path, process: &Process) -> anyhow::Result<UnixStream> {
    let begin = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(stream),
            Err(_) if begin.elapsed() < Duration::from_secs(20) => {}
            Err(error) => return Err(error).context("QEMU does not open its sockets"),
        }
        if process.ended().is_some() {
            bail!("QEMU does not open its sockets");
        }
        thread::sleep(PACE);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
