// SPDX-License-Identifier: GPL-2.0

//! What can go wrong with a VM, as a caller has to tell it apart.

use crate::detector::Report;

/// The result of most methods of a [`Vm`](crate::Vm).
pub type Result<T> = std::result::Result<T, Error>;

/// Why a VM did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The time was up.
    #[error("{what} did not end within {seconds} s{tail}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// The last lines of what it printed, to be shown below the message.
        tail: String,
    },
    /// The guest's kernel panicked.
    #[error("the guest's kernel panicked:\n{}", texts(.0))]
    Panic(Vec<Report>),
    /// QEMU ended while it was needed.
    #[error("QEMU ended ({0})")]
    Died(String),
    /// Something on the host's side failed.
    #[error("{0:#}")]
    Harness(#[from] anyhow::Error),
}

fn texts(reports: &[Report]) -> String {
    let texts: Vec<&str> = reports.iter().map(|report| report.text.as_str()).collect();
    texts.join("\n")
}
