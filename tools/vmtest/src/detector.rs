// SPDX-License-Identifier: GPL-2.0

//! Finds what a kernel says when something is wrong with it: oopses, warnings,
//! and the reports of lockdep, KASAN, UBSAN, KCSAN, kmemleak, the DMA debugging
//! and the watchdogs; and KUnit tests that fail.
//!
//! A line's message is what follows its time stamp. Most reports open with a fixed
//! word at the message's very beginning; only these places are looked at, because
//! the same words stand in the middle of harmless lines ("Spectre V2 : WARNING:
//! Unprivileged eBPF is enabled", "DMA-API: preallocated 65536 debug entries").
//!
//! A failure that was asked for ([`injection`]) comes with a stack trace that is none.

pub mod injection;

/// How many lines before the first sign belong to a report.
const BEFORE: usize = 2;
/// How many lines after the latest sign belong to a report.
const AFTER: usize = 40;

/// One report of the guest's kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The message that gave it away.
    pub sign: String,
    /// The lines around it, as they stand in the log.
    pub text: String,
}

/// A message that begins so is a sign.
const BEGINNINGS: &[&str] = &[
    "BUG ",
    "BUG: ",
    "Oops",
    "WARNING: ",
    "INFO: possible ",
    "INFO: trying to register non-static key",
    "INFO: task ",
    "UBSAN: ",
    "Kernel panic",
    "general protection fault",
    "kernel BUG at ",
    "Unable to handle ",
    "refcount_t: ",
    "list_add corruption",
    "list_del corruption",
    "ODEBUG: ",
    "Call Trace:",
    "DEBUG_LOCKS_WARN_ON",
    "double fault",
    "stack segment",
    "invalid opcode",
    // A KUnit test, run when a module was loaded.
    "not ok ",
];

/// A message that contains this, wherever, is a sign.
const ANYWHERE: &[&str] = &[
    " BUG: ",
    "possible circular locking",
    "possible recursive locking",
    "inconsistent lock state",
    "suspicious RCU usage",
    "KASAN: ",
    "KCSAN: ",
    "KFENCE: ",
    "KMSAN: ",
    "scheduling while atomic",
    "sleeping function called from invalid context",
    "rust_kernel: panicked",
    "new suspected memory leaks",
    "soft lockup",
    "hard LOCKUP",
    "detected stall",
    "self-detected stall",
    // What the SCSI abstraction says of a driver that does not keep to its rules.
    "a driver dropped a SCSI command",
    "a driver kept a SCSI command",
];

/// What the DMA debugging says without a complaint.
const DMA_API_HARMLESS: &[&str] = &[
    "DMA-API: preallocated ",
    "DMA-API: debugging enabled ",
    "DMA-API: debugfs ",
    "DMA-API: nr_total_entries",
];

/// All reports in a log, in their order.
pub fn reports(log: &str) -> Vec<Report> {
    let lines: Vec<&str> = log.lines().collect();
    let mut found = Vec::new();
    let mut next = 0;
    while next < lines.len() {
        if !is_sign(&lines, next) {
            next += 1;
            continue;
        }
        let end = end_of_report(&lines, next);
        let begin = next.saturating_sub(BEFORE);
        found.push(Report {
            sign: message(lines[next]).to_owned(),
            text: lines[begin..end].join("\n"),
        });
        next = end;
    }
    found
}

/// Whether the kernel gave up, so that nothing more is to be waited for.
pub fn has_panic(log: &str) -> bool {
    log.lines()
        .any(|line| message(line).starts_with("Kernel panic - not syncing"))
}

fn end_of_report(lines: &[&str], first: usize) -> usize {
    let mut last_sign = first;
    let mut at = first + 1;
    while at < lines.len() && at <= last_sign + AFTER {
        let message = message(lines[at]);
        if message.starts_with("---[ end ") {
            return at + 1;
        }
        if is_sign(lines, at) {
            last_sign = at;
        }
        at += 1;
    }
    at
}

fn is_sign(lines: &[&str], at: usize) -> bool {
    let message = message(lines[at]);
    if message.starts_with("INFO: task ") {
        return message.contains("blocked for more than");
    }
    // A program's own fault ("traps: sh[1] general protection fault") is not the
    // kernel's.
    if message.starts_with("traps: ") {
        return false;
    }
    if message.starts_with("DMA-API: ") {
        return !DMA_API_HARMLESS
            .iter()
            .any(|harmless| message.starts_with(harmless));
    }
    if injection::call_chain(lines, at).is_some() {
        return false;
    }
    BEGINNINGS.iter().any(|sign| message.starts_with(sign))
        || ANYWHERE.iter().any(|sign| message.contains(sign))
}

/// A line without its carriage return, `<level>`, `[time]` and `[caller]`.
fn message(line: &str) -> &str {
    let mut rest = line.trim();
    if let Some((level, after)) = rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
        if level.bytes().all(|byte| byte.is_ascii_digit()) {
            rest = after;
        }
    }
    while let Some((stamp, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        let stamp = stamp.trim();
        let is_time = stamp.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let is_caller = stamp.starts_with(['T', 'C'])
            && stamp.bytes().skip(1).all(|byte| byte.is_ascii_digit());
        if stamp.is_empty() || !(is_time || is_caller) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests;
