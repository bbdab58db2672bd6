// SPDX-License-Identifier: GPL-2.0

//! The words of the command line.

mod demo;
mod faults;
mod replay;
mod run;
mod settings;
mod shell;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use apple_raid_twin::CardParams;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;
use vmtest::{Builder, Error, Flavour, Hba, Iommu, Result, Vm, VolumeSpec, paths, size};

/// The exit status for a report of the guest's kernel (an oops, a warning ...).
pub const KERNEL_REPORT: u8 = 125;
const TIMEOUT: u8 = 124;
const HARNESS: u8 = 126;

/// Boots a kernel in QEMU with a twin of the Apple RAID Card.
#[derive(Debug, Parser)]
#[command(name = "tools/vm", bin_name = "tools/vm", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command in the guest, and exit with its status.
    ///
    /// 124: the time was up; 125: the guest's kernel reported an oops, a warning or
    /// the like, which is printed; 126: the test bed itself failed.
    Run(run::Run),
    /// Show that the volumes of the card are disks, and check all that is shown.
    Demo(demo::Demo),
    /// A shell in the guest; `exit` powers off, Ctrl-A X pulls the plug.
    Shell(shell::Shell),
    /// List what can go wrong with the card on purpose: --twin fault=NAME.
    Faults(faults::Faults),
    /// List what the card can be like: --twin KEY=VALUE.
    Settings(settings::Settings),
    /// Hold a trace of a real card against the model; 1: a line does not fit.
    ///
    /// The trace is QEMU's record of a guest that has the card passed through
    /// (-trace 'vfio_region_*', 'vfio_pci_*_config', 'vfio_msi_interrupt'; the card with
    /// x-no-mmap=true), as its simpletrace.py prints it. The host's writes are done again on
    /// the twin, and what the card answered is compared. The first line that does not fit is
    /// named, with what was expected and why; what a trace cannot show (timing, memory) is
    /// tolerated and counted.
    Replay(replay::Replay),
}

/// What the VM shall be like.
#[derive(Debug, Args)]
pub struct Options {
    /// The host adapter: the card's twin, or QEMU's pvscsi with our driver pvscsi_rust
    #[arg(long, value_enum, default_value_t = HbaWord::AppleRaid)]
    hba: HbaWord,
    /// Guest memory
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = size::parse)]
    memory: u64,
    /// Processors
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    cpus: u32,
    /// Debian's own kernel, or one with lockdep, KASAN and more [default: stock]
    #[arg(long, value_enum)]
    kernel: Option<KernelWord>,
    /// The guest's IOMMU
    #[arg(long, value_enum, default_value_t = IommuWord::Off)]
    iommu: IommuWord,
    /// Put the card behind a bridge from PCI Express to PCI
    #[arg(long)]
    behind_bridge: bool,
    /// A volume of the card, or a disk of pvscsi: a size, or a file; may be repeated [default: 1G]
    #[arg(long, value_name = "SIZE|FILE")]
    volume: Vec<VolumeSpec>,
    /// A setting of the twin (`tools/vm settings` lists them); may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    twin: Vec<String>,
    /// Write all that host and card say to each other to a file
    #[arg(long)]
    trace: bool,
    /// A folder for the guest to read and write at /mnt/share
    #[arg(long, value_name = "DIR")]
    share: Option<PathBuf>,
    /// Do not load the driver
    #[arg(long)]
    no_load: bool,
    /// More kernel parameters
    #[arg(
        long,
        value_name = "PARAMETERS",
        default_value = "",
        hide_default_value = true
    )]
    append: String,
    /// Say what happens, and where the logs are
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HbaWord {
    AppleRaid,
    Pvscsi,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KernelWord {
    Stock,
    Debug,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IommuWord {
    Off,
    Strict,
    Passthrough,
}

impl Cli {
    /// Does what the words say; gives the exit status.
    pub fn run(self) -> Result<u8> {
        match self.command {
            Command::Run(run) => run.run(),
            Command::Demo(demo) => demo.run(),
            Command::Shell(shell) => shell.run(),
            Command::Faults(faults) => faults.run(),
            Command::Settings(settings) => settings.run(),
            Command::Replay(replay) => replay.run(),
        }
    }
}

impl Options {
    /// The VM, with the log of the twin already going to its file.
    fn builder(&self) -> Result<Builder> {
        Ok(self.builder_in(&paths::new_run()?)?)
    }

    /// The same, with all of its files in a folder for one run.
    fn builder_in(&self, run: &Path) -> anyhow::Result<Builder> {
        let log = run.join("twin.log");
        log_to(&log)?;
        let host = |name: &str| paths::on_host(&run.join(name)).display().to_string();
        self.say(|| format!("guest console: {}", host("console.log")));
        self.say(|| format!("twin log: {}", host("twin.log")));
        if self.trace {
            eprintln!("vm: trace of the card: {}", host("card.trace"));
        }
        let hba = match self.hba {
            HbaWord::AppleRaid => Hba::AppleRaid,
            HbaWord::Pvscsi => Hba::Pvscsi,
        };
        let mut builder = Vm::builder()
            .hba(hba)
            .run_folder(run)
            .find_leaks()
            .kunit()
            .memory(self.memory)
            .cpus(self.cpus)
            .iommu(match self.iommu {
                IommuWord::Off => Iommu::Off,
                IommuWord::Strict => Iommu::Strict,
                IommuWord::Passthrough => Iommu::Passthrough,
            })
            .append(&self.append);
        if let Some(kernel) = self.kernel {
            builder = builder.kernel(match kernel {
                KernelWord::Stock => Flavour::Stock,
                KernelWord::Debug => Flavour::Debug,
            });
        }
        for volume in &self.volume {
            builder = builder.volume(volume.clone());
        }
        for setting in &self.twin {
            builder = builder.twin(setting);
        }
        if let Some(folder) = &self.share {
            builder = builder.share(folder);
        }
        if self.behind_bridge {
            builder = builder.behind_bridge();
        }
        if self.trace {
            builder = builder.trace();
        }
        if self.no_load {
            builder = builder.no_load();
        }
        Ok(builder)
    }

    /// Boots it. Faults begin to strike when the driver is loaded: in its checks they would
    /// only have it refuse the card.
    fn boot(&self, builder: Builder) -> Result<Vm> {
        let values = |key| {
            self.twin
                .iter()
                .filter_map(move |text| text.strip_prefix(key))
        };
        let faults = values("fault=").collect::<Vec<_>>().join(" ");
        if faults.is_empty() || self.no_load {
            return builder.boot();
        }
        let seed = values("seed=").filter_map(|seed| seed.parse().ok()).last();
        let seed = seed.unwrap_or(CardParams::default().seed);
        let vm = builder.no_load().boot()?;
        let strike = |faults: &str| vm.twin().set_faults(faults, seed).context("faults");
        strike("none")?;
        vm.load_driver()?;
        strike(&faults)?;
        Ok(vm)
    }

    /// Prints a line with -v.
    fn say(&self, line: impl FnOnce() -> String) {
        if self.verbose {
            eprintln!("vm: {}", line());
        }
    }
}

/// The exit status that tells an error.
pub fn status_of(error: &Error) -> u8 {
    match error {
        Error::Timeout { .. } => TIMEOUT,
        Error::Panic(_) => KERNEL_REPORT,
        Error::Died(_) | Error::Harness(_) => HARNESS,
    }
}

fn log_to(path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_env_filter(filter)
        .init();
    Ok(())
}
