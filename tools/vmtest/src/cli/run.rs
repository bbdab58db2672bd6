// SPDX-License-Identifier: GPL-2.0

//! `tools/vm run`: one command in the guest.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use vmtest::{Error, Report, Result, Vm};

use super::{KERNEL_REPORT, Options};

/// Run a command in the guest.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    options: Options,
    /// How many seconds the command may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// The command: one word is given to a shell, several are run as they are
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Run {
    /// Boots, runs, powers off.
    pub fn run(&self) -> Result<u8> {
        let begin = Instant::now();
        let vm = self.options.boot(self.options.builder()?)?;
        self.say(begin, "the command starts");
        let result = self.command(&vm);
        self.say(begin, "the command has ended");
        self.tell_of_card(&vm);
        let reports = match &result {
            // A guest that may hang is not asked for anything any more.
            Err(_) => vm.reports_of_console(),
            Ok(_) => finish(vm)?,
        };
        self.say(begin, "the guest is off");
        if reports.is_empty() {
            return result;
        }
        print(&reports);
        if let Err(error) = result {
            if !matches!(error, Error::Panic(_)) {
                eprintln!("vm: {error}");
            }
        }
        Ok(KERNEL_REPORT)
    }

    fn command(&self, vm: &Vm) -> Result<u8> {
        let job = match self.command.as_slice() {
            [command] => vm.spawn(command)?,
            words => vm.spawn_program(&words.iter().map(String::as_str).collect::<Vec<_>>())?,
        };
        let limit = Duration::from_secs(self.timeout);
        let status = job.follow(limit, &mut io::stdout().lock(), &mut io::stderr().lock())?;
        Ok(u8::try_from(status).unwrap_or(u8::MAX))
    }

    /// What the driver asked of the card that it should not have.
    fn tell_of_card(&self, vm: &Vm) {
        let report = vm.twin().report();
        if let Some(first) = &report.first_refused {
            let count = report.dma_refused;
            eprintln!("vm: DMA of the card was refused {count} times, at first: {first:?}");
        }
        if let Some(first) = &report.first_protocol_error {
            let count = report.protocol_errors;
            eprintln!("vm: the card was misused {count} times, at first: {first}");
        }
        if !report.faults.is_empty() {
            let struck = report
                .faults
                .iter()
                .map(|(name, count)| format!("{name} {count}"));
            eprintln!("vm: faults: {}", struck.collect::<Vec<_>>().join(", "));
        }
        self.options.say(|| format!("{report:?}"));
    }

    fn say(&self, begin: Instant, what: &str) {
        self.options
            .say(|| format!("[{:6.2} s] {what}", begin.elapsed().as_secs_f64()));
    }
}

/// Powers off; gives what the kernel had to complain about up to its last moment.
pub(super) fn finish(vm: Vm) -> Result<Vec<Report>> {
    let reports = vm.reports()?;
    match (reports.is_empty(), vm.shutdown()) {
        (true, after) => after,
        // After an oops the guest may well be unable to power off.
        (false, Ok(all)) if !all.is_empty() => Ok(all),
        (false, _) => Ok(reports),
    }
}

/// Prints reports of the guest's kernel.
pub(super) fn print(reports: &[Report]) {
    for report in reports {
        eprintln!("vm: the guest's kernel reports: {}", report.sign);
        eprintln!("{}", report.text);
    }
}
