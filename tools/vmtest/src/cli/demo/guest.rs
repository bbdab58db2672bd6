// SPDX-License-Identifier: GPL-2.0

//! A guest of the demo: takes steps, shows them, and stops at the first one that
//! does not come to what it should.

use std::fmt;
use std::time::Instant;

use apple_raid_twin::Report as CardReport;
use vmtest::{Builder, Error, Output, Report, Vm};

use super::step::Step;
use crate::cli::run;

/// A step that failed.
#[derive(Debug)]
pub struct Failure {
    /// Its title.
    pub step: String,
    /// What went wrong.
    pub why: Why,
}

/// What went wrong with a step.
#[derive(Debug)]
pub enum Why {
    /// It did not come to what is expected.
    Wrong(String),
    /// The VM or the test bed failed.
    Vm(Error),
    /// The guest's kernel reported an oops, a warning or the like.
    Kernel(Vec<Report>),
}

impl From<String> for Why {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self::Vm(error)
    }
}

impl From<anyhow::Error> for Why {
    fn from(error: anyhow::Error) -> Self {
        Self::Vm(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "\"{}\": ", self.step)?;
        match &self.why {
            Why::Wrong(why) => to.write_str(why),
            Why::Vm(error) => error.fmt(to),
            Why::Kernel(reports) => match reports.first() {
                Some(first) => write!(to, "the guest's kernel reports: {}", first.sign),
                None => to.write_str("the guest's kernel reports something"),
            },
        }
    }
}

/// Says of which step a failure is.
pub fn at<T>(step: &str, result: Result<T, impl Into<Why>>) -> Result<T, Failure> {
    result.map_err(|why| Failure {
        step: step.to_owned(),
        why: why.into(),
    })
}

/// A booted machine, with the demo's clock.
#[derive(Debug)]
pub struct Guest {
    vm: Vm,
    begin: Instant,
}

impl Guest {
    /// Boots; the driver is loaded.
    pub fn boot(title: &str, begin: Instant, builder: Builder) -> Result<Self, Failure> {
        heading(begin, title);
        let vm = at(title, builder.boot())?;
        Ok(Self { vm, begin })
    }

    /// Takes a step.
    pub fn take(&self, step: &Step) -> Result<Output, Failure> {
        heading(self.begin, step.title);
        println!("# {}", step.command);
        let output = match self.vm.exec(&step.command) {
            Ok(output) => output,
            Err(error) => return Err(self.failure(step, error.into())),
        };
        let judged = step.judge(&output);
        // All of it when something is wrong: it may say what.
        let lines = if judged.is_ok() {
            step.lines
        } else {
            usize::MAX
        };
        print!("{}", shown(&output.stdout_text(), lines));
        print!("{}", shown(&output.stderr_text(), lines));
        match judged {
            Ok(()) => Ok(output),
            Err(why) => Err(self.failure(step, why.into())),
        }
    }

    /// A failure that a report of the kernel explains is that report.
    fn failure(&self, step: &Step, why: Why) -> Failure {
        if let Err(why) = judge_card(&self.vm.twin().report()) {
            eprintln!("demo: {why}");
        }
        let reports = self.vm.reports_of_console();
        let failure = Failure {
            step: step.title.to_owned(),
            why,
        };
        if reports.is_empty() {
            return failure;
        }
        eprintln!("demo: {failure}");
        run::print(&reports);
        Failure {
            why: Why::Kernel(reports),
            ..failure
        }
    }

    /// Takes some steps of which only the end matters.
    pub fn take_all(&self, steps: &[Step]) -> Result<(), Failure> {
        steps.iter().try_for_each(|step| self.take(step).map(drop))
    }

    /// Powers off, and looks at what kernel and card have to complain about.
    pub fn finish(self) -> Result<CardReport, Failure> {
        let title = "Power off; kernel and card have nothing to complain about";
        heading(self.begin, title);
        let twin = self.vm.twin().clone();
        let reports = at(title, run::finish(self.vm))?;
        if !reports.is_empty() {
            run::print(&reports);
            return at(title, Err(Why::Kernel(reports)));
        }
        let report = twin.report();
        println!(
            "card: {} commands, {} bytes read, {} bytes written, {} interrupts",
            report.completed, report.bytes_in, report.bytes_out, report.interrupts
        );
        at(title, judge_card(&report))?;
        Ok(report)
    }
}

/// Whether the driver asked anything of the card that it should not have.
fn judge_card(report: &CardReport) -> Result<(), String> {
    if let Some(first) = &report.first_refused {
        let count = report.dma_refused;
        return Err(format!(
            "the card's DMA was refused {count} times, at first: {first:?}"
        ));
    }
    if let Some(first) = &report.first_protocol_error {
        let count = report.protocol_errors;
        return Err(format!(
            "the card was misused {count} times, at first: {first}"
        ));
    }
    match (report.dma_refused, report.overruns, report.protocol_errors) {
        (0, 0, 0) => Ok(()),
        (refused, overruns, errors) => Err(format!(
            "{refused} DMA refused, {overruns} commands moved more than their buffers held, {errors} protocol errors"
        )),
    }
}

fn heading(begin: Instant, title: &str) {
    println!("\n== [{:5.1} s] {title}", begin.elapsed().as_secs_f64());
}

/// The first lines of a text, and how many there are more.
fn shown(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut shown = String::new();
    for line in all.iter().take(lines) {
        shown.push_str(line);
        shown.push('\n');
    }
    if all.len() > lines {
        shown.push_str(&format!("... and {} more lines\n", all.len() - lines));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_was_misused_is_refused() {
        let good = CardReport::default();
        assert_eq!(judge_card(&good), Ok(()));
        let overrun = CardReport {
            overruns: 1,
            ..CardReport::default()
        };
        assert!(
            judge_card(&overrun)
                .unwrap_err()
                .contains("1 commands moved more")
        );
        let misused = CardReport {
            protocol_errors: 2,
            first_protocol_error: Some("a doorbell out of turn".into()),
            ..CardReport::default()
        };
        assert!(judge_card(&misused).unwrap_err().contains("out of turn"));
        let refused = CardReport {
            dma_refused: 3,
            ..CardReport::default()
        };
        assert!(judge_card(&refused).unwrap_err().contains("3 DMA refused"));
    }

    #[test]
    fn a_failure_names_its_step() {
        let failure = at::<()>("A file system", Err("no space".to_owned())).unwrap_err();
        assert_eq!(failure.to_string(), "\"A file system\": no space");
    }

    #[test]
    fn long_outputs_are_cut() {
        assert_eq!(shown("a \nb\nc\n", 2), "a\nb\n... and 1 more lines\n");
        assert_eq!(shown("a\nb", 2), "a\nb\n");
    }
}
